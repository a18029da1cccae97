"""Where a token stands: position vectors, how alike they are, and one word in two places."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar
from tokenjourney.figures.drawing import Sketch, heading, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import (
    Array,
    as_matrix,
    as_vector,
    downsampled,
    require_same_length,
    symmetric_limit,
)
from tokenjourney.figures.png import enlarged, png_uri, quantised
from tokenjourney.figures.text import count, escaped, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import heatmap, scatter

_MOST_CELLS = 400_000
_PLOT = 330
_TOP, _BOTTOM, _LEFT = 52, 96, 62


def position_pictures_figure(
    *,
    panels: Sequence[tuple[str, str, ArrayLike]],
    tokens: int = 0,
    followed: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Matrices of position vectors as pictures side by side: positions down, dimensions across.

    Each has its own scale around 0. A row tells its length and where it is strongest. What was
    merged to draw a large one is said in `layout.meta["caption"]`.

    Args:
        panels: for each its title, its second line, and its (n_positions, d_model) numbers.
        tokens: the first so many rows, which the prompt uses, are marked at the left edge.
        followed: the row with the accent.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    arrays = [as_matrix(values, title) for title, _, values in panels]
    small = [downsampled(values, _MOST_CELLS) for values in arrays]
    said = " ".join(dict.fromkeys(s.statement for s in small if s.statement))
    sketch = Sketch(theme, height=_TOP + _PLOT + _BOTTOM, margin=(_LEFT, 56, _TOP, _BOTTOM),
                    caption=said)  # fmt: skip
    gap = 0.15  # room for the followed position, and for the numbers of the next axis
    width = (1 - gap * (len(panels) - 1)) / len(panels)
    for index, ((title, subtitle, _), values) in enumerate(zip(panels, arrays, strict=True)):
        left = index * (width + gap)
        limit = symmetric_limit(values)
        sketch.notes(*heading(escaped(title), escaped(subtitle), left, 1, theme=theme))
        _add_picture(sketch, values, small[index].values, index, limit, theme)
        colour_bar(sketch, low=-limit, high=limit, x=left, length=min(width, 0.3), below_px=52,
                   plot_px=_PLOT, theme=theme, is_signed=True)  # fmt: skip
        rows, columns = values.shape
        suffix = str(index + 1) if index else ""
        plain: dict[str, Any] = {"showgrid": False, "zeroline": False, "ticks": "", "nticks": 7}
        sketch.layout(
            **{
                f"xaxis{suffix}": {
                    "domain": [left, left + width], "anchor": f"y{suffix}",
                    "range": [-0.5, columns - 0.5],
                    "title": {"text": "dimension", "standoff": 4}, **plain,
                },
                f"yaxis{suffix}": {
                    "anchor": f"x{suffix}", "range": [rows - 0.5, -0.5],
                    "title": {"text": "" if index else "position"}, **plain,
                },
            }
        )  # fmt: skip
        refs = {"xref": f"x{suffix}", "yref": f"y{suffix}"}
        if tokens:
            sketch.shapes(
                outline(-0.5, columns - 0.5, -0.5, min(tokens, rows) - 0.5, theme.ink, width=1.5)
                | refs
            )
        if followed is not None and followed < rows:
            sketch.notes(
                note(f"◀ <b>{count(followed)}</b>", left + width, followed, yref=refs["yref"],
                     shift=(1, 0), colour=theme.accent, name="followed")
            )  # fmt: skip
    return sketch.figure()


def distance_figure(
    *, curves: Sequence[tuple[str, ArrayLike, ArrayLike, ArrayLike]], theme: Theme | str = LIGHT
) -> go.Figure:
    """How alike two positions are by how far apart they stand: mean, and the range around it.

    Args:
        curves: for each its name, and (n,) mean, smallest and largest cosine 0, 1, 2 … apart.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    sketch = Sketch(theme, height=340, margin=(64, 16, 12, 52), hoverdistance=30)
    least = 0.0
    styles = ((theme.quantity, "solid"), (theme.curve, "dash"))
    for row, ((name, *parts), (colour, dash)) in enumerate(zip(curves, styles, strict=False)):
        mean, low, high = (as_vector(part, name) for part in parts)
        require_same_length(mean=mean, low=low, high=high)
        x = np.arange(len(mean), dtype=np.float32)
        sketch.trace(
            scatter(
                x=np.append(x, x[::-1]), y=np.append(high, low[::-1]), mode="lines",
                line={"width": 0}, fill="toself", fillcolor=theme.faded(colour, 0.14),
                hoverinfo="skip", name=f"{escaped(name)}: smallest to largest",
            ),
            scatter(
                x=x, y=mean, mode="lines", line={"color": colour, "width": 2.5, "dash": dash},
                hovertext=[f"{escaped(name)}: {int(d)} apart, cosine {number(m)} "
                           f"({number(a)} to {number(b)})"
                           for d, m, a, b in zip(x, mean, low, high, strict=True)],
                hoverinfo="text", name=escaped(name),
            ),
        )  # fmt: skip
        sign = "━" if dash == "solid" else "╍"
        sketch.notes(
            note(f'<span style="color:{colour}"><b>{sign}</b></span> {escaped(name)}', 1, 1,
                 anchor="right", valign="top", shift=(0, -20 * row), colour=theme.ink)
        )  # fmt: skip
        least = min(least, float(low.min()))
    sketch.layout(
        xaxis={"title": {"text": "positions apart"}, "zeroline": False, "showgrid": False,
               "rangemode": "tozero"},
        yaxis={"title": {"text": "cosine of the two vectors"}, "range": [least - 0.05, 1.05],
               "nticks": 6},
    )  # fmt: skip
    return sketch.figure()


