"""Counts as bars: how long a text is in several units, how a vocabulary is made up."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from tokenjourney.figures.drawing import Sketch
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import require_same_length
from tokenjourney.figures.text import count, escaped, share
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import bar

_PITCH, _BAR = 36, 20


def counts_figure(
    names: Sequence[str],
    counts: Sequence[int],
    notes: Sequence[str] | None = None,
    *,
    axis: str,
    strong: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Counts as horizontal bars from 0, each with its number written at its end.

    Args:
        names: What is counted, from top to bottom.
        counts: How many of each.
        notes: What to write behind each number; nothing by default.
        axis: Title of the axis of counts.
        strong: The bar that has the accent, if one has.
        theme: Its colours.

    Returns:
        A figure with one bar trace, its `y` the names and its `x` the counts.
    """
    require_same_length(names=names, counts=counts)
    theme = as_theme(theme)
    notes = notes or [""] * len(names)
    colours = [theme.accent if i == strong else theme.quantity for i in range(len(names))]
    texts = [
        f"<b>{count(n)}</b>{'  ' + escaped(note) if note else ''}"
        for n, note in zip(counts, notes, strict=True)
    ]
    sketch = Sketch(theme, height=len(names) * _PITCH + 54, margin=(120, 16, 4, 50))
    sketch.trace(
        bar(
            y=[escaped(name) for name in names],
            x=list(counts),
            orientation="h",
            width=_BAR / _PITCH,
            marker={"color": colours, "cornerradius": 3},
            text=texts,
            textposition="outside",
            textfont={"color": theme.ink2, "size": 14},
            cliponaxis=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    )
    most = max([*counts, 1])
    sketch.layout(
        xaxis={"range": [0, most * 1.5], "title": {"text": axis}, "rangemode": "tozero",
               "nticks": 6},
        yaxis={"autorange": "reversed", "showgrid": False,
               "tickfont": {"size": 14, "color": theme.ink2}},
    )  # fmt: skip
    return sketch.figure()


def counts_table(names: Sequence[str], counts: Sequence[int], of: str) -> Table:
    """The same as rows, with each count's share of all of them.

    >>> counts_table(["byte", "word"], [1, 3], "kind")
    (['kind', 'count', 'share'], [('byte', 1, '25 %'), ('word', 3, '75 %')])
    """
    total = sum(counts) or 1
    rows = [(name, n, share(n / total)) for name, n in zip(names, counts, strict=True)]
    return [of, "count", "share"], list(rows)
