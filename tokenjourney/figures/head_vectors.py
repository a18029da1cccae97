"""One cell of an attention pattern explained: two vectors, their products, four steps."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, colour_bar, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length, symmetric_limit
from tokenjourney.figures.text import escaped, number, shortened, signed, token_markup
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme

_LEFT, _RIGHT, _TOP, _BOTTOM = 150, 8, 46, 58
_STRIP, _PITCH = 36, 43  # pixels of a strip, and from one to the next
_STRIPS_END = 0.5


def attention_card_figure(
    *,
    query: ArrayLike,
    key: ArrayLike,
    labels: tuple[str, str],
    positions: tuple[int, int],
    log_total: float,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The card of one cell: query × key = products, and the four numbered steps to the share.

    Args:
        query: (d_head,), the vector of the token that asks.
        key: (d_head,), that of the token that answers.
        labels: the visible texts of the two tokens, positions included where they stand twice.
        positions: their positions; a key behind the query is masked.
        log_total: logarithm of the softmax's denominator, Σ e^score over the query's row.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: query and key differ in length.
    """
    theme = as_theme(theme)
    q, k = as_vector(query, "query"), as_vector(key, "key")
    require_same_length(query=q, key=k)
    dot = float(np.dot(q.astype(np.float64), k))
    sketch = Sketch(
        theme, height=_TOP + 3 * _PITCH + _BOTTOM, margin=(_LEFT, _RIGHT, _TOP, _BOTTOM),
        paper_bgcolor=theme.surface, hoverdistance=20,
    )  # fmt: skip
    asks = token_markup(shortened(labels[0], 14), followed=True, theme=theme)
    answers = token_markup(shortened(labels[1], 14), strong=True, theme=theme)
    masked = positions[1] > positions[0]
    share = 0.0 if masked else math.exp(dot / math.sqrt(len(q)) - log_total)
    verb = "may not look at" if masked else "looks at"
    title = f"{asks} {verb} {answers}" + ("" if masked else f" <b>with {number(share)}</b>")
    sketch.notes(note(title, 0, 1, valign="bottom", shift=(14 - _LEFT, 14), size=18,
                      colour=theme.ink))  # fmt: skip
    rows = (
        (f"query of {asks}", "query", q, symmetric_limit(q, k)),
        (f"key of {answers}", "key", k, symmetric_limit(q, k)),
        ("product, dim by dim", "product", q * k, symmetric_limit(q * k)),
    )
    for index, (said, name, values, limit) in enumerate(rows):
        _add_strip(sketch, said, name, values, limit, index, (0, _STRIPS_END), theme)
    for sign, row in (("×", 1), ("=", 2)):
        sketch.notes(
            note(sign, -16, row * _PITCH - (_PITCH - _STRIP) / 2, xref="paper", yref="y",
                 anchor="center", size=14, colour=theme.ink2) | {"x": 0, "xshift": -10}
        )  # fmt: skip
    products = (q * k).astype(np.float64)
    sketch.notes(
        note(f"{len(q)} numbers each; their products add up to {number(dot)}", 0, 0,
             valign="top", shift=(0, -8), size=14),
        note(f"above 0: {signed(float(products[products > 0].sum()))}, "
             f"below 0: {signed(float(products[products < 0].sum()))}", 0, 0, valign="top",
             shift=(0, -28), colour=theme.ink3),
    )  # fmt: skip
    _add_steps(sketch, dot, len(q), positions, log_total, theme)
    sketch.layout(yaxis={"range": [3 * _PITCH, 0], **NO_TICKS})
    return sketch.figure()


def attention_card_table(*, query: ArrayLike, key: ArrayLike) -> Table:
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
        _add_strip(sketch, said, name, values, limit, index, (0, 1), theme)
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
    domain: tuple[float, float],
    theme: Theme,
) -> None:
    """A row of cells and its name; the first strip sets the axis that all share."""
    middle = index * _PITCH + _STRIP / 2
    sketch.trace(
        go.Heatmap(
            z=values[None, :], x0=0, dx=1, y=[middle - _STRIP / 2, middle + _STRIP / 2],
            zmin=-limit, zmax=limit, colorscale=theme.div_scale, showscale=False,
            xgap=1 if len(values) <= 64 else 0, name=name, hoverinfo="text",
            hovertext=[[f"{name}, dimension {d} of {len(values)}: {signed(float(value), 3)}"
                        for d, value in enumerate(values)]],
        )
    )  # fmt: skip
    sketch.notes(
        note(said, 0, middle, yref="y", anchor="right", shift=(-22, 0), size=14, colour=theme.ink2)
    )
    sketch.layout(xaxis={"domain": list(domain), "range": [-0.5, len(values) - 0.5], **NO_TICKS})


def _add_steps(
    sketch: Sketch,
    dot: float,
    d_head: int,
    positions: tuple[int, int],
    log_total: float,
    theme: Theme,
) -> None:
    scaled = dot / math.sqrt(d_head)
    query, key = positions
    masked = key > query
    score = "−∞" if masked else number(scaled)
    mask = (
        f"key {key} > query {query}: becomes −∞" if masked
        else f"key {key} ≤ query {query}: stays {score}"
    )  # fmt: skip
    share = 0.0 if masked else math.exp(scaled - log_total)
    steps = (
        ("q · k", number(dot)),
        (f"÷ √{d_head}", f"{number(dot)} ÷ {number(math.sqrt(d_head))} = {number(scaled)}"),
        ("mask", mask),
        ("softmax", f"<b>e<sup>{score}</sup> ÷ {_power(log_total)} = {number(share)}</b>"),
    )
    left, pitch = _STRIPS_END + 0.05, (3 * _PITCH + 12) / 4
    for index, (name, said) in enumerate(steps):
        y = pitch * (index + 0.5) - 6
        sketch.notes(
            note(str(index + 1), left, y, yref="y", anchor="center", size=13, colour=theme.ink2,
                 bordercolor=theme.curve, borderwidth=1, borderpad=4, width=13, height=15),
            note(f"<b>{name}</b>", left, y, yref="y", shift=(18, 0), size=14, colour=theme.ink),
            note(said, left, y, yref="y", shift=(82, 0), size=14, colour=theme.ink),
        )  # fmt: skip


def _power(logarithm: float) -> str:
    """E to the power of a logarithm: the number, or the power where it is far from 1.

    >>> _power(0.0), _power(-2.6593), _power(50.0)
    ('1.00', '0.070', 'e<sup>50.00</sup>')
    """
    if not -6 <= logarithm <= 11:
        return f"e<sup>{number(logarithm)}</sup>"
    value = math.exp(logarithm)
    return number(value, 2 if value >= 0.995 else 3)
