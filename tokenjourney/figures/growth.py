"""One prompt through a model at several steps of its training: predictions side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import require_same_length
from tokenjourney.figures.text import escaped, share, shortened, token_markup
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import scatter

_ROW, _TOP, _BOTTOM, _CELL = 30, 74, 12, 0.93


@dataclass(frozen=True)
class StageColumn:
    """One stage of a training, to be drawn as a column.

    Attributes:
        title: After how many steps.
        lines: Two lines of numbers under it.
        labels: The most probable next tokens.
        shares: Their probabilities.
        came_share: Probability of the token that really comes next; None where none does.
    """

    title: str
    lines: tuple[str, str]
    labels: Sequence[str]
    shares: Sequence[float]
    came_share: float | None = None


def stages_figure(
    columns: Sequence[StageColumn], *, came: str = "", theme: Theme | str = LIGHT
) -> go.Figure:
    """The best guesses of each stage as bars, and under them the token that really came.

    Args:
        columns: The stages, the youngest first.
        came: The token that really comes next; "" where there is none.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: no columns, or columns of different lengths.
    """
    theme = as_theme(theme)
    if not columns or len({len(column.labels) for column in columns}) != 1:
        raise FigureError("Pass at least one stage, and as many candidates for each of them.")
    rows = len(columns[0].labels) + bool(came)
    sketch = Sketch(theme, height=_TOP + _ROW * rows + _BOTTOM, margin=(8, 8, _TOP, _BOTTOM),
                    hoverdistance=20)  # fmt: skip
    x, y, said = [], [], []
    for place, column in enumerate(columns):
        require_same_length(labels=column.labels, shares=column.shares)
        sketch.notes(
            *heading(escaped(column.title), "", place / len(columns), 1, theme=theme,
                     shift=(0, 22)),
            *(note(escaped(text), place / len(columns), 1, valign="bottom", size=13,
                   shift=(0, 22 - 17 * i), colour=theme.ink2)
              for i, text in enumerate(column.lines)),
        )  # fmt: skip
        cells = list(zip(column.labels, column.shares, strict=True))
        if came and column.came_share is not None:
            cells.append((came, column.came_share))
        for row, (label, value) in enumerate(cells):
            is_true, is_extra = bool(came) and label == came, row == len(column.labels)
            _add_cell(sketch, place, row, label, value, is_true, is_extra, theme)
            x.append(place + _CELL / 2)
            y.append(row)
            what = "really comes next" if is_extra else "is guessed"
            said.append(f"{escaped(column.title)}: “{escaped(label)}” {what}, with {share(value)}")
    sketch.trace(
        scatter(x=np.array(x, np.float32), y=np.array(y), mode="markers", hovertext=said,
                   hoverinfo="text", marker={"size": 24, "opacity": 0, "symbol": "square"},
                   name="cells")
    )  # fmt: skip
    sketch.layout(
        xaxis={"range": [0, len(columns)], **NO_TICKS},
        yaxis={"range": [rows - 0.5, -0.5], **NO_TICKS},
    )
    return sketch.figure()


def stages_table(columns: Sequence[StageColumn], *, came: str = "") -> Table:
    """A row per stage and candidate, and one for the token that really came."""
    rows: list[tuple[str | int | float | bool | None, ...]] = []
    for column in columns:
        for rank, (label, value) in enumerate(zip(column.labels, column.shares, strict=True)):
            rows.append((column.title, *column.lines, rank + 1, label, float(value)))
        if came and column.came_share is not None:
            rows.append((column.title, *column.lines, None, f"{came} (comes next)",
                         float(column.came_share)))  # fmt: skip
    return ["stage", "held out", "this prompt", "rank", "token", "probability"], rows


def _add_cell(
    sketch: Sketch, place: int, row: int, label: str, value: float, is_true: bool, is_extra: bool,
    theme: Theme,
) -> None:  # fmt: skip
    soft = theme.accent_soft if is_true else theme.surface
    bar = theme.faded(theme.accent if is_true else theme.quantity, 0.34)
    top, bottom = row - 0.44, row + 0.44
    sketch.shapes(
        ground(place, place + _CELL, top, bottom, soft),
        ground(place, place + _CELL * float(value), top, bottom, bar),
    )
    text = token_markup(shortened(label, 11), followed=is_true, theme=theme)
    sketch.notes(
        note(("✓ " if is_extra else "") + text, place, row, xref="x", yref="y", shift=(7, 0),
             size=14, colour=theme.ink),
        note(share(value), place + _CELL, row, xref="x", yref="y", anchor="right", shift=(-5, 0),
             size=13, colour=theme.ink2),
    )  # fmt: skip
