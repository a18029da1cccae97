"""What training makes of a lookup table: one token's cosines before and after."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, heading, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.text import count, escaped, number, shortened, token_markup
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import bar

_TOP, _BOTTOM, _HISTOGRAM, _BETWEEN, _ROW = 54, 48, 90, 30, 24
_PANELS = ((0.0, 0.47), (0.53, 1.0))
_BINS = 60


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """One token among all others, in one matrix.

    Attributes:
        title: What the matrix is.
        subtitle: More of it.
        cosines: (d_vocab,), the token's cosine with every row, its own among them.
        labels: The visible texts of its nearest rows, the nearest first.
        nearest: Their cosines.
    """

    title: str
    subtitle: str
    cosines: ArrayLike
    labels: Sequence[str]
    nearest: ArrayLike


def neighbourhoods_figure(
    sides: Sequence[Neighbourhood], *, label: str, itself: int, theme: Theme | str = LIGHT
) -> go.Figure:
    """Two matrices side by side: where all tokens lie around one, and which lie nearest.

    Above, how many tokens have which cosine with it (the root of their number, so that the few
    near ones are seen); below on the same axis, the nearest.

    Args:
        sides: Two neighbourhoods of the same token.
        label: The token's visible text.
        itself: Its row, which is not counted.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: not two sides, or lengths that do not fit each other.
    """
    theme = as_theme(theme)
    if len(sides) != 2:
        raise FigureError(f"Two neighbourhoods are compared, not {len(sides)}.")
    others = [np.delete(as_vector(side.cosines, "cosines"), itself) for side in sides]
    if len({len(array) for array in others}) > 1:
        raise FigureError("The two matrices must have as many rows as each other.")
    rows = max(1, *(len(side.labels) for side in sides))
    low = min(-0.36, *(float(array.min(initial=0)) - 0.02 for array in others))
    plot = _HISTOGRAM + _BETWEEN + rows * _ROW
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(14, 14, _TOP, _BOTTOM),
                    bargap=0.0, hoverdistance=30)  # fmt: skip
    edges = np.linspace(low, 1, _BINS + 1, dtype=np.float32)
    most = max(int(np.histogram(array, edges)[0].max()) for array in others)
    for index, (side, cosines) in enumerate(zip(sides, others, strict=True)):
        numbers = (2 * index + 1, 2 * index + 2)
        sketch.layout(**_axes(numbers, _PANELS[index], (low, 1.0), rows, most, plot))
        sketch.notes(*heading(side.title, side.subtitle, _PANELS[index][0], 1, theme=theme))
        _add_histogram(sketch, cosines, edges, numbers[0], label, theme)
        _add_nearest(sketch, side, numbers[1], label, low, theme)
    return sketch.figure()


def neighbourhoods_table(sides: Sequence[Neighbourhood]) -> Table:
    """The nearest tokens of each side with their cosines."""
    rows = [
        (side.title, rank, label, float(cosine))
        for side in sides
        for rank, (label, cosine) in enumerate(
            zip(side.labels, np.asarray(side.nearest, np.float32), strict=True), start=1
        )
    ]
    return ["matrix", "rank", "token", "cosine"], list(rows)


def _axes(
    numbers: tuple[int, int], domain: tuple[float, float], ends: tuple[float, float], rows: int,
    most: int, plot: int,
) -> dict[str, object]:  # fmt: skip
    upper, lower = ("" if n == 1 else str(n) for n in numbers)
    split = rows * _ROW / plot
    blank = {"showgrid": False, "showticklabels": False, "ticks": ""}
    return {
        f"xaxis{upper}": {"domain": domain, "anchor": f"y{upper}", "range": ends, **blank,
                          "zeroline": True},
        f"yaxis{upper}": {"domain": [1 - _HISTOGRAM / plot, 1], "anchor": f"x{upper}",
                          "range": [0, most**0.5 * 1.05], **blank},
        f"xaxis{lower}": {
            "domain": domain, "anchor": f"y{lower}", "range": ends, "tickmode": "array",
            "tickvals": [0, 0.25, 0.5, 0.75, 1], "ticktext": ["0", "0.25", "0.5", "0.75", "1"],
            "title": {"text": "cosine"},
        },
        f"yaxis{lower}": {"domain": [0, split], "anchor": f"x{lower}",
                          "range": [rows - 0.5, -0.5], **blank, "zeroline": False},
    }  # fmt: skip


def _add_histogram(
    sketch: Sketch, cosines: Array, edges: Array, axis: int, label: str, theme: Theme
) -> None:
    counts, _ = np.histogram(cosines, edges)
    suffix = "" if axis == 1 else str(axis)
    name = escaped(shortened(label, 16))
    sketch.trace(
        bar(
            x=(edges[:-1] + edges[1:]) / 2, y=np.sqrt(counts).astype(np.float32),
            width=float(edges[1] - edges[0]) * 0.86, marker={"color": theme.curve},
            hoverinfo="text", name="all tokens", xaxis=f"x{suffix}", yaxis=f"y{suffix}",
            hovertext=[
                f"{count(n)} {'token has' if n == 1 else 'tokens have'} a cosine from "
                f"{number(a)} to {number(b)} with “{name}”"
                for n, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
            ],
        )
    )  # fmt: skip
    sketch.notes(
        note(f"all {count(len(cosines))} others", 1, 1, xref=f"x{suffix} domain",
             yref=f"y{suffix} domain", anchor="right", valign="top", colour=theme.ink3),
        note("√ of count", 1, 1, xref=f"x{suffix} domain", yref=f"y{suffix} domain",
             anchor="right", valign="top", shift=(0, -19), size=12.5, colour=theme.ink3),
    )  # fmt: skip


def _add_nearest(
    sketch: Sketch, side: Neighbourhood, axis: int, label: str, low: float, theme: Theme
) -> None:
    if not side.labels:
        return
    values = as_vector(side.nearest, "nearest")
    require_same_length(labels=side.labels, nearest=values)
    name = escaped(shortened(label, 16))
    refs = {"xref": f"x{axis}", "yref": f"y{axis}"}
    sketch.trace(
        bar(
            x=values, y=np.arange(len(values)), orientation="h", width=0.56, hoverinfo="text",
            marker={"color": theme.quantity}, name=side.title, xaxis=f"x{axis}", yaxis=f"y{axis}",
            hovertext=[
                f"“{escaped(other)}” has the cosine {number(value, 3)} with “{name}”"
                for other, value in zip(side.labels, values, strict=True)
            ],
        )
    )  # fmt: skip
    for row, (other, value) in enumerate(zip(side.labels, values, strict=True)):
        text = token_markup(shortened(other, 12), theme=theme)
        sketch.notes(
            note(text, min(0.0, float(value)), row, anchor="right", shift=(-8, 0), size=14,
                 colour=theme.ink, **refs),
            note(number(value), max(0.0, float(value)), row, shift=(7, 0), size=13.5,
                 colour=theme.ink2, **refs),
        )  # fmt: skip
