"""One block: its steps as rows with their vectors and lengths; LayerNorm in three pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, colour_bar, ground, heading, note
from tokenjourney.figures.export import Cell, Table
from tokenjourney.figures.matrices import Array, as_vector, symmetric_limit
from tokenjourney.figures.strips import strip_lines
from tokenjourney.figures.text import escaped, number, signed
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme

_LEFT, _RIGHT, _TOP, _BOTTOM = 236, 58, 42, 40
_STRIP, _PITCH = 40, 56
_BAR = (0.7, 1.0)


@dataclass(frozen=True, eq=False)
class StepRow:
    """A row of the walk.

    Attributes:
        name: What the step is.
        said: A second line, in words.
        values: (d,) the vector after it; NaN is drawn empty.
        kind: "stream" on the residual stream, "inner" for what a part sees, "added" for what it
            adds to the stream.
    """

    name: str
    said: str
    values: ArrayLike
    kind: Literal["stream", "inner", "added"] = "stream"


def steps_figure(
    *,
    rows: Sequence[StepRow],
    lengths: bool = True,
    joined: bool = True,
    one_scale: bool = True,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Vectors under each other as strips, each with its length as a bar.

    Args:
        rows: the steps, from the first down; vectors may differ in their number of dimensions.
        lengths: draw the bars.
        joined: draw the stream as a line along the rows of kind "stream".
        one_scale: all strips on one scale; else each on its own, whose end is written behind it.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: there is no row, or one holds no vector.
    """
    theme = as_theme(theme)
    if not rows:
        raise FigureError("There are no steps to draw: pass at least one row.")
    arrays = [as_vector(row.values, row.name) for row in rows]
    limits = [symmetric_limit(*(arrays if one_scale else [values])) for values in arrays]
    plot = _PITCH * len(rows)
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM,
                    margin=(_LEFT, _RIGHT if lengths else 10, _TOP, _BOTTOM), hoverdistance=20,
                    barmode="overlay", bargap=0)  # fmt: skip
    end = 0.62 if lengths else 1.0 if one_scale else 0.94
    for index, (row, values) in enumerate(zip(rows, arrays, strict=True)):
        _add_strip(sketch, row, values, index, limits[index], end, theme)
        if not one_scale:
            sketch.notes(note(f"±{number(limits[index], 1)}", end, index * _PITCH + _STRIP / 2,
                              yref="y", shift=(5, 0), size=12, colour=theme.ink3))  # fmt: skip
        _add_words(sketch, row, index, theme)
    if joined:
        _add_stream(sketch, rows, theme)
    sketch.notes(*heading("the vector", "", 0, 1, theme=theme, shift=(0, -12)))
    if lengths:
        sketch.notes(*heading("its length", "", _BAR[0], 1, theme=theme, shift=(0, -12)))
        _add_lengths(sketch, rows, arrays, theme)
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


