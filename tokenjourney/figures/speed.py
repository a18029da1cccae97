"""What a new token costs, in time or in work, against the length of the text."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector, require_same_length
from tokenjourney.figures.text import count, number
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import scatter


def speed_figure(
    *,
    lengths: ArrayLike,
    cached: ArrayLike,
    uncached: ArrayLike,
    unit: str = "ms",
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """What one new token costs against the length of the text, with and without KV cache.

    Args:
        lengths: (n,), tokens in the text, the new one included.
        cached: (n,), cost with the cache.
        uncached: (n,), cost without.
        unit: in what the cost is measured.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths that differ.
    """
    theme = as_theme(theme)
    x = as_vector(lengths, "lengths")
    with_cache, without = as_vector(cached, "cached"), as_vector(uncached, "uncached")
    require_same_length(lengths=x, cached=with_cache, uncached=without)
    sketch = Sketch(theme, height=300, margin=(64, 150, 12, 50), hoverdistance=30)
    for values, name, colour, symbol in (
        (without, "without cache", theme.curve, "circle-open"),
        (with_cache, "with cache", theme.quantity, "circle"),
    ):
        sketch.trace(
            scatter(
                x=x, y=values, mode="lines+markers", name=name, hoverinfo="text",
                line={"color": colour, "width": 2.5}, cliponaxis=False,
                marker={"size": 9, "symbol": symbol, "line": {"width": 2, "color": colour}},
                hovertext=[f"{count(n)} tokens, {name}: {number(v)} {unit} for the new one"
                           for n, v in zip(x, values, strict=True)],
            )
        )  # fmt: skip
        sketch.notes(
            note(f"<b>{name}</b><br>{number(values[-1], 1)} {unit}", float(x[-1]),
                 float(values[-1]), xref="x", yref="y", shift=(12, 0), size=13.5, colour=theme.ink)
        )  # fmt: skip
    top = max(float(without.max()), float(with_cache.max()))
    sketch.layout(
        xaxis={"range": [0, float(np.max(x)) * 1.01], "nticks": 8, "zeroline": False,
               "title": {"text": "tokens in the text, the new one included"}},
        yaxis={"range": [0, top * 1.08], "nticks": 6, "zeroline": True,
               "title": {"text": f"{unit} for one new token"}},
    )  # fmt: skip
    return sketch.figure()


def speed_table(
    *, lengths: ArrayLike, cached: ArrayLike, uncached: ArrayLike, unit: str = "ms"
) -> Table:
    """Length, cost with the cache, cost without."""
    parts = (as_vector(lengths), as_vector(cached), as_vector(uncached))
    return ["tokens", f"{unit} with cache", f"{unit} without cache"], [
        (int(n), float(a), float(b)) for n, a, b in zip(*parts, strict=True)
    ]
