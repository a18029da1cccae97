"""One head's attention as lines: from each token that asks to the tokens it takes from."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.drawing import NO_TICKS, Sketch, heading, note
from tokenjourney.figures.matrices import Array, as_matrix
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, distinct_labels, escaped, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import row_label
from tokenjourney.figures.written import scatter

DRAWN_FROM = 0.02
"""Shares below this are not drawn."""

_WIDTHS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.01)  # upper ends of the classes of equal width
_SIDE, _TOP, _BOTTOM, _BEND = 0.24, 46, 8, 7  # _SIDE: room for the labels, in lengths of a line


def head_lines_figure(
    *,
    pattern: ArrayLike,
    labels: Sequence[str],
    followed: int,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Lines from queries (left) to keys (right), as wide as their share.

    The lines of the followed token have the accent. Above 60 tokens a window around it is shown,
    and the caption says so. The trace "tokens" carries the query's position as `customdata`.

    Args:
        pattern: (T, T), shares of one head, query before key.
        labels: the visible texts of the T tokens.
        followed: the position of the followed token.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: labels or the followed position do not fit the pattern.
    """
    theme = as_theme(theme)
    shares = as_matrix(pattern, "pattern")
    tokens = len(labels)
    if shares.shape != (tokens, tokens) or not 0 <= followed < tokens:
        raise FigureError(
            f"A pattern of shape {shares.shape} and position {followed} do not fit {tokens} labels."
        )
    names = distinct_labels(labels)
    start, end = window(tokens, followed)
    pitch = 26 if tokens <= 16 else 19 if tokens <= 32 else 15
    caption = ""
    if end - start < tokens:
        caption = f"Tokens {start}–{end - 1} of {count(tokens)}."
    sketch = Sketch(
        theme, height=_TOP + max(2, end - start) * pitch + _BOTTOM,
        margin=(4, 4, _TOP, _BOTTOM), caption=caption, hoverdistance=20,
    )  # fmt: skip
    query, key = (a + start for a in np.nonzero(shares[start:end, start:end] >= DRAWN_FROM))
    mine = query == followed
    _add_lines(sketch, shares, query[~mine], key[~mine], theme.curve, 0.55, "other tokens")
    _add_lines(sketch, shares, query[mine], key[mine], theme.accent, 0.9, "followed token")
    _add_targets(sketch, shares, names, query, key, (start, end))
    looked_at = set(key[mine].tolist())
    size = 14 if pitch >= 19 else 12
    for row in range(start, end):
        for x, anchor, shift, is_strong in (
            (0, "right", -9, row == followed), (1, "left", 9, row in looked_at)
        ):  # fmt: skip
            text = row_label(names[row], followed=is_strong and x == 0, theme=theme, length=12)
            colour = theme.ink if is_strong else theme.ink3
            sketch.notes(
                note(f"<b>{text}</b>" if is_strong and x else text, x, row, xref="x", yref="y",
                     anchor=anchor, shift=(shift, 0), size=size, colour=colour)
            )  # fmt: skip
    sketch.notes(*heading("query", "who asks", 0, 1, theme=theme, anchor="right", xref="x"))
    sketch.notes(*heading("key", "who answers", 1, 1, theme=theme, xref="x"))
    sketch.layout(
        xaxis={"range": [-_SIDE, 1 + _SIDE], **NO_TICKS},
        yaxis={"range": [max(end, start + 2) - 0.5, start - 0.5], **NO_TICKS},
    )
    return sketch.figure()


def _add_lines(
    sketch: Sketch,
    shares: Array,
    query: NDArray[np.intp],
    key: NDArray[np.intp],
    colour: str,
    opacity: float,
    name: str,
) -> None:
    """Lines of about equal share are one trace, because each has only one width."""
    low = 0.0
    for high in _WIDTHS:
        chosen = (shares[query, key] >= low) & (shares[query, key] < high)
        low, middle = high, (low + min(high, 1.0)) / 2
        if not chosen.any():
            continue
        x, y = _curves(query[chosen], key[chosen])
        sketch.trace(
            scatter(
                x=x, y=y, mode="lines", hoverinfo="skip", name=name,
                line={"color": colour, "width": max(0.8, 9 * middle), "shape": "spline"},
                opacity=min(1.0, opacity * (0.35 + 0.9 * middle)),
            )
        )  # fmt: skip


def _curves(query: NDArray[np.intp], key: NDArray[np.intp]) -> tuple[Array, Array]:
    """Smooth lines from (0, query) to (1, key), with a gap after each."""
    x = np.linspace(0, 1, _BEND, dtype=np.float32)
    ease = x * x * (3 - 2 * x)
    y = query[:, None] + (key - query)[:, None] * ease
    gap = np.full((len(query), 1), np.nan, np.float32)
    xs = np.concatenate([np.tile(x, (len(query), 1)), gap], axis=1)
    ys = np.concatenate([y.astype(np.float32), gap], axis=1)
    return xs.ravel(), ys.ravel()


def _add_targets(
    sketch: Sketch,
    shares: Array,
    names: list[str],
    query: NDArray[np.intp],
    key: NDArray[np.intp],
    rows: tuple[int, int],
) -> None:
    """Points to hover over and click: every token on both sides, and each line near its end."""
    ease = 0.8 * 0.8 * (3 - 2 * 0.8)
    own = np.arange(*rows)
    strongest = shares[own].argmax(axis=1)
    said = [
        f"“{names[q]}” looks at “{names[k]}” with {number(shares[q, k])}"
        for q, k in zip(query, key, strict=True)
    ]
    words = [
        f"“{names[q]}” looks most at “{names[k]}”, with {number(shares[q, k])}. Click to follow."
        for q, k in zip(own, strongest, strict=True)
    ]
    x = np.concatenate([np.full(len(query), 0.8), np.zeros(len(own)), np.full(len(own), -0.1)])
    y = np.concatenate([query + (key - query) * ease, own, own])
    said += words * 2  # at the line's beginning, and on the token's text
    sketch.trace(
        scatter(
            x=x.astype(np.float32), y=y.astype(np.float32), mode="none", hoverinfo="text",
            hovertext=[escaped(text) for text in said], name="tokens",
            customdata=np.concatenate([query, own, own])[:, None],
        )
    )  # fmt: skip
