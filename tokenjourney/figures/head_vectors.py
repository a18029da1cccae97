"""The short vectors that a head makes of a token, as strips of colour."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length, symmetric_limit
from tokenjourney.figures.text import escaped, signed
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import heatmap

_LEFT = 150
_STRIP, _PITCH = 36, 43  # pixels of a strip, and from one to the next


def products_table(*, query: ArrayLike, key: ArrayLike) -> Table:
    """One row per dimension: query, key and their product."""
    q, k = as_vector(query, "query"), as_vector(key, "key")
    return ["dimension", "query", "key", "product"], [
        (index, float(q[index]), float(k[index]), float(q[index] * k[index]))
        for index in range(len(q))
    ]


def head_vectors_figure(
    *, vectors: Sequence[tuple[str, str, ArrayLike]], theme: Theme | str = LIGHT
) -> go.Figure:
    """Strips of short vectors, one row each, on one scale: what a head makes of a token.

    Args:
        vectors: for each its name ("query"), what it is for ("to ask with"), and its numbers.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: there is none, or they differ in length.
    """
    theme = as_theme(theme)
    if not vectors:
        raise FigureError("There are no vectors to draw: pass at least one.")
    arrays = [as_vector(values, name) for name, _, values in vectors]
    require_same_length(**{name: a for (name, _, _), a in zip(vectors, arrays, strict=True)})
    plot = _PITCH * len(arrays)
    sketch = Sketch(theme, height=6 + plot + 34, margin=(_LEFT, 8, 6, 34), hoverdistance=20)
    limit = symmetric_limit(*arrays)
    for index, ((name, purpose, _), values) in enumerate(zip(vectors, arrays, strict=True)):
        said = f"<b>{escaped(name)}</b><br>{escaped(purpose)}"
        _add_strip(sketch, said, name, values, limit, index, theme)
    colour_bar(sketch, low=-limit, high=limit, x=0, length=0.3, below_px=8, plot_px=plot,
               theme=theme, is_signed=True)  # fmt: skip
    sketch.layout(yaxis={"range": [plot, 0], **NO_TICKS})
    return sketch.figure()


def vectors_table(vectors: Sequence[tuple[str, str, ArrayLike]]) -> Table:
    """One row per dimension, one column per vector."""
    arrays = [as_vector(values, name) for name, _, values in vectors]
    return ["dimension", *(name for name, _, _ in vectors)], [
        (index, *(float(values[index]) for values in arrays)) for index in range(len(arrays[0]))
    ]


def _add_strip(
    sketch: Sketch,
    said: str,
    name: str,
    values: Array,
    limit: float,
    index: int,
    theme: Theme,
) -> None:
    """A row of cells and its name; the first strip sets the axis that all share."""
    middle = index * _PITCH + _STRIP / 2
    sketch.trace(
        heatmap(
            z=values[None, :], x0=0, dx=1, y=[middle - _STRIP / 2, middle + _STRIP / 2],
            zmin=-limit, zmax=limit, colorscale=theme.div_scale, showscale=False,
            name=name, hoverinfo="text",
            hovertext=[[f"{name}, dimension {d} of {len(values)}: {signed(float(value), 3)}"
                        for d, value in enumerate(values)]],
        )
    )  # fmt: skip
    if len(values) <= 64:
        box = (middle - _STRIP / 2, _STRIP)
        sketch.shapes(gaps(np.isfinite(values[None, :]), theme, y=box, along="x"))
    sketch.notes(
        note(said, 0, middle, yref="y", anchor="right", shift=(-22, 0), size=14, colour=theme.ink2)
    )
    sketch.layout(xaxis={"range": [-0.5, len(values) - 0.5], **NO_TICKS})
