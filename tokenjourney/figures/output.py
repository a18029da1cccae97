"""From scores to a choice: five columns through which every token's row runs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector, require_same_length
from tokenjourney.figures.output_choice import add_choice
from tokenjourney.figures.output_columns import add_cut, add_kept, add_rings, add_scores
from tokenjourney.figures.output_layout import BOTTOM, LEFT, RIGHT, TOP, Choice, lay_out
from tokenjourney.figures.output_words import add_headings, add_words
from tokenjourney.figures.text import distinct_labels
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme


def output_figure(
    *,
    logits: ArrayLike,
    scaled: ArrayLike | None,
    probabilities: ArrayLike,
    kept: ArrayLike,
    renormalised: ArrayLike,
    token_ids: Sequence[int],
    labels: Sequence[str],
    temperature: float = 1.0,
    chosen: int | None = None,
    chosen_label: str = "",
    draw: float | None = None,
    seed: int | None = None,
    entropies: tuple[float, float, float] | None = None,
    before: ArrayLike | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Logits, ÷ temperature, top-k and top-p, probabilities, choice, as five linked columns.

    The rows are the most probable tokens and run through all columns; above the first three stands
    the whole vocabulary on the same axis. The choice is a column of height 1, filled by the kept
    tokens in order of their probability; the draw is an arrow on it.

    Args:
        logits: (d_vocab,), the scores of one position.
        scaled: (d_vocab,), logits ÷ temperature; None at temperature 0.
        probabilities: (d_vocab,), softmax of the scaled ones, summing to 1.
        kept: (d_vocab,), true for the tokens that top-k and top-p leave.
        renormalised: (d_vocab,), probabilities of the kept ones, summing to 1, else 0.
        token_ids: the tokens that get a row, best first.
        labels: their visible texts.
        temperature: written above the second column.
        chosen: the ID of the token drawn.
        chosen_label: its visible text.
        draw: the random number from 0 to 1 that chose it.
        seed: where the number came from.
        entropies: bits of the distribution itself, after temperature, after the cut.
        before: (d_vocab,), the probabilities of another run to compare with, as rings.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: arrays or labels that do not fit each other.
    """
    theme = as_theme(theme)
    choice = _checked(
        logits, scaled, probabilities, kept, renormalised, token_ids, labels, chosen, before, theme
    )
    figure = Sketch(
        theme,
        height=TOP + choice.plot_height + BOTTOM,
        margin=(LEFT, RIGHT, TOP, BOTTOM),
        caption="Temperature moves the dots apart or together but never changes their order.",
        barmode="overlay",
        hoverdistance=48,
    )
    lay_out(figure, choice)
    add_scores(figure, choice)
    add_cut(figure, choice)
    if choice.before is not None:
        add_rings(figure, choice, choice.before)
    add_kept(figure, choice)
    add_choice(figure, choice, draw)
    add_headings(figure, choice, temperature, draw, seed)
    add_words(figure, choice, chosen_label, entropies)
    return figure.figure()


def output_table(
    *,
    logits: ArrayLike,
    scaled: ArrayLike | None,
    probabilities: ArrayLike,
    kept: ArrayLike,
    renormalised: ArrayLike,
    token_ids: Sequence[int],
    labels: Sequence[str],
) -> Table:
    """The rows of the five columns: rank, token, ID, logit, scaled, share, kept, renormalised."""
    theme = as_theme(LIGHT)
    c = _checked(
        logits, scaled, probabilities, kept, renormalised, token_ids, labels, None, None, theme
    )
    return [
        "rank",
        "token",
        "ID",
        "logit",
        "logit ÷ temperature",
        "probability",
        "kept",
        "renormalised",
    ], [
        (
            row + 1,
            labels[row],
            int(token),
            float(c.logits[token]),
            None if c.scaled is None else float(c.scaled[token]),
            float(c.probabilities[token]),
            bool(c.kept[token]),
            float(c.renormalised[token]),
        )
        for row, token in enumerate(c.rows)
    ]


def _checked(
    logits: ArrayLike,
    scaled: ArrayLike | None,
    probabilities: ArrayLike,
    kept: ArrayLike,
    renormalised: ArrayLike,
    token_ids: Sequence[int],
    labels: Sequence[str],
    chosen: int | None,
    before: ArrayLike | None,
    theme: Theme,
) -> Choice:
    scores = as_vector(logits, "logits")
    require_same_length(token_ids=token_ids, labels=labels)
    parts = {
        "logits": scores,
        "probabilities": as_vector(probabilities, "probabilities"),
        "kept": np.asarray(kept, dtype=bool),
        "renormalised": as_vector(renormalised, "renormalised"),
    }
    if scaled is not None:
        parts["scaled"] = as_vector(scaled, "scaled")
    if before is not None:
        parts["before"] = as_vector(before, "before")
    require_same_length(**parts)
    rows = np.asarray(token_ids, dtype=np.intp)
    ids = rows if chosen is None else np.append(rows, chosen)
    if not rows.size or ids.min() < 0 or ids.max() >= len(scores):
        raise FigureError(
            f"The token IDs {ids.tolist()} do not fit {len(scores)} logits: "
            f"pass at least one, each from 0 to {len(scores) - 1}."
        )
    return Choice(
        scores,
        parts.get("scaled"),
        parts["probabilities"],
        parts["kept"],
        parts["renormalised"],
        rows,
        distinct_labels(labels),
        chosen,
        parts.get("before"),
        theme,
    )
