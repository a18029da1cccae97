"""LayerNorm in three pictures: one vector before, standardised, after gain and bias."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, heading, line
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector
from tokenjourney.figures.text import number, small
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import bar


def layer_norm_figure(
    *, before: ArrayLike, standardised: ArrayLike, after: ArrayLike, theme: Theme | str = LIGHT
) -> go.Figure:
    """Three histograms of one vector: as it came, standardised, after gain and bias.

    Args:
        before: (d_model,), what comes in.
        standardised: (d_model,), with mean 0 and variance 1.
        after: (d_model,), what goes on.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    panels = (
        ("before", as_vector(before, "before")),
        ("standardised", as_vector(standardised, "standardised")),
        ("after gain and bias", as_vector(after, "after")),
    )
    sketch = Sketch(theme, height=262, margin=(48, 10, 48, 44), bargap=0.06)
    width, gap = 0.3, 0.05
    counted = [np.histogram(values, bins=31) for _, values in panels]
    top = max(int(counts.max()) for counts, _ in counted)
    for index, ((name, values), (counts, edges)) in enumerate(zip(panels, counted, strict=True)):
        suffix = str(index + 1) if index else ""
        left = index * (width + gap)
        mean, variance = float(values.mean()), float(values.var())
        said = f"mean {number(mean)}, variance {small(variance)}"
        sketch.notes(*heading(name, said, left, 1, theme=theme))
        sketch.trace(
            bar(
                x=(edges[:-1] + edges[1:]) / 2, y=counts, xaxis=f"x{suffix}", yaxis=f"y{suffix}",
                width=np.diff(edges) * 0.92, name=name, marker={"color": theme.quantity},
                hoverinfo="text",
                hovertext=[f"{name}: {n} of {len(values)} numbers from {number(a)} to {number(b)}"
                           for n, a, b in zip(counts, edges, edges[1:], strict=False)],
            )
        )  # fmt: skip
        sketch.shapes(
            line(mean, mean, 0, top, theme.ink, xref=f"x{suffix}", yref=f"y{suffix}", dash="dot")
        )
        sketch.layout(
            **{
                f"xaxis{suffix}": {"domain": [left, left + width], "anchor": f"y{suffix}",
                                   "nticks": 6, "showgrid": False, "title": {"text": "value"}},
                f"yaxis{suffix}": {"anchor": f"x{suffix}", "range": [0, top * 1.05], "nticks": 4,
                                   "showticklabels": index == 0, "zeroline": False,
                                   "title": {"text": "" if index else "dimensions"}},
            }
        )  # fmt: skip
    return sketch.figure()


def layer_norm_table(*, before: ArrayLike, standardised: ArrayLike, after: ArrayLike) -> Table:
    """One row per dimension: its number before, standardised, and after gain and bias."""
    columns = [as_vector(v, "a column") for v in (before, standardised, after)]
    return ["dimension", "before", "standardised", "after gain and bias"], [
        (d, *(float(values[d]) for values in columns)) for d in range(len(columns[0]))
    ]
