"""How tokens lie to each other: cosines of all pairs, and a flat map with their neighbours."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cell_texts, cells_to_click, colour_bar, gaps
from tokenjourney.figures.drawing import Sketch, note, outline
from tokenjourney.figures.matrices import Array, as_matrix, require_same_length
from tokenjourney.figures.png import enlarged, png_uri, quantised
from tokenjourney.figures.text import distinct_labels, escaped, number, share, shortened
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, row_label, tick_texts
from tokenjourney.figures.written import heatmap, scatter

_MOST_CELLS = 48 * 48
_NUMBER_WIDE = 34  # pixels that “−0.28” takes, with some air
_LEFT, _RIGHT, _TOP, _BOTTOM = 104, 12, 8, 110
# Pixels of a map as wide as a page, for judging which labels would collide.
_MOST_ALWAYS_NAMED = 24
_MAP_WIDE, _MAP_TALL = 780.0, 460.0
_PLACES = {
    "middle right": (1, 0), "middle left": (-1, 0), "top center": (0, -1), "bottom center": (0, 1),
    "top right": (1, -1), "bottom right": (1, 1), "top left": (-1, -1), "bottom left": (-1, 1),
}  # fmt: skip
_MOST_HIGH = 432  # pixels for all rows: more rows are drawn smaller


def similarity_figure(
    *,
    cosines: ArrayLike,
    labels: Sequence[str],
    followed: int | None = None,
    distinct: bool = True,
    wide: float = 820,
    axis: str = "",
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The cosine of every pair of vectors, from −1 (opposite) to 1 (the same direction).

    The trace "cells…" holds invisible squares: a click reports column and row as x and y.

    Args:
        cosines: (n, n) cosines.
        labels: what the n vectors are, such as token texts.
        followed: the row and column with the accent.
        distinct: give a text that occurs twice its position as subscript.
        wide: about how many pixels wide the figure will stand; numbers are written into cells
            that have room for them.
        axis: what the vectors are, along both axes, where their labels do not say so.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: a matrix of another shape.
    """
    theme = as_theme(theme)
    values, size = as_matrix(cosines, "cosines"), len(labels)
    if values.shape != (size, size):
        raise FigureError(
            f"The cosines have the shape {values.shape}, but there are {size} labels: "
            f"expected ({size}, {size})."
        )
    names = distinct_labels(labels) if distinct else list(labels)
    cell = min(34.0, _MOST_HIGH / size)
    plot = max(cell * size, 60)
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(_LEFT, _RIGHT, _TOP, _BOTTOM),
                    hoverdistance=60)  # fmt: skip
    roomy = (wide - _LEFT - _RIGHT) / size >= _NUMBER_WIDE
    _add_cosines(sketch, values, cell, roomy, theme)
    every = [] if followed is None else [followed]
    for place in labelled_positions(size, max(2, int(plot / 17)), every):
        text = row_label(names[place], followed=place == followed, theme=theme, length=12)
        sketch.notes(note(text, 0, place, yref="y", anchor="right", shift=(-8, 0)))
    shown = set(labelled_positions(size, 20, every))
    texts = tick_texts(names, strong=followed)
    edge = [-0.5, size - 0.5]
    plain: dict[str, Any] = {"tickmode": "array", "tickvals": list(range(size)), "ticks": "",
                             "showgrid": False, "zeroline": False}  # fmt: skip
    sketch.layout(
        xaxis={"range": edge, "ticktext": [t if i in shown else "" for i, t in enumerate(texts)],
               "tickangle": -45, "title": {"text": axis, "standoff": 2}, **plain},
        yaxis={"range": edge[::-1], "ticktext": tick_texts(names), "showticklabels": False,
               "title": {"text": axis, "standoff": 52}, **plain},
    )  # fmt: skip
    if followed is not None:
        thin = 2 if size <= 64 else 1
        band = (followed - 0.5, followed + 0.5)
        sketch.shapes(
            outline(edge[0], edge[1], band[0], band[1], theme.accent, width=thin),
            outline(band[0], band[1], edge[0], edge[1], theme.accent, width=thin),
        )
    sketch.notes(note("cosine", 0, 0, anchor="right", valign="top", shift=(-10, -72)))
    colour_bar(sketch, low=-1, high=1, x=0, length=0.5, below_px=76, plot_px=plot, theme=theme,
               is_signed=True)  # fmt: skip
    return sketch.figure()


