"""Two words swapped: who stands where now, and from where on it makes a difference."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cell_texts, colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, require_same_length
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, escaped, number, shortened, token_markup
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import heatmap, scatter

_TOP, _BOTTOM, _LEFT, _MOST_ROWS = 54, 62, 10, 40
_SAME = 1 - 3e-6  # cosines of equal float32 vectors come this close to 1
_OLD, _NEW = 0.115, 0.26
_CELLS = (0.40, 1.0)


def swap_figure(
    cosines: ArrayLike,
    *,
    order: Sequence[int],
    labels: Sequence[str],
    stations: Sequence[str],
    followed: int,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The prompt in its old and its new order, and how alike each token still is to itself.

    Left the tokens in both orders with a line from the old to the new place, right one row per
    token of the new order and one column per station on the way: the cosine of its vector there
    with its vector in the old prompt. Above 40 tokens, those around the first that moved.

    Args:
        cosines: (T, stations), rows in the new order.
        order: (T,), for each new place the old place of the token that stands there.
        labels: The visible texts of the T tokens in their old order.
        stations: Names of the columns.
        followed: The old place of the followed token.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: shapes that do not fit each other, or an order that is none.
    """
    theme, values = as_theme(theme), as_matrix(cosines, "cosines")
    require_same_length(cosines=values, labels=labels, order=order)
    require_same_length(stations=stations, columns=values.T)
    if sorted(order) != list(range(len(labels))):
        raise FigureError(f"The order {list(order)[:20]} does not hold every place once.")
    moved = [place for place, old in enumerate(order) if place != old]
    start, end = window(len(labels), moved[0] + _MOST_ROWS // 3 if moved else 0, _MOST_ROWS)
    rows = end - start
    pitch = 30 if rows <= 12 else 24 if rows <= 24 else 18
    part = "" if rows == len(labels) else (
        f"Places {start} to {end - 1} of {count(len(labels))}.")  # fmt: skip
    sketch = Sketch(
        theme, height=_TOP + rows * pitch + _BOTTOM, margin=(_LEFT, 12, _TOP, _BOTTOM),
        caption=part, hoverdistance=30,
    )  # fmt: skip
    sketch.layout(
        xaxis={"domain": [0, 1], "range": [0, 1], "anchor": "y", **NO_TICKS},
        yaxis={"range": [end - 0.5, start - 0.5], "anchor": "x", **NO_TICKS},
    )
    _add_orders(sketch, order, labels, (start, end), followed, pitch, theme)
    _add_cells(sketch, values, order, labels, stations, (start, end), theme)
    sketch.notes(*heading("As typed", "place, token", 0, 1, theme=theme))
    sketch.notes(*heading("Swapped", "place, token", _NEW - 0.025, 1, theme=theme))
    sketch.notes(
        *heading("Is it still the same vector?", "cosine with itself in the prompt as typed",
                 _CELLS[0], 1, theme=theme)
    )  # fmt: skip
    colour_bar(sketch, low=0, high=1, x=_CELLS[0], length=(_CELLS[1] - _CELLS[0]) * 0.4,
               below_px=36, plot_px=rows * pitch, theme=theme)  # fmt: skip
    return sketch.figure()


def swap_table(
    cosines: ArrayLike, *, order: Sequence[int], labels: Sequence[str], stations: Sequence[str]
) -> Table:
    """One row per token of the new order: old and new place, and its cosine at every station."""
    values = as_matrix(cosines, "cosines")
    return ["new place", "old place", "token", *stations], [
        (new, old, labels[old], *(float(x) for x in values[new])) for new, old in enumerate(order)
    ]


def _add_orders(
    sketch: Sketch, order: Sequence[int], labels: Sequence[str], shown: tuple[int, int],
    followed: int, pitch: int, theme: Theme,
) -> None:  # fmt: skip
    """Both orders as two columns of tokens, with a curve for each from its old to its new place."""
    start, end = shown
    size = 14 if pitch >= 24 else 12.5
    _add_curves(sketch, order, labels, shown, followed, theme)
    for new, old in enumerate(order):
        if not (start <= new < end or start <= old < end):
            continue
        is_followed, is_moved = old == followed, old != new
        if is_followed and start <= new < end:
            sketch.shapes(ground(0.0, _CELLS[1], new - 0.46, new + 0.46, theme.accent_soft))
        text = token_markup(shortened(labels[old], 9), followed=is_followed, strong=is_moved,
                            theme=theme)  # fmt: skip
        refs: dict[str, Any] = {"xref": "x", "yref": "y"}
        if start <= old < end:
            there = "" if start <= new < end else f" → {new}"
            sketch.notes(
                note(text + there, _OLD, old, anchor="right", size=size, shift=(-8, 0),
                     colour=theme.ink, **refs),
                note(str(old), 0, old, size=12, colour=theme.ink3, **refs),
            )  # fmt: skip
        if start <= new < end:
            here = "" if start <= old < end else f" from {old}"
            sketch.notes(
                note(text + here, _NEW - 0.025, new, size=size, shift=(8, 0), colour=theme.ink,
                     **refs),
                note(str(new), _NEW - 0.01, new, anchor="right", size=12, shift=(-8, 0),
                     colour=theme.ink3, **refs),
            )  # fmt: skip


def _add_curves(
    sketch: Sketch, order: Sequence[int], labels: Sequence[str], shown: tuple[int, int],
    followed: int, theme: Theme,
) -> None:  # fmt: skip
    """From old to new places: what stays, what moved, the followed one, each kind as one trace."""
    step = np.append(np.linspace(0, 1, 24), np.nan)  # NaN parts a curve from the next
    ease = step * step * (3 - 2 * step)
    inside = [
        (old, new) for new, old in enumerate(order)
        if shown[0] <= old < shown[1] and shown[0] <= new < shown[1]
    ]  # fmt: skip
    kinds = {
        "stays": ([(o, n) for o, n in inside if o == n and o != followed], theme.track, 1.5),
        "moved": ([(o, n) for o, n in inside if o != n and o != followed], theme.curve, 3),
        "followed": ([(o, n) for o, n in inside if o == followed], theme.accent, 3),
    }
    for name, (places, colour, width) in kinds.items():
        if not places:
            continue
        said = [f"“{escaped(labels[old])}”: place {old}, now {new}" for old, new in places]
        sketch.trace(
            scatter(
                x=np.tile(_OLD + step * (_NEW - 0.04 - _OLD), len(places)),
                y=np.concatenate([old + (new - old) * ease for old, new in places]),
                text=[text for text in said for _ in step], mode="lines", hoverinfo="text",
                line={"color": colour, "width": width}, name=name,
            )
        )  # fmt: skip


def _add_cells(
    sketch: Sketch, values: Array, order: Sequence[int], labels: Sequence[str],
    stations: Sequence[str], shown: tuple[int, int], theme: Theme,
) -> None:  # fmt: skip
    start, end = shown
    written = (end - start) * len(stations) <= 400 and len(stations) <= 16
    cells = values[start:end]
    texts = [["=" if x > _SAME else number(x) for x in row] for row in cells]
    names = [escaped(shortened(labels[order[new]], 16)) for new in range(start, end)]
    step = -(-len(stations) // 16)
    many = len(stations) > 9
    short = [name.split()[-1] if many else name for name in stations]
    ticks = [n if i < 2 or (i - 2) % step == 0 else "" for i, n in enumerate(short)]
    if many:
        sketch.notes(
            note("after block", 1, 0, anchor="right", valign="top", shift=(0, -26),
                 colour=theme.ink2)
        )  # fmt: skip
    sketch.layout(
        xaxis2={
            "domain": list(_CELLS), "anchor": "y2", "range": [-0.5, len(stations) - 0.5],
            "tickmode": "array", "tickvals": list(range(len(stations))),
            "ticktext": ticks,
            "ticks": "", "showgrid": False, "zeroline": False, "tickangle": 0,
            "tickfont": {"size": 13 if len(stations) <= 10 else 12, "color": theme.ink2},
        },
        yaxis2={
            "anchor": "x2", "range": [end - 0.5, start - 0.5], "tickmode": "array",
            "tickvals": list(range(start, end)), "ticktext": names, **NO_TICKS,
        },
    )  # fmt: skip
    sketch.trace(
        heatmap(
            z=cells, x=np.arange(len(stations)), y=np.arange(start, end), zmin=0, zmax=1,
            colorscale=theme.seq_scale, showscale=False, text=texts,
            hovertemplate="“%{y}”, %{x}: cosine %{text} with itself in the prompt as typed"
            "<extra></extra>",
            xaxis="x2", yaxis="y2", name="cosines",
        )
    )  # fmt: skip
    sketch.shapes(gaps(np.isfinite(cells), theme, y=(start - 0.5, 1), xref="x2", yref="y2"))
    if written:
        sketch.trace(
            cell_texts(cells, texts, low=0, high=1, theme=theme, size=12.5, top=start,
                       xaxis="x2", yaxis="y2")
        )  # fmt: skip
