"""A prediction before and after an edit: ring before, dot after, a bar between."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector, require_same_length
from tokenjourney.figures.text import escaped, points, share, shortened, signed, token_markup
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import share_ticks
from tokenjourney.figures.written import scatter

_ROW, _LEFT, _RIGHT, _TOP, _BOTTOM = 25, 92, 112, 26, 44


def change_figure(
    *,
    labels: Sequence[str],
    before: ArrayLike,
    after: ArrayLike,
    highlight: Sequence[int] = (),
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Probabilities of some tokens before and after, one row each, in the order given.

    Args:
        labels: the visible texts of the tokens.
        before: (n,) probabilities.
        after: (n,) the same after the edit.
        highlight: rows in the accent.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: labels and probabilities differ in number.
    """
    theme = as_theme(theme)
    first, second = as_vector(before, "before"), as_vector(after, "after")
    require_same_length(labels=labels, before=first, after=second)
    rows = len(labels)
    top = max(float(first.max()), float(second.max()), 1e-6)
    sketch = Sketch(theme, height=_TOP + _ROW * rows + _BOTTOM,
                    margin=(_LEFT, _RIGHT, _TOP, _BOTTOM), hoverdistance=30)  # fmt: skip
    colours = [
        theme.up if b > a else theme.down if b < a else theme.curve
        for a, b in zip(first, second, strict=True)
    ]
    grooves = [line(0, top * 1.04, r, r, theme.line, width=2) for r in range(rows)]
    moves = [
        line(float(first[r]), float(second[r]), r, r, colours[r], width=4) for r in range(rows)
    ]
    sketch.shapes(*({**shape, "layer": "below"} for shape in grooves + moves))
    y = np.arange(rows)
    said = [
        f"“{escaped(label)}”: {share(a)} before, {share(b)} after, {moved(b - a)} points"
        for label, a, b in zip(labels, first, second, strict=True)
    ]
    for name, values, marker in (
        ("before", first,
         {"size": 11, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}}),
        ("after", second, {"size": 11, "color": colours}),
    ):  # fmt: skip
        sketch.trace(
            scatter(x=values, y=y, mode="markers", marker=marker, name=name, hovertext=said,
                       hoverinfo="text", cliponaxis=False)
        )  # fmt: skip
    for row, label in enumerate(labels):
        text = token_markup(shortened(label, 11), followed=row in highlight, theme=theme)
        sketch.notes(
            note(text, 0, row, yref="y", anchor="right", shift=(-8, 0), size=14, colour=theme.ink),
            note(share(float(first[row])), 1, row, yref="y", anchor="right", shift=(50, 0),
                 size=13.5, colour=theme.ink2),
            note(f"<b>{moved(float(second[row] - first[row]))}</b>", 1, row, yref="y",
                 anchor="right", shift=(104, 0), size=13.5, colour=colours[row]),
        )  # fmt: skip
    for text, shift in (("before", 50), ("points", 104)):
        sketch.notes(
            note(text, 1, 1, anchor="right", valign="bottom", shift=(shift, 4), colour=theme.ink3)
        )
    sketch.layout(
        xaxis={"range": [0, top * 1.04], **share_ticks(top * 1.04, 4),
               "title": {"text": "probability"}, "showgrid": False},
        yaxis={"range": [rows - 0.5, -0.5], "showticklabels": False, "ticks": "",
               "showgrid": False, "zeroline": False},
    )  # fmt: skip
    return sketch.figure()


def moved(change: float) -> str:
    """A change in points: as many decimals as it takes to see that it is one, up to three.

    >>> moved(-0.152), moved(0.0003), moved(0.00001), moved(0.0)
    ('−15.2', '+0.03', '+0.001', '0.0')
    """
    found = (signed(100 * change, digits) for digits in (1, 2, 3))
    return next((text for text in found if text.strip("0.")), points(0.0))


def change_table(*, labels: Sequence[str], before: ArrayLike, after: ArrayLike) -> Table:
    """One row per token: its probability before and after."""
    first, second = as_vector(before, "before"), as_vector(after, "after")
    return ["token", "before", "after", "change"], [
        (label, float(first[row]), float(second[row]), float(second[row] - first[row]))
        for row, label in enumerate(labels)
    ]