def _add_strip(
    sketch: Sketch, row: StepRow, values: Array, index: int, limit: float, end: float, theme: Theme
) -> None:
    """The numbers in reading order, over several lines; each strip has an x axis of its own."""
    lines = strip_lines(len(values))
    wide = -(-len(values) // lines)
    cells = np.full(lines * wide, np.nan, np.float32)
    cells[: len(values)] = values
    top = index * _PITCH
    edges = np.linspace(top, top + _STRIP, lines + 1)
    texts = [f"{d} of {len(values)}: {_value(v)}" for d, v in enumerate(values)]
    texts += [""] * (lines * wide - len(values))
    suffix = str(index + 2)
    sketch.trace(
        go.Heatmap(
            z=cells.reshape(lines, wide), y=edges, x=np.arange(wide + 1), zmin=-limit, zmax=limit,
            colorscale=theme.div_scale, showscale=False, name=escaped(row.name), xaxis=f"x{suffix}",
            text=[texts[i : i + wide] for i in range(0, lines * wide, wide)], hoverongaps=False,
            meta=[escaped(row.name)],
            hovertemplate="%{meta[0]}, dimension %{text}<extra></extra>",
        )
    )  # fmt: skip
    sketch.layout(
        **{f"xaxis{suffix}": {"domain": [0, end], "range": [0, wide], "anchor": "y", **NO_TICKS}},
        yaxis={"range": [_PITCH * (index + 1) - (_PITCH - _STRIP) / 2, -4], **NO_TICKS},
    )


def _value(value: float) -> str:
    return "zeroed" if np.isnan(value) else signed(float(value), 3)


def _add_words(sketch: Sketch, row: StepRow, index: int, theme: Theme) -> None:
    indent = 30 if row.kind == "stream" else 46
    middle = index * _PITCH + _STRIP / 2
    colour = theme.ink if row.kind == "stream" else theme.ink2
    place: dict[str, Any] = {"yref": "y", "anchor": "left"}
    sketch.notes(
        note(f"<b>{escaped(row.name)}</b>", 0, middle, shift=(indent - _LEFT, 9), size=14.5,
             colour=colour, **place),
        note(escaped(row.said), 0, middle, shift=(indent - _LEFT, -9), size=12.5,
             colour=theme.ink3, **place),
    )  # fmt: skip


def _add_stream(sketch: Sketch, rows: Sequence[StepRow], theme: Theme) -> None:
    """The residual stream as a line: a dot where it begins, a + where something is added."""
    on = [index for index, row in enumerate(rows) if row.kind == "stream"]
    if len(on) < 2:
        return
    place: dict[str, Any] = {"xref": "paper", "yref": "y", "xsizemode": "pixel", "xanchor": 0}
    middle = [index * _PITCH + _STRIP / 2 for index in on]
    sketch.shapes(ground(14 - _LEFT, 18 - _LEFT, middle[0], middle[-1], theme.accent, **place))
    for index, y in zip(on, middle, strict=True):
        is_sum = index > 0 and rows[index - 1].kind == "added"
        box: dict[str, Any] = {"bgcolor": theme.accent, "borderpad": 1, "width": 15, "height": 17}
        sketch.notes(
            note("<b>+</b>" if is_sum else "<b>●</b>", 0, y, yref="y", anchor="center",
                 shift=(16 - _LEFT, 0), size=15 if is_sum else 17,
                 colour=theme.on_accent if is_sum else theme.accent, **(box if is_sum else {}))
        )  # fmt: skip


def _add_lengths(
    sketch: Sketch, rows: Sequence[StepRow], arrays: Sequence[Array], theme: Theme
) -> None:
    sizes = [float(np.linalg.norm(values[np.isfinite(values)])) for values in arrays]
    colours = {"stream": theme.accent, "added": theme.quantity, "inner": theme.curve}
    middle = np.arange(len(rows)) * _PITCH + _STRIP / 2
    sketch.trace(
        go.Bar(
            x=sizes, y=middle, orientation="h", width=16, name="length", hoverinfo="text",
            marker={"color": [colours[row.kind] for row in rows]},
            hovertext=[f"{escaped(row.name)}: length {number(size)}"
                       for row, size in zip(rows, sizes, strict=True)],
        )
    )  # fmt: skip
    sketch.notes(
        *(note(f"<b>{number(size)}</b>" if row.kind == "stream" else number(size), size, y,
               xref="x", yref="y", shift=(8, 0), size=13.5,
               colour=theme.accent if row.kind == "stream" else theme.ink2)
          for row, size, y in zip(rows, sizes, middle, strict=True))
    )  # fmt: skip
    sketch.layout(
        xaxis={"domain": list(_BAR), "range": [0, max(*sizes, 1e-6)], "anchor": "y",
               "showticklabels": False, "ticks": "", "showgrid": False,
               "zerolinecolor": theme.curve}
    )  # fmt: skip
