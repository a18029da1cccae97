"""One block: its steps as rows with their vectors and lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar
from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, note
from tokenjourney.figures.export import Cell, Table
from tokenjourney.figures.matrices import Array, as_vector, symmetric_limit
from tokenjourney.figures.strips import strip_lines
from tokenjourney.figures.text import escaped, number, signed, small
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import bar, heatmap

_LEFT, _RIGHT, _TOP, _BOTTOM = 236, 58, 42, 40
_STRIP, _PITCH, _THIN = 40, 56, 34  # pixels of a strip, of its row, of a row without one
_AHEAD = 0.16  # opacity of what is still to come
_BAR = (0.7, 1.0)


@dataclass(frozen=True, eq=False)
class StepRow:
    """A row of the walk.

    Attributes:
        name: What the step is.
        said: A second line, in words.
        values: (d,) the vector after it; NaN is drawn empty.
        kind: "stream" on the residual stream, "inner" for what a part sees, "added" for what it
            adds to the stream, "passes" for a step that changes nothing and is drawn as a line of
            text.
    """

    name: str
    said: str
    values: ArrayLike
    kind: Literal["stream", "inner", "added", "passes"] = "stream"

    @property
    def height(self) -> int:
        """Pixels that the row takes."""
        return _THIN if self.kind == "passes" else _PITCH


def steps_figure(
    *,
    rows: Sequence[StepRow],
    lengths: bool = True,
    joined: bool = True,
    one_scale: bool = True,
    at: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Vectors under each other as strips, each with its length as a bar.

    Args:
        rows: the steps, from the first down; vectors may differ in their number of dimensions.
        lengths: draw the bars.
        joined: draw the stream as a line along the rows of kind "stream".
        one_scale: all strips on one scale; else each on its own, whose end is written behind it.
        at: the step that has been reached, which gets a ground; those after it are faint.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: there is no row, or one holds no vector.
    """
    theme = as_theme(theme)
    if not rows:
        raise FigureError("There are no steps to draw: pass at least one row.")
    arrays = [as_vector(row.values, row.name) for row in rows]
    limits = [symmetric_limit(*(arrays if one_scale else [values])) for values in arrays]
    tops = [sum(row.height for row in rows[:index]) for index in range(len(rows))]
    plot = tops[-1] + rows[-1].height
    seen = [1.0 if at is None or index <= at else _AHEAD for index in range(len(rows))]
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM,
                    margin=(_LEFT, _RIGHT if lengths else 10, _TOP, _BOTTOM), hoverdistance=20,
                    barmode="overlay", bargap=0)  # fmt: skip
    sketch.layout(yaxis={"range": [plot - (_PITCH - _STRIP) / 2, -4], **NO_TICKS})
    end = 0.62 if lengths else 1.0 if one_scale else 0.94
    if at is not None:
        _add_ground(sketch, tops[at], rows[at].height, theme)
    for index, (row, values) in enumerate(zip(rows, arrays, strict=True)):
        drawn: dict[str, Any] = {"opacity": seen[index]}
        _add_words(sketch, row, tops[index], theme, drawn)
        if row.kind == "passes":
            continue
        _add_strip(sketch, row, values, tops[index], limits[index], theme, drawn)
        if not one_scale:
            limit = limits[index]
            end_of_scale = number(limit, 1) if limit >= 0.1 else small(limit)
            sketch.notes(note(f"±{end_of_scale}", end, tops[index] + _STRIP / 2,
                              yref="y", shift=(5, 0), size=12, colour=theme.ink3,
                              **drawn))  # fmt: skip
    sketch.layout(xaxis2={"domain": [0, end], "range": [0, 1], "anchor": "y", **NO_TICKS})
    if joined:
        _add_stream(sketch, rows, tops, seen, theme)
    sketch.notes(*heading("the vector", "", 0, 1, theme=theme, shift=(0, -12)))
    if lengths:
        sketch.notes(*heading("its length", "", _BAR[0], 1, theme=theme, shift=(0, -12)))
        _add_lengths(sketch, rows, arrays, tops, seen, theme)
    if one_scale:
        colour_bar(sketch, low=-limits[0], high=limits[0], x=0, length=0.3, below_px=6,
                   plot_px=plot, theme=theme, is_signed=True)  # fmt: skip
    return sketch.figure()


def steps_table(rows: Sequence[StepRow]) -> Table:
    """One row per step: its length, mean, variance, least and largest number."""
    found: list[tuple[Cell, ...]] = []
    for row in rows:
        values = as_vector(row.values, row.name).astype(np.float64)
        values = values[np.isfinite(values)]
        found.append(
            (row.name, len(values), float(np.linalg.norm(values)), float(values.mean()),
             float(values.var()), float(values.min()), float(values.max()))
        )  # fmt: skip
    return ["step", "numbers", "length", "mean", "variance", "least", "largest"], found


def _add_ground(sketch: Sketch, top: float, height: int, theme: Theme) -> None:
    """The ground of a row, from edge to edge of the figure."""
    place: dict[str, Any] = {"xref": "paper", "yref": "y", "xsizemode": "pixel"}
    edges = (top - 6, top + height - 10)
    sketch.shapes(
        ground(0, 1, *edges, theme.accent_soft, xref="paper"),
        ground(4 - _LEFT, 0, *edges, theme.accent_soft, xanchor=0, **place),
        ground(0, _RIGHT, *edges, theme.accent_soft, xanchor=1, **place),
    )


