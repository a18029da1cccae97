"""From scores to a choice: five columns through which every token's row runs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.output_choice import add_choice
from tokenjourney.figures.output_columns import (
    BETWEEN,
    BOTTOM,
    CHOICE,
    CUT,
    KEPT,
    LEFT,
    LOGITS,
    RIGHT,
    ROWS_END,
    SCALED,
    TOP,
    Choice,
    add_cut,
    add_kept,
    add_rings,
    add_scores,
    mass,
    renormalised_others,
)
from tokenjourney.figures.output_words import add_headings, add_words
from tokenjourney.figures.text import count, distinct_labels
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import row_label


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
        logits, scaled, probabilities, kept, renormalised, token_ids, labels, chosen, theme
    )
    figure = Sketch(
        theme,
        height=TOP + choice.plot_height + BOTTOM,
        margin=(LEFT, RIGHT, TOP, BOTTOM),
        caption="Temperature moves the dots apart or together but never changes their order.",
        bargap=0.12,
        barmode="overlay",
        hoverdistance=24,
    )
    rings = None if before is None else as_vector(before, "before")
    if rings is not None:
        require_same_length(logits=choice.logits, before=rings)
    _lay_out_axes(figure, choice, rings)
    _add_rows(figure, choice)
    add_scores(figure, choice)
    add_cut(figure, choice)
    if rings is not None:
        add_rings(figure, choice, rings)
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
    c = _checked(logits, scaled, probabilities, kept, renormalised, token_ids, labels, None, theme)
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
        theme,
    )


def _lay_out_axes(figure: Sketch, choice: Choice, rings: Array | None = None) -> None:
    rows_top = choice.height / choice.plot_height
    above = [(choice.height + BETWEEN) / choice.plot_height, 1.0]
    every = [choice.logits] if choice.scaled is None else [choice.logits, choice.scaled]
    low, high = (float(f(f(part) for part in every)) for f in (min, max))
    room = 0.05 * (high - low) or 1.0
    scores = {"range": [low - room, high + room], "nticks": 6, "zeroline": False}
    ticks = {
        "showgrid": False,
        "ticks": "",
        "tickfont": {"size": 12.5},
        "showline": True,
        "linecolor": choice.theme.curve,
    }
    most = max(float(choice.probabilities[choice.rows].max()), mass(choice, choice.others), 1e-9)
    if rings is not None:
        most = max(most, float(rings[choice.rows].max()), float(rings[choice.others].sum()))
    kept = max(float(choice.renormalised.max()), renormalised_others(choice), 1e-9)
    row_axis = {"range": [len(choice.rows) + 0.5, -0.5], "domain": [0, rows_top], **NO_TICKS}
    plain = {**NO_TICKS, "anchor": "y4"}
    figure.layout(
        xaxis={"domain": LOGITS, "anchor": "y", **scores, **ticks},
        xaxis2={"domain": SCALED, "anchor": "y2", **scores, **ticks},
        xaxis3={
            "domain": CUT,
            "anchor": "y3",
            "type": "log",
            "tickmode": "array",
            "range": [0, float(np.log10(max(len(choice.logits), 2)))],
            "tickvals": [1, 10, 100, 1000, 10_000],
            "ticktext": ["1", "10", "100", "1,000", "10,000"],
            **ticks,
        },
        yaxis={"domain": above, "anchor": "x", "rangemode": "tozero", **NO_TICKS},
        yaxis2={"domain": above, "anchor": "x2", "rangemode": "tozero", **NO_TICKS},
        yaxis3={"domain": above, "anchor": "x3", "range": [0, 1.02], **NO_TICKS},
        xaxis4={**plain, **scores, "domain": LOGITS, "showgrid": True, "matches": "x"},
        xaxis5={**plain, **scores, "domain": SCALED, "showgrid": True, "matches": "x2"},
        xaxis6={**plain, "domain": CUT, "range": [0, most * 1.5]},
        xaxis7={**plain, "domain": KEPT, "range": [0, kept * 1.35]},
        xaxis8={**plain, "domain": CHOICE, "range": [0, 1]},
        yaxis4={**row_axis, "anchor": "x4"},
    )


def _add_rows(figure: Sketch, choice: Choice) -> None:
    theme, others = choice.theme, len(choice.rows)
    for row in range(others + 1):
        is_chosen = row == choice.chosen_row
        if row % 2 == 0 or is_chosen:
            colour = theme.accent_soft if is_chosen else theme.surface
            edges = {"colour": colour, "xref": "paper", "yref": "y4"}
            figure.shapes(ground(0, ROWS_END, row - 0.5, row + 0.5, **edges))
            figure.shapes(
                ground(-LEFT + 6, 0, row - 0.5, row + 0.5, xsizemode="pixel", xanchor=0, **edges)
            )
        if row < others:
            text = row_label(choice.labels[row], followed=is_chosen, theme=theme, length=11)
        else:
            text = f"{count(int(choice.others.sum()))} others"
        colour = theme.ink if row < others else theme.ink2
        figure.notes(
            note(
                text,
                0,
                row,
                yref="y4",
                shift=(-LEFT + 12, 0),
                size=14.5 if row < others else 13.5,
                colour=colour,
            )
        )
