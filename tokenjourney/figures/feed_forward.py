"""The feed-forward part: the GELU curve with one token's real activations on it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.drawing import Sketch, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.text import number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import bar, marks, scatter

_CURVE, _NAME = 225, 13
"""Pixels from the lowest to the highest point of the curve, and of a neuron's name."""

_ACROSS, _SPOT, _LAYERS = 900, 2, 4
"""Pixels of the curve's width and of a spot, and points in one spot that are seen as more."""

_VEIL: Final = 0.45
"""How much of what is under it a point covers."""


def gelu_figure(
    *,
    curve: tuple[ArrayLike, ArrayLike],
    pre: ArrayLike,
    post: ArrayLike,
    strongest: Sequence[int] = (),
    chosen: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The curve of the activation function, and on it a point for every neuron of one token.

    Above it the histogram of what goes in: most neurons lie where the curve is nearly flat. Points
    carry their neuron as `customdata`.

    Args:
        curve: x and y of the function, to draw it.
        pre: (d_mlp,), what goes in.
        post: (d_mlp,), what comes out.
        strongest: neurons that are named.
        chosen: the neuron with the ring.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths that do not fit, or a neuron that is not there.
    """
    theme = as_theme(theme)
    before, after = as_vector(pre, "pre"), as_vector(post, "post")
    require_same_length(pre=before, post=after)
    named = [*strongest, *([chosen] if chosen is not None else [])]
    if any(not 0 <= neuron < len(before) for neuron in named):
        raise FigureError(f"There is a neuron in {named} that is not among 0 to {len(before) - 1}.")
    x, y = (as_vector(part, "curve") for part in curve)
    sketch = Sketch(theme, height=400, margin=(64, 16, 12, 48), hoverdistance=12, bargap=0.05)
    sketch.trace(
        scatter(x=x, y=y, mode="lines", line={"color": theme.curve, "width": 2},
                   hoverinfo="skip", name="GELU"),
        scatter(x=x, y=np.maximum(x, 0), mode="lines", hoverinfo="skip", name="ReLU",
                   line={"color": theme.track, "width": 1.5, "dash": "dot"}),
    )  # fmt: skip
    low, high = float(min(after.min(), y.min())), float(max(after.max(), y.max()))
    per_pixel = (high - low) / _CURVE
    order = np.argsort(np.abs(after), kind="stable")
    sizes = (float(x.max() - x.min()) / _ACROSS, per_pixel)
    tops, layers = _spots(before[order] / sizes[0], after[order] / sizes[1])
    drawn = order[tops]
    veils = [theme.faded(theme.accent, round(1 - (1 - _VEIL) ** n, 3)) for n in range(_LAYERS + 1)]
    sketch.trace(
        marks(before[drawn], after[drawn], name="marks", size=7, color=[veils[n] for n in layers]),
        scatter(
            x=before[order], y=after[order], mode="none", name="neurons", hoverinfo="text",
            customdata=order[:, None],
            hovertext=[f"neuron {i}: {number(before[i])} goes in, {number(after[i])} comes out"
                       for i in order],
        ),
    )  # fmt: skip
    lowest = np.inf
    for neuron in sorted(strongest, key=lambda neuron: -after[neuron]):
        beside = float(after[neuron]) / per_pixel + 7  # pixels above 0; names do not touch
        lowest = min(lowest - _NAME, beside)
        pushed = lowest - beside
        sketch.notes(
            note(str(neuron), float(before[neuron]), float(after[neuron]), xref="x", yref="y",
                 anchor="right", shift=(-10 + 0.7 * pushed, 7 + pushed), size=12, colour=theme.ink2)
        )  # fmt: skip
    if chosen is not None:
        sketch.trace(
            marks(before[[chosen]], after[[chosen]], name="chosen", size=15,
                  color="rgba(0,0,0,0)", line={"width": 2.5, "color": theme.ink})
        )  # fmt: skip
    counts, edges = np.histogram(before, bins=60, range=(float(x.min()), float(x.max())))
    sketch.trace(
        bar(
            x=(edges[:-1] + edges[1:]) / 2, y=counts, yaxis="y2", marker={"color": theme.quantity},
            name="how many", hoverinfo="text",
            hovertext=[f"{n} neurons get {number(a)} to {number(b)}"
                       for n, a, b in zip(counts, edges, edges[1:], strict=False)],
        )
    )  # fmt: skip
    sketch.shapes(line(0, 0, 0, 1, theme.line, yref="paper", width=1))
    sketch.layout(
        xaxis={"range": [float(x.min()), float(x.max())], "title": {"text": "before GELU"},
               "anchor": "y"},
        yaxis={"domain": [0, 0.74], "range": [low - 14 * per_pixel, high + 14 * per_pixel],
               "title": {"text": "after GELU"}},
        yaxis2={"domain": [0.8, 1], "title": {"text": "neurons"}, "nticks": 3, "anchor": "x"},
    )  # fmt: skip
    return sketch.figure()


def _spots(x: Array, y: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each spot with points, placed in pixels, the last one and how many of them are seen."""
    spots = np.stack([x // _SPOT, y // _SPOT], axis=1)[::-1]
    _, last, counts = np.unique(spots, axis=0, return_index=True, return_counts=True)
    tops = len(x) - 1 - last
    in_turn = np.argsort(tops)
    return tops[in_turn], np.minimum(counts, _LAYERS)[in_turn]


def gelu_table(*, pre: ArrayLike, post: ArrayLike) -> Table:
    """One row per neuron: what goes in and what comes out."""
    before, after = as_vector(pre, "pre"), as_vector(post, "post")
    return ["neuron", "before GELU", "after GELU"], [
        (neuron, float(before[neuron]), float(after[neuron])) for neuron in range(len(before))
    ]
