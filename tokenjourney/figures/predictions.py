"""Every position's own prediction beside the token that really comes next."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import (
    count,
    distinct_labels,
    escaped,
    number,
    share,
    shortened,
    token_markup,
)
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import row_label
from tokenjourney.figures.written import bar, scatter

_ROW, _LEFT, _TOP, _BOTTOM = 27, 112, 52, 12
_GUESS, _TRUE, _LOSS = (0.14, 0.40), (0.60, 0.80), (0.88, 1.0)


def predictions_figure(
    *,
    labels: Sequence[str],
    guesses: Sequence[str],
    guess_probabilities: ArrayLike,
    true_probabilities: ArrayLike,
    losses: ArrayLike,
    true_before: ArrayLike | None = None,
    followed: int | None = None,
    most: int = 60,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """One row per position: its best guess, what really came with its probability, and the loss.

    The last position has no next token yet. Above `most` rows a window around the followed one is
    shown, and the caption says so.

    Args:
        labels: the visible texts of the T tokens; each row's next token is the label below it.
        guesses: the T best guesses.
        guess_probabilities: (T,) their probabilities.
        true_probabilities: (T − 1,) of the token that really comes next.
        losses: (T − 1,) −ln of these, in nats.
        true_before: (T − 1,) of the same tokens in another run to compare with, as rings.
        followed: the row with the accent.
        most: rows that are drawn at most.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths that do not fit each other.
    """
    theme = as_theme(theme)
    names = distinct_labels(labels)
    guessed = as_vector(guess_probabilities, "guess_probabilities")
    true = _padded(true_probabilities, len(names))
    loss = _padded(losses, len(names))
    require_same_length(
        labels=names, guesses=guesses, guess_probabilities=guessed, true_probabilities=true,
        losses=loss,
    )  # fmt: skip
    start, end = window(len(names), followed or 0, most)
    rows = range(start, end)
    caption = "✓ the best guess came. Loss in nats: −ln of the probability of what came."
    if end - start < len(names):
        caption += f" Tokens {start}–{end - 1} of {count(len(names))}."
    sketch = Sketch(theme, height=_TOP + _ROW * len(rows) + _BOTTOM, hoverdistance=30,
                    margin=(_LEFT, 52, _TOP, _BOTTOM), bargap=0.5, caption=caption)  # fmt: skip
    for row in rows:
        is_followed = row == followed
        if is_followed or (row - start) % 2 == 0:
            colour = theme.accent_soft if is_followed else theme.surface
            band: dict[str, Any] = {"xref": "paper", "yref": "y"}
            sketch.shapes(
                ground(0, 1, row - 0.5, row + 0.5, colour, **band),
                ground(-_LEFT + 4, 0, row - 0.5, row + 0.5, colour, xsizemode="pixel", xanchor=0,
                       **band),
            )  # fmt: skip
        text = row_label(names[row], followed=is_followed, theme=theme, length=11)
        sketch.notes(note(text, 0, row, yref="y", anchor="right", shift=(-14, 0), size=14,
                          colour=theme.ink))  # fmt: skip
        _add_row_texts(sketch, row, names, guesses, theme)
    columns = (
        ("best guess", "", guessed, _GUESS, theme.quantity),
        ("what really came", "2", true, _TRUE, theme.quantity),
        ("loss", "3", loss, _LOSS, theme.curve),
    )
    if true_before is not None:
        _add_rings(sketch, _padded(true_before, len(names)), rows, names, theme)
    for name, suffix, values, domain, colour in columns:
        shown = values[start:end]
        finite = shown[np.isfinite(shown)]
        _add_bars(sketch, name, suffix, shown, rows, names, colour, followed, theme)
        top = 1.0 if suffix != "3" else max(float(finite.max(initial=0.0)), 1e-6)
        sketch.layout(
            **{f"xaxis{suffix}": {"domain": domain, "range": [0, top], "anchor": "y", **NO_TICKS}}
        )
    sketch.layout(yaxis={"range": [end - 0.5, start - 0.5], **NO_TICKS})
    sketch.notes(
        note("<b>after</b>", 0, 1, anchor="right", valign="bottom", shift=(-14, 22), size=15.5,
             colour=theme.ink),
        *heading("best guess", "and its probability", 0.01, 1, theme=theme),
        *heading("what really came", "and the probability it had", 0.47, 1, theme=theme),
        *heading("loss", "nats", _LOSS[0], 1, theme=theme),
    )  # fmt: skip
    return sketch.figure()


def predictions_table(
    *,
    labels: Sequence[str],
    guesses: Sequence[str],
    guess_probabilities: ArrayLike,
    true_probabilities: ArrayLike,
    losses: ArrayLike,
) -> Table:
    """One row per position: token, best guess and its probability, next token, its own, loss."""
    names = distinct_labels(labels)
    guessed = as_vector(guess_probabilities, "guess_probabilities")
    true, loss = _padded(true_probabilities, len(names)), _padded(losses, len(names))
    columns = ["position", "token", "best guess", "probability", "next token",
               "probability of the next token", "loss in nats"]  # fmt: skip
    last = len(names) - 1
    return columns, [
        (
            row, name, guesses[row], float(guessed[row]), names[row + 1] if row < last else None,
            float(true[row]) if row < last else None, float(loss[row]) if row < last else None,
        )
        for row, name in enumerate(names)
    ]  # fmt: skip


def _padded(values: ArrayLike, size: int) -> Array:
    """T − 1 numbers as T, the last of them missing."""
    array = np.asarray(values, dtype=np.float32).ravel()
    return np.append(array, np.float32(np.nan)) if len(array) == size - 1 else array


def _add_row_texts(
    sketch: Sketch, row: int, names: list[str], guesses: Sequence[str], theme: Theme
) -> None:
    came = names[row + 1] if row + 1 < len(names) else None
    text = token_markup(shortened(guesses[row], 12), theme=theme)
    place: dict[str, Any] = {"y": row, "yref": "y", "size": 14, "colour": theme.ink}
    sketch.notes(note(text, 0.01, **place))
    if came is None:
        sketch.notes(note("not written yet", 0.47, **place | {"colour": theme.ink3}))
        return
    is_right = _without_place(came) == guesses[row]
    shown = escaped(shortened(came, 12)) + (" ✓" if is_right else "")
    sketch.notes(note(f"<b>{shown}</b>" if is_right else shown, 0.47, **place))


def _without_place(label: str) -> str:
    return label.rstrip("₀₁₂₃₄₅₆₇₈₉")


def _add_rings(sketch: Sketch, values: Array, rows: range, names: list[str], theme: Theme) -> None:
    shown = values[rows.start : rows.stop]
    sketch.trace(
        scatter(
            x=shown, y=np.array(rows), mode="markers", xaxis="x2", yaxis="y", cliponaxis=False,
            marker={"size": 10, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
            name="with everything on", hoverinfo="text",
            hovertext=[f"After “{escaped(names[r])}”, with everything on: {share(float(v))}"
                       for r, v in zip(rows, shown, strict=True)],
        )
    )  # fmt: skip


def _add_bars(
    sketch: Sketch,
    name: str,
    suffix: str,
    values: Array,
    rows: range,
    names: list[str],
    colour: str,
    followed: int | None,
    theme: Theme,
) -> None:
    is_loss = suffix == "3"
    texts = ["" if not np.isfinite(v) else number(v) if is_loss else share(v)
             for v in values.tolist()]  # fmt: skip
    sketch.trace(
        bar(
            x=np.nan_to_num(values, posinf=0.0), y=np.array(rows), orientation="h", yaxis="y",
            xaxis=f"x{suffix}", name=name, hoverinfo="text", cliponaxis=False,
            marker={"color": [theme.accent if r == followed else colour for r in rows]},
            text=texts, textposition="outside", textangle=0, constraintext="none",
            textfont={"size": 13, "color": theme.ink2},
            hovertext=[f"After “{escaped(names[r])}”: {name} {t}"
                       for r, t in zip(rows, texts, strict=True)],
        )
    )  # fmt: skip
