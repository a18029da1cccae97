"""The embedding as a lookup: one row of W_E, lit up among its neighbours in the list."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, require_same_length, symmetric_limit
from tokenjourney.figures.strips import strip_lines
from tokenjourney.figures.text import count, escaped, number, shortened, signed, token_markup
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import heatmap, scatter

_TOP, _BOTTOM, _LEFT, _RIGHT, _ROW = 54, 62, 96, 12, 22
_LIST = (0.0, 0.045)
_ROWS = (0.205, 0.63)
_STRIP = (0.67, 1.0)


def lookup_figure(
    rows: ArrayLike,
    *,
    first: int,
    chosen: int,
    labels: Sequence[str],
    d_vocab: int,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Where a token's row stands in W_E, the rows around it, and its numbers in reading order.

    Left the whole list of d_vocab rows with the place of this one, in the middle a stretch of it
    with one column per number, right the numbers of the row, line by line. All share one scale.

    Args:
        rows: (n, d_model), consecutive rows of W_E.
        first: The token ID of the first of them.
        chosen: The token ID that is looked up, one of them.
        labels: The visible texts of the n tokens.
        d_vocab: How many rows W_E has.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: as many labels as rows are needed, and the chosen one must be among them.
    """
    theme, values = as_theme(theme), as_matrix(rows, "rows")
    require_same_length(rows=values, labels=labels)
    index = chosen - first
    if not (0 <= index < len(values) and first >= 0 and first + len(values) <= d_vocab):
        raise FigureError(
            f"The rows {first} to {first + len(values) - 1} of {d_vocab} must hold row {chosen}."
        )
    height = max(len(values), 9) * _ROW
    sketch = Sketch(
        theme, height=_TOP + height + _BOTTOM, margin=(_LEFT, _RIGHT, _TOP, _BOTTOM),
        caption="One row per token of the vocabulary, one column per number.",
    )  # fmt: skip
    limit = symmetric_limit(values)
    _add_list(sketch, first, chosen, len(values), d_vocab, theme)
    _add_rows(sketch, values, first, index, labels, limit, theme)
    _add_strip(sketch, values[index], labels[index], limit, theme)
    colour_bar(sketch, low=-limit, high=limit, x=_ROWS[0], length=_ROWS[1] - _ROWS[0],
               below_px=14, plot_px=height, theme=theme, is_signed=True)  # fmt: skip
    return sketch.figure()


def lookup_table(row: ArrayLike, *, token_id: int, label: str) -> Table:
    """The numbers of one row of W_E, in order."""
    numbers = np.asarray(row, np.float32).ravel()
    rows = [(token_id, label, dimension, float(x)) for dimension, x in enumerate(numbers)]
    return ["ID", "token", "dimension", "value"], list(rows)


def _add_list(
    sketch: Sketch, first: int, chosen: int, n_rows: int, d_vocab: int, theme: Theme
) -> None:
    """The whole list as one column: where among all rows this one stands."""
    sketch.layout(
        xaxis={"domain": list(_LIST), "range": [0, 1], **NO_TICKS},
        yaxis={"range": [d_vocab - 0.5, -0.5], "anchor": "x", **NO_TICKS},
    )
    sketch.notes(
        *heading(
            "W<sub>E</sub>", f"{count(d_vocab)} rows", 0, 1, theme=theme, shift=(-_LEFT + 8, 0)
        )
    )
    sketch.shapes(
        ground(0, 1, -0.5, d_vocab - 0.5, theme.surface) | {
            "line": {"color": theme.line, "width": 1}},
        ground(0, 1, first - 0.5, first + n_rows - 0.5, theme.track),
        {"type": "line", "xref": "x", "yref": "y", "x0": -0.25, "x1": 1.25, "y0": chosen,
         "y1": chosen, "line": {"color": theme.accent, "width": 4}, "layer": "above"},
    )  # fmt: skip
    label = f"row {chosen}"
    nudge = -8 if chosen < d_vocab * 0.04 else 8 if chosen > d_vocab * 0.96 else 0
    sketch.trace(
        scatter(
            x=[0.5], y=[chosen], mode="none",
            hovertemplate=f"{label} of {count(d_vocab)}<extra></extra>", name="place in the list",
        )
    )  # fmt: skip
    for row in (0, d_vocab - 1):
        if abs(row - chosen) > d_vocab * 0.12:
            sketch.notes(
                note(f"row {row}", 0, row, xref="x", yref="y", anchor="right",
                     shift=(-8, -8 if row == 0 else 8), colour=theme.ink3)
            )  # fmt: skip
    sketch.notes(
        note(f"<b>{label}</b>", 0, chosen, xref="x", yref="y", anchor="right", shift=(-8, nudge),
             colour=theme.accent, size=14)
    )  # fmt: skip
    height = max(n_rows, 9)
    for end, edge in ((-0.5, first - 0.5), (n_rows - 0.5, first + n_rows - 0.5)):
        sketch.shapes(
            {"type": "line", "xref": "paper", "yref": "paper", "layer": "below",
             "x0": _LIST[1], "x1": _ROWS[0] - 0.14, "y0": 1 - (edge + 0.5) / d_vocab,
             "y1": 1 - (end + 0.5) / height, "line": {"color": theme.track, "width": 1}}
        )  # fmt: skip


