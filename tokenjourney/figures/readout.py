"""How a logit is read from a vector: final LayerNorm, a column of W_U, products, their sum."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length, symmetric_limit
from tokenjourney.figures.text import count, number, signed
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import heatmap, scatter

_STRIP, _PITCH, _SUM = 30, 62, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 190, 110, 6, 46


def readout_figure(
    *,
    residual: ArrayLike,
    normalised: ArrayLike,
    column: ArrayLike,
    products: ArrayLike,
    names: Sequence[str],
    notes: Sequence[str],
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Four strips of d_model numbers under each other, and the running sum of the last.

    The strips are quantities of different kinds, so each has a scale of its own, written at its
    right end.

    Args:
        residual: (d_model,), the vector after the last block.
        normalised: (d_model,), after the final LayerNorm.
        column: (d_model,), the token's column of W_U.
        products: (d_model,), normalised × column.
        names: what each strip is, as markup.
        notes: a second line for each, as markup.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths that differ.
    """
    theme = as_theme(theme)
    strips = _strips(residual, normalised, column, products)
    require_same_length(strips=list(strips), names=names, notes=notes)
    size = len(strips["product"])
    plot = _PITCH * len(strips) + _SUM
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(_LEFT, _RIGHT, _TOP, _BOTTOM),
                    hoverdistance=20)  # fmt: skip
    for row, (word, values) in enumerate(strips.items()):
        top = plot - _PITCH * row
        limit = symmetric_limit(values)
        suffix = str(row + 1) if row else ""
        sketch.trace(
            heatmap(
                z=values[None, :], x=np.arange(size), y=[0], zmin=-limit, zmax=limit,
                colorscale=theme.div_scale, showscale=False, hoverinfo="text", name=word,
                hovertext=[[f"{word}, dimension {i} of {size}: {signed(v, 3)}"
                            for i, v in enumerate(values)]],
                xaxis="x", yaxis=f"y{suffix}",
            )
        )  # fmt: skip
        sketch.layout(
            **{f"yaxis{suffix}": {"domain": [(top - _STRIP) / plot, top / plot], "anchor": "x",
                                  **NO_TICKS}}
        )  # fmt: skip
        middle = (top - _STRIP / 2) / plot
        sketch.notes(
            note(f"<b>{names[row]}</b>", 0, middle, anchor="right", shift=(-12, 9), size=14.5,
                 colour=theme.ink),
            note(notes[row], 0, middle, anchor="right", shift=(-12, -9), size=13),
            note(f"±{number(limit)}", 1, middle, shift=(10, 0), size=13, colour=theme.ink3),
        )  # fmt: skip
        if row:
            sign = ("", "↓", "×", "=")[row]
            sketch.notes(note(sign, 0.5, (top + (_PITCH - _STRIP) / 2) / plot, anchor="center",
                              size=17, colour=theme.ink2))  # fmt: skip
    _add_sum(sketch, strips["product"], plot, theme)
    sketch.layout(
        xaxis={"range": [-0.5, size - 0.5], "anchor": "y5", "showgrid": False, "nticks": 9,
               "zeroline": False, "title": {"text": f"dimension, of {count(size)}"}},
    )  # fmt: skip
    return sketch.figure()


def readout_table(
    *, residual: ArrayLike, normalised: ArrayLike, column: ArrayLike, products: ArrayLike
) -> Table:
    """A row per dimension: residual, normalised, column of W_U, product, sum so far."""
    strips = _strips(residual, normalised, column, products)
    sums = np.cumsum(strips["product"], dtype=np.float64)
    return ["dimension", *strips, "sum so far"], [
        (i, *(float(values[i]) for values in strips.values()), float(sums[i]))
        for i in range(len(sums))
    ]


def _strips(
    residual: ArrayLike, normalised: ArrayLike, column: ArrayLike, products: ArrayLike
) -> dict[str, Array]:
    strips = {
        "residual stream": as_vector(residual, "residual"),
        "after the final LayerNorm": as_vector(normalised, "normalised"),
        "column of W_U": as_vector(column, "column"),
        "product": as_vector(products, "products"),
    }
    require_same_length(**strips)
    return strips


def _add_sum(sketch: Sketch, products: Array, plot: int, theme: Theme) -> None:
    """The running sum of the products: it ends at the logit."""
    sums = np.cumsum(products, dtype=np.float64)
    low, high = min(0.0, float(sums.min())), max(0.0, float(sums.max()))
    room = 0.14 * (high - low) or 1.0
    sketch.trace(
        scatter(
            x=np.arange(len(sums)), y=sums.astype(np.float32), mode="lines", hoverinfo="text",
            line={"color": theme.ink, "width": 2}, xaxis="x", yaxis="y5", name="sum so far",
            hovertext=[f"dimensions 0 to {i} add up to {signed(v)}" for i, v in enumerate(sums)],
        ),
        scatter(
            x=[len(sums) - 1], y=[float(sums[-1])], mode="markers", hoverinfo="skip",
            marker={"color": theme.accent, "size": 11}, xaxis="x", yaxis="y5", name="logit",
            cliponaxis=False,
        ),
    )  # fmt: skip
    sketch.notes(
        note(f"<b>{number(float(sums[-1]))}</b>", len(sums) - 1, float(sums[-1]), xref="x",
             yref="y5", shift=(12, 0), size=15, colour=theme.accent),
        note("<b>sum so far</b>", 0, 0, anchor="right", yref="y5", shift=(-12, 9), size=14.5,
             colour=theme.ink),
        note("ends at the logit", 0, 0, anchor="right", yref="y5", shift=(-12, -9), size=13),
    )  # fmt: skip
    sketch.layout(
        yaxis5={"domain": [0, (_SUM - 26) / plot], "anchor": "x", **NO_TICKS,
                "range": [low - room, high + room], "zeroline": True,
                "zerolinecolor": theme.curve},
    )  # fmt: skip
