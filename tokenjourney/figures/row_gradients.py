"""Which rows of the embedding matrix a backward pass reaches, and on which way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector, require_same_length
from tokenjourney.figures.text import escaped, scientific
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import row_label
from tokenjourney.figures.written import bar

_ROW, _LEFT, _TOP = 26, 168, 54


@dataclass(frozen=True, eq=False)
class RowGradients:
    """One way to the rows.

    Attributes:
        title: Its name.
        subtitle: More of it.
        lengths: (n,) length of the gradient at the rows shown.
        others: Its mean length over all other rows; exactly 0 where it reaches none of them.
    """

    title: str
    subtitle: str
    lengths: ArrayLike
    others: float


def row_gradients_figure(
    ways: Sequence[RowGradients],
    *,
    labels: Sequence[str],
    others: str,
    followed: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Lengths of the gradient per row of the matrix, a column per way, on one scale.

    Args:
        ways: the columns.
        labels: the tokens whose rows are shown.
        others: what the last line stands for, such as "the other 2,043 rows, mean".
        followed: the row with the accent.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths and labels differ in number.
    """
    theme = as_theme(theme)
    columns = [np.append(as_vector(way.lengths, way.title), np.float32(way.others)) for way in ways]
    names = [*labels, others]
    for column in columns:
        require_same_length(labels=names, lengths=column)
    top = max(float(max(column.max() for column in columns)), 1e-12)
    rows = len(names)
    sketch = Sketch(theme, height=_TOP + _ROW * rows + 10, margin=(_LEFT, 56, _TOP, 10),
                    bargap=0.45, hoverdistance=30)  # fmt: skip
    for row, name in enumerate(names):
        is_followed, is_rest = row == followed, row == rows - 1
        if is_followed or row % 2 == 0:
            soft = theme.accent_soft if is_followed else theme.surface
            sketch.shapes(ground(0, 1, row - 0.5, row + 0.5, soft, xref="paper", yref="y"))
        text = escaped(name) if is_rest else row_label(name, followed=is_followed, theme=theme)
        sketch.notes(note(text, 0, row, yref="y", anchor="right", shift=(-10, 0),
                          size=13 if is_rest else 14,
                          colour=theme.ink2 if is_rest else theme.ink))  # fmt: skip
    sketch.shapes(line(0, 1, rows - 1.5, rows - 1.5, theme.curve, xref="paper", yref="y", width=1))
    gap = 0.09
    width = (1 - gap * (len(ways) - 1)) / len(ways)
    for index, (way, values) in enumerate(zip(ways, columns, strict=True)):
        suffix, left = str(index + 1) if index else "", index * (width + gap)
        axis: dict[str, Any] = {
            "domain": [left, min(1.0, left + width)],
            "range": [0, top],
            **NO_TICKS,
        }
        sketch.layout(**{f"xaxis{suffix}": {**axis, "anchor": "y"}})
        sketch.notes(*heading(way.title, way.subtitle, left, 1, theme=theme))
        texts = [scientific(float(v)) for v in values]
        sketch.trace(
            bar(
                x=values, y=np.arange(rows), orientation="h", xaxis=f"x{suffix}", yaxis="y",
                name=way.title, hoverinfo="text", text=texts, textposition="outside",
                cliponaxis=False, textangle=0, constraintext="none",
                textfont={"size": 13, "color": theme.ink2},
                marker={"color": [theme.accent if r == followed else theme.curve
                                  if r == rows - 1 else theme.quantity for r in range(rows)]},
                hovertext=[f"“{escaped(name)}”, {escaped(way.title)}: length {text}"
                           for name, text in zip(names, texts, strict=True)],
            )
        )  # fmt: skip
    sketch.layout(yaxis={"range": [rows - 0.5, -0.5], **NO_TICKS})
    return sketch.figure()


def row_gradients_table(
    ways: Sequence[RowGradients], *, labels: Sequence[str], others: str
) -> Table:
    """A row per token with the length on each way; last the mean of all other rows."""
    columns = [[*map(float, np.asarray(way.lengths)), float(way.others)] for way in ways]
    return ["row", *(way.title for way in ways)], list(
        zip([*labels, others], *columns, strict=True)
    )