def _add_strip(
    sketch: Sketch,
    row: StepRow,
    values: Array,
    top: float,
    limit: float,
    theme: Theme,
    drawn: dict[str, Any],
) -> None:
    """The numbers in reading order, over several lines; every strip fills the second x axis."""
    lines = strip_lines(len(values))
    wide = -(-len(values) // lines)
    cells = np.full(lines * wide, np.nan, np.float32)
    cells[: len(values)] = values
    edges = np.linspace(top, top + _STRIP, lines + 1)
    texts = [f"{d} of {len(values)}: {_value(v)}" for d, v in enumerate(values)]
    texts += [""] * (lines * wide - len(values))
    sketch.trace(
        heatmap(
            z=cells.reshape(lines, wide), y=edges, x=np.linspace(0, 1, wide + 1), xaxis="x2",
            zmin=-limit, zmax=limit, colorscale=theme.div_scale, showscale=False,
            name=escaped(row.name),
            text=[texts[i : i + wide] for i in range(0, lines * wide, wide)], hoverongaps=False,
            meta=[escaped(row.name)],
            hovertemplate="%{meta[0]}, dimension %{text}<extra></extra>", **drawn,
        )
    )  # fmt: skip


def _value(value: float) -> str:
    return "zeroed" if np.isnan(value) else signed(float(value), 3)


def _add_words(
    sketch: Sketch, row: StepRow, top: float, theme: Theme, drawn: dict[str, Any]
) -> None:
    indent = 30 if row.kind == "stream" else 46
    colour = theme.ink if row.kind == "stream" else theme.ink2
    name = f"<b>{escaped(row.name)}</b>"
    place: dict[str, Any] = {"yref": "y", "anchor": "left", **drawn}
    if row.kind == "passes":
        middle = top + (_THIN - 16) / 2
        sketch.notes(
            note(name, 0, middle, shift=(indent - _LEFT, 0), size=14.5, colour=colour, **place),
            note(escaped(row.said), 0, middle, size=13, colour=theme.ink3, **place),
        )
        return
    middle = top + _STRIP / 2
    sketch.notes(
        note(name, 0, middle, shift=(indent - _LEFT, 9), size=14.5, colour=colour, **place),
        note(escaped(row.said), 0, middle, shift=(indent - _LEFT, -9), size=12.5,
             colour=theme.ink3, **place),
    )  # fmt: skip


def _add_stream(
    sketch: Sketch,
    rows: Sequence[StepRow],
    tops: Sequence[float],
    seen: Sequence[float],
    theme: Theme,
) -> None:
    """The residual stream as a line: a dot where it begins, a + where something is added."""
    on = [index for index, row in enumerate(rows) if row.kind == "stream"]
    if len(on) < 2:
        return
    place: dict[str, Any] = {"xref": "paper", "yref": "y", "xsizemode": "pixel", "xanchor": 0}
    middle = {index: tops[index] + _STRIP / 2 for index in on}
    for start, end in pairwise(on):
        sketch.shapes(ground(14 - _LEFT, 18 - _LEFT, middle[start], middle[end], theme.accent,
                             opacity=seen[end], **place))  # fmt: skip
    for index in on:
        is_sum = any(row.kind == "added" for row in rows[:index])
        box: dict[str, Any] = {"bgcolor": theme.accent, "borderpad": 1, "width": 15, "height": 17}
        sketch.notes(
            note("<b>+</b>" if is_sum else "<b>●</b>", 0, middle[index], yref="y", anchor="center",
                 shift=(16 - _LEFT, 0), size=15 if is_sum else 17, opacity=seen[index],
                 colour=theme.on_accent if is_sum else theme.accent, **(box if is_sum else {}))
        )  # fmt: skip


def _add_lengths(
    sketch: Sketch,
    rows: Sequence[StepRow],
    arrays: Sequence[Array],
    tops: Sequence[float],
    seen: Sequence[float],
    theme: Theme,
) -> None:
    colours = {"stream": theme.accent, "added": theme.quantity, "inner": theme.curve}
    found = [
        (row, float(np.linalg.norm(values[np.isfinite(values)])), top + _STRIP / 2, opacity)
        for row, values, top, opacity in zip(rows, arrays, tops, seen, strict=True)
        if row.kind != "passes"
    ]
    sizes = [size for _, size, _, _ in found]
    sketch.trace(
        bar(
            x=sizes, y=[middle for _, _, middle, _ in found], orientation="h", width=16,
            name="length", hoverinfo="text",
            marker={"color": [colours[row.kind] for row, _, _, _ in found],
                    "opacity": [opacity for _, _, _, opacity in found]},
            hovertext=[f"{escaped(row.name)}: length {number(size)}" for row, size, _, _ in found],
        )
    )  # fmt: skip
    sketch.notes(
        *(note(f"<b>{number(size)}</b>" if row.kind == "stream" else number(size), size, middle,
               xref="x", yref="y", shift=(8, 0), size=13.5, opacity=opacity,
               colour=theme.accent if row.kind == "stream" else theme.ink2)
          for row, size, middle, opacity in found)
    )  # fmt: skip
    sketch.layout(
        xaxis={"domain": list(_BAR), "range": [0, max(*sizes, 1e-6)], "anchor": "y",
               "showticklabels": False, "ticks": "", "showgrid": False,
               "zerolinecolor": theme.curve}
    )  # fmt: skip