def _add_rows(
    sketch: Sketch, values: Array, first: int, index: int, labels: Sequence[str], limit: float,
    theme: Theme,
) -> None:  # fmt: skip
    """The stretch of the list around the row, one heatmap column per number."""
    n_rows, width = values.shape
    names = [f"{first + i}: {escaped(shortened(label, 16))}" for i, label in enumerate(labels)]
    sketch.layout(
        xaxis2={"domain": list(_ROWS), "range": [-0.5, width - 0.5], "anchor": "y2", **NO_TICKS},
        yaxis2={
            "range": [max(n_rows, 9) - 0.5, -0.5], "anchor": "x2", "tickmode": "array",
            "tickvals": list(range(n_rows)), "ticktext": names, **NO_TICKS,
        },
    )  # fmt: skip
    title = "Rows around it" if n_rows > 1 else "Its row"
    sketch.notes(
        *heading(title, f"{count(width)} numbers each: d<sub>model</sub>", _ROWS[0], 1, theme=theme)
    )
    sketch.trace(
        heatmap(
            z=values, zmin=-limit, zmax=limit, colorscale=theme.div_scale, showscale=False,
            hovertemplate="row %{y}, dimension %{x}: %{z}<extra></extra>", zhoverformat=".3f",
            xaxis="x2", yaxis="y2", name="rows of W_E",
        )
    )  # fmt: skip
    there = np.isfinite(values)
    sketch.shapes(
        gaps(there, theme, width=3, along="y", xref="x2", yref="y2"),
        outline(-0.5, width - 0.5, index - 0.5, index + 0.5, theme.accent, xref="x2", yref="y2",
                width=2.5)
    )  # fmt: skip
    for row, label in enumerate(labels):
        is_chosen = row == index
        text = token_markup(shortened(label, 9), followed=is_chosen, theme=theme)
        text = f"{text}  {first + row}"
        sketch.notes(
            note(text, _ROWS[0], row, yref="y2", anchor="right", shift=(-8, 0),
                 colour=theme.ink if is_chosen else theme.ink3)
        )  # fmt: skip


def _add_strip(sketch: Sketch, row: Array, label: str, limit: float, theme: Theme) -> None:
    """The row's numbers in reading order, line by line, each explained on hover."""
    lines = strip_lines(len(row))
    across = -(-len(row) // lines)
    cells = np.full(lines * across, np.nan, np.float32)
    cells[: len(row)] = row
    grid = cells.reshape(lines, across)
    dimension = np.arange(lines * across, dtype=np.int16).reshape(lines, across)
    name = escaped(shortened(label, 16))
    sketch.layout(
        xaxis3={"domain": list(_STRIP), "range": [-0.5, across - 0.5], "anchor": "y3", **NO_TICKS},
        yaxis3={"domain": [0.34, 1], "range": [lines - 0.5, -0.5], "anchor": "x3", **NO_TICKS},
    )
    sketch.notes(
        *heading(
            f"The vector of {token_markup(shortened(label, 12), followed=True, theme=theme)}",
            f"the same row, in {lines} lines of {across}",
            _STRIP[0],
            1,
            theme=theme,
        )
    )
    sketch.trace(
        heatmap(
            z=grid, zmin=-limit, zmax=limit, colorscale=theme.div_scale, showscale=False,
            customdata=dimension,
            hovertemplate=f"“{name}”, dimension %{{customdata}} of {len(row)}: %{{z}}"
            "<extra></extra>",
            zhoverformat=".3f", hoverongaps=False, xaxis="x3", yaxis="y3", name="vector",
        )
    )  # fmt: skip
    there = np.isfinite(grid)
    place: dict[str, Any] = {"xref": "x3", "yref": "y3"}
    if across <= 48:
        sketch.shapes(gaps(there, theme, along="x", **place))
    sketch.shapes(
        gaps(there, theme, width=2, along="y", **place),
        outline(-0.5, across - 0.5, -0.5, lines - 0.5, theme.accent, xref="x3", yref="y3"),
    )
    strongest = np.argsort(-np.abs(row), kind="stable")[:2]
    said = ", ".join(f"{signed(float(row[i]), 3)} ({i})" for i in strongest)
    begins = ", ".join(signed(float(x), 3) for x in row[:3])
    length = number(float(np.linalg.norm(row)))
    for line, text in enumerate(
        (f"begins {begins} …", f"strongest {said}", f"length {length}: √ of the sum of squares")
    ):
        sketch.notes(
            note(text, _STRIP[0], 0.34, valign="top", shift=(0, -10 - 21 * line),
                 colour=theme.ink2)
        )  # fmt: skip
