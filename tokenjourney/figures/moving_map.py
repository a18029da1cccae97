"""An embedding that is being learned: where its tokens lie now, and where they came from."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, require_same_length
from tokenjourney.figures.text import escaped, share, shortened
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import Trace, scatter

_WIDE, _TALL = 520.0, 380.0
_SYMBOLS = {"letters": "circle", "capitals": "diamond", "other": "square"}


def moving_map_figure(
    *,
    trail: Sequence[ArrayLike],
    labels: Sequence[str],
    kinds: Sequence[str],
    limit: float,
    shares: Sequence[float] = (),
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Tokens on a flat map whose axes stay, each with the way that it came.

    Labels that would cover another are left out, those of rarer tokens first; hovering names all.

    Args:
        trail: (n, 2) points at some moments, the last of them now.
        labels: the n tokens, the most frequent first.
        kinds: what each is, for its mark: "letters", "capitals" or "other".
        limit: the axes go from −limit to limit.
        shares: the share of the variance that each of the two directions shows now.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: points, labels and kinds differ in number.
    """
    theme = as_theme(theme)
    way = [as_matrix(points, "points") for points in trail]
    now = way[-1]
    require_same_length(points=now, labels=labels, kinds=kinds)
    sketch = Sketch(theme, height=_TALL + 60, margin=(56, 12, 8, 52), hoverdistance=20)
    if len(way) > 1:
        sketch.trace(_trails(way, theme))
    shown = _labels_with_room(now, labels, limit)
    for kind, symbol in _SYMBOLS.items():
        members = [i for i, own in enumerate(kinds) if own == kind]
        if not members:
            continue
        sketch.trace(
            scatter(
                x=now[members, 0], y=now[members, 1], mode="markers+text", name=kind,
                text=[escaped(shown[i]) for i in members], textposition="middle right",
                textfont={"size": 13.5, "color": theme.ink},
                marker={"size": 7, "symbol": symbol,
                        "color": theme.curve if kind == "other" else theme.quantity},
                hovertext=[f"“{escaped(labels[i])}”" for i in members], hoverinfo="text",
            )
        )  # fmt: skip
    titles = [
        f"{word} direction" + (f", {share(float(shares[i]))} of the variance" if len(shares) > i
                               else "")
        for i, word in enumerate(("first", "second"))
    ]  # fmt: skip
    ends = [-limit, limit]
    sketch.layout(
        xaxis={"range": ends, "title": {"text": titles[0]}, "zeroline": False, "nticks": 7},
        yaxis={"range": ends, "title": {"text": titles[1]}, "zeroline": False, "nticks": 7},
    )
    return sketch.figure()


def moving_map_table(*, points: ArrayLike, labels: Sequence[str], kinds: Sequence[str]) -> Table:
    """Where each token lies now."""
    now = as_matrix(points, "points")
    return ["token", "kind", "first direction", "second direction"], [
        (label, kind, float(x), float(y))
        for label, kind, (x, y) in zip(labels, kinds, now, strict=True)
    ]


def _trails(way: Sequence[Array], theme: Theme) -> Trace:
    """One line per token through its places, as one trace."""
    places = np.stack(way)  # (moments, n, 2)
    gaps = np.full((1, places.shape[1], 2), np.nan, np.float32)
    flat = np.concatenate([places, gaps]).transpose(1, 0, 2).reshape(-1, 2)
    return scatter(x=flat[:, 0], y=flat[:, 1], mode="lines", name="the way here",
                      line={"color": theme.track, "width": 1}, hoverinfo="skip")  # fmt: skip


def _labels_with_room(points: Array, labels: Sequence[str], limit: float) -> list[str]:
    """The labels that find room, in the order given; "" for the others."""
    pixels = points / (2 * limit) * np.array([_WIDE, -_TALL])
    taken: list[tuple[float, float, float, float]] = []
    shown = []
    for (x, y), label in zip(pixels.tolist(), labels, strict=True):
        text = shortened(label, 10)
        box = (x, y - 8, x + 10 + 8 * len(text), y + 8)
        free = not any(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3]
                       for o in taken)  # fmt: skip
        shown.append(text if free else "")
        if free:
            taken.append(box)
    return shown