def map_figure(
    *,
    points: ArrayLike,
    labels: Sequence[str],
    groups: Sequence[int],
    followed: int | None = None,
    shares: Sequence[float] = (),
    click: Sequence[int] | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Vectors as points on a flat map: the prompt's own tokens large, their neighbours small.

    Labels that would cover another are left out; hovering names every point.

    Args:
        points: (n, 2) places on the map, the prompt's tokens among them.
        labels: what the points are.
        groups: for each point 0 if it is a token of the prompt, 1 if it is a neighbour.
        followed: the point with the accent.
        shares: the share of the variance that each of the two directions shows.
        click: what each point reports as `customdata`, such as its token ID.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: points, labels and groups differ in number.
    """
    theme = as_theme(theme)
    places = as_matrix(points, "points")
    require_same_length(points=places, labels=labels, groups=groups)
    low, high = places.min(axis=0), places.max(axis=0)
    room = np.maximum((high - low) * 0.08, 1e-6)
    low, high = low - room, high + room
    sketch = Sketch(theme, height=_MAP_TALL + 60, margin=(56, 16, 8, 52), hoverdistance=20,
                    caption="Points that lie near each other here may be far apart in the "
                    "directions that a flat map cannot show.")  # fmt: skip
    positions = _label_places(places, labels, groups, followed, low, high)
    for group, name in ((1, "neighbours"), (0, "prompt")):
        members = [i for i in range(len(labels)) if groups[i] == group]
        if not members:
            continue
        own = group == 0
        shown = [shortened(labels[i], 14) if positions[i] else "" for i in members]
        colours = [theme.accent if i == followed else theme.quantity if own else theme.curve
                   for i in members]  # fmt: skip
        sketch.trace(
            scatter(
                x=places[members, 0], y=places[members, 1], mode="markers+text", name=name,
                text=[f"<b>{escaped(t)}</b>" if own and t else escaped(t) for t in shown],
                textposition=[positions[i] or "middle right" for i in members],
                textfont={"size": [14.5 if own else 12.5] * len(members), "color": [
                    theme.accent if i == followed else theme.ink if own else theme.ink2
                    for i in members]},
                marker={"size": 11 if own else 6, "color": colours,
                        "line": {"width": 1.5 if own else 0, "color": theme.bg}},
                hovertext=[f"“{escaped(labels[i])}”"
                           f"{', in the prompt' if own else ', a neighbour'}" for i in members],
                hoverinfo="text", cliponaxis=False,
                customdata=None if click is None else np.asarray(click)[members][:, None],
            )
        )  # fmt: skip
    titles = [
        f"{word} direction" + (f", {share(float(shares[i]))} of the variance" if len(shares) > i
                               else "")
        for i, word in enumerate(("first", "second"))
    ]  # fmt: skip
    sketch.layout(
        xaxis={"range": [float(low[0]), float(high[0])], "title": {"text": titles[0]},
               "zeroline": False, "nticks": 7},
        yaxis={"range": [float(low[1]), float(high[1])], "title": {"text": titles[1]},
               "zeroline": False, "nticks": 7},
    )  # fmt: skip
    return sketch.figure()


def _add_cosines(sketch: Sketch, values: Array, cell: float, roomy: bool, theme: Theme) -> None:
    size = len(values)
    large = size * size > _MOST_CELLS
    in_cells = cell >= 28 and roomy
    written = [[number(v) for v in row] for row in values.tolist()] if in_cells else None
    sketch.trace(
        heatmap(
            z=np.full((1, 1), np.nan, np.float32) if large else values, zmin=-1, zmax=1,
            colorscale=theme.div_scale, showscale=False, hoverinfo="skip",
            name="cosine",
        )
    )  # fmt: skip
    if size <= 32:
        sketch.shapes(gaps(np.isfinite(values), theme))
    if written:
        sketch.trace(cell_texts(values, written, low=-1, high=1, theme=theme, is_signed=True))
    row, column = (a.ravel() for a in np.mgrid[0:size, 0:size].astype(np.int16))
    if large:
        picture = enlarged(quantised(values, -1, 1), max(1, 600 // size))
        sketch.image(source=png_uri(picture, theme.div), xref="x", yref="y", x=-0.5, y=-0.5,
                     sizex=size, sizey=size, layer="below")  # fmt: skip
        row = column = np.arange(size, dtype=np.int16)
    texts = [number(v) for v in values[row, column].tolist()]
    sketch.trace(
        cells_to_click(column, row, texts, name="cells: cosine",
                       hover="“%{y}” and “%{x}”: cosine %{text}")
    )  # fmt: skip


def _label_places(
    places: Array,
    labels: Sequence[str],
    groups: Sequence[int],
    followed: int | None,
    low: Array,
    high: Array,
) -> list[str]:
    """Where each label goes so that none covers another or a point of the prompt; "" is nowhere.

    Greedy: the followed token first, then the prompt's, then the neighbours. The followed token has
    one always, and so have the others of a prompt that is not long.
    """
    scale = np.array([_MAP_WIDE, _MAP_TALL]) / (high - low)
    pixels = (places - low) * scale * [1, -1]
    taken = [_dot(x, y, group) for (x, y), group in zip(pixels.tolist(), groups, strict=True)]
    found = [""] * len(labels)
    n_own = list(groups).count(0)
    order = sorted(range(len(labels)), key=lambda i: (i != followed, groups[i], i))
    for index in order:
        x, y = pixels[index].tolist()
        own = _dot(x, y, groups[index])
        wide = 7.6 * min(len(labels[index]), 14) + 4
        for name, (right, down) in _PLACES.items():
            left = x + (7 if right > 0 else -7 - wide if right < 0 else -wide / 2)
            top = y + (3 if down > 0 else -19 if down < 0 else -8)
            box = (left, top, left + wide, top + 16)
            if not any(_overlap(box, other) for other in taken if other != own):
                found[index] = name
                taken.append(box)
                break
        else:
            if index == followed or (groups[index] == 0 and n_own <= _MOST_ALWAYS_NAMED):
                found[index] = "top center"
    return found


def _dot(x: float, y: float, group: int) -> tuple[float, float, float, float]:
    half = 6 if group == 0 else 3
    return (x - half, y - half, x + half, y + half)


def _overlap(
    one: tuple[float, float, float, float], other: tuple[float, float, float, float]
) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