def two_places_figure(
    *,
    cosines: ArrayLike,
    stations: Sequence[str],
    labels: tuple[str, str],
    axis: str = "after block",
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """One word in two places: how alike its two vectors are at each station on the way up.

    Args:
        cosines: (n,) the cosine of the two vectors at each station.
        stations: their names, such as "token", "sum", "0", "1".
        labels: the two tokens, with their positions.
        axis: what the stations are, for the axis title.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    values = as_vector(cosines, "cosines")
    require_same_length(cosines=values, stations=stations)
    one, other = (escaped(label) for label in labels)
    last = len(values) - 1
    sketch = Sketch(theme, height=330, margin=(60, 24, 20, 56), hoverdistance=40)
    sketch.trace(
        scatter(
            x=np.arange(len(values)), y=values, mode="lines+markers", cliponaxis=False,
            line={"color": theme.accent, "width": 2.5}, name="cosine",
            marker={"size": 11, "color": theme.bg, "line": {"width": 2.5, "color": theme.accent}},
            hovertext=[f"“{one}” and “{other}”, {escaped(station)}: cosine {number(value)}"
                       for station, value in zip(stations, values, strict=True)],
            hoverinfo="text",
        )
    )  # fmt: skip
    for place in dict.fromkeys((0, min(1, last), last)):
        above = place == 0 or values[place] >= values[place - 1]
        sketch.notes(
            note(f"<b>{number(float(values[place]))}</b>", place, float(values[place]), xref="x",
                 yref="y", anchor="center", shift=(0, 17 if above else -17), colour=theme.ink)
        )  # fmt: skip
    sketch.layout(
        xaxis={"tickmode": "array", "tickvals": list(range(len(values))),
               "ticktext": [escaped(s) for s in stations], "title": {"text": axis},
               "range": [-0.4, last + 0.4], "showgrid": False, "zeroline": False, "tickangle": 0},
        yaxis={"range": [min(0.0, float(values.min())) - 0.08, 1.1],
               "title": {"text": "cosine"}, "nticks": 6},
    )  # fmt: skip
    return sketch.figure()


def positions_table(*, positions: ArrayLike, name: str = "W_pos") -> Table:
    """Every number of the position vectors: one row per position, one column per dimension."""
    matrix = as_matrix(positions, name)
    columns = ["position", *(f"dimension {i}" for i in range(matrix.shape[1]))]
    return columns, [(row, *values) for row, values in enumerate(matrix.tolist())]


def _add_picture(
    sketch: Sketch, values: Array, small: Array, index: int, limit: float, theme: Theme
) -> None:
    """All numbers as a picture, and over it the rows as cells that say what is in them."""
    rows, columns = values.shape
    if not rows or not columns:
        raise FigureError("A picture needs at least one position and one dimension.")
    suffix = str(index + 1) if index else ""
    known = values[np.isfinite(values).all(axis=1)]
    strongest = np.sort(np.argsort(-np.abs(known), axis=1, kind="stable")[:, :3], axis=1)
    sketch.trace(
        heatmap(
            z=np.linalg.norm(known, axis=1)[:, None], x=[-0.5, columns - 0.5],
            text=[[", ".join(map(str, some))] for some in strongest.tolist()], opacity=0,
            colorscale=theme.div_scale, showscale=False, zhoverformat=".2f",
            hovertemplate="position %{y}: length %{z}, strongest dimensions %{text}"
            "<extra></extra>",
            name="position vectors", xaxis=f"x{suffix}", yaxis=f"y{suffix}",
        )
    )  # fmt: skip
    picture = quantised(small, -limit, limit)
    times = max(1, 700 // max(picture.shape))
    sketch.image(
        source=png_uri(enlarged(picture, times), theme.div), xref=f"x{suffix}",
        yref=f"y{suffix}", x=-0.5, y=-0.5, sizex=columns, sizey=rows, layer="below",
    )  # fmt: skip
