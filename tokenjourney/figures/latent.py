"""What latent attention keeps of each token, lit, and what it rebuilds from it, dimmed."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, heading, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_matrix, symmetric_limit
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, distinct_labels, escaped
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import row_label, tick_texts
from tokenjourney.figures.written import heatmap

_LEFT, _TOP, _BOTTOM, _GAP, _DIM = 108, 52, 46, 10, 0.45
_WIDE = 3  # a number that is kept is drawn three times as wide as one that is rebuilt

Part = tuple[str, str, ArrayLike, bool]
"""Title, second line, (T, d) numbers, and whether they are kept."""


def latent_figure(
    *, parts: Sequence[Part], labels: Sequence[str], followed: int, theme: Theme | str = LIGHT
) -> go.Figure:
    """One row per token: the numbers that are kept, outlined, and those rebuilt from them, dimmed.

    Every cell is one number; what is kept has one scale, what is rebuilt another, each with its
    bar. Above 60 tokens a window around the followed one is shown.

    Args:
        parts: from left to right; see `Part`.
        labels: the visible texts of the T tokens.
        followed: the row with the accent.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: a part has another number of rows than there are labels.
    """
    theme = as_theme(theme)
    arrays = [as_matrix(values, title) for title, _, values, _ in parts]
    if any(len(array) != len(labels) for array in arrays):
        raise FigureError(f"Every part needs {len(labels)} rows, one for each label.")
    names = distinct_labels(labels)
    start, end = window(len(names), followed)
    pitch = 26 if end - start <= 24 else 16
    plot = pitch * (end - start)
    limits = {
        kept: symmetric_limit(*(a[start:end] for a, part in zip(arrays, parts, strict=True)
                                if part[3] == kept), percentile=95)
        for kept in {part[3] for part in parts}
    }  # fmt: skip
    caption = "Every cell is one number."
    if end - start < len(names):
        caption += f" Tokens {start}–{end - 1} of {count(len(names))}."
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(_LEFT, 12, _TOP, _BOTTOM),
                    caption=caption)  # fmt: skip
    left = 0
    ends: dict[bool, int] = {}
    for (title, subtitle, _, is_kept), array in zip(parts, arrays, strict=True):
        shown, unit = array[start:end], _WIDE if is_kept else 1
        wide, limit = unit * array.shape[1], limits[is_kept]
        numbers = np.tile(np.arange(array.shape[1], dtype=np.int16), (len(shown), 1))
        sketch.trace(
            heatmap(
                z=shown, x=left + unit * (np.arange(array.shape[1]) + 0.5), zmin=-limit, zmax=limit,
                colorscale=theme.div_scale, showscale=False, name=title, customdata=numbers,
                hovertemplate=f"“%{{y}}”, {escaped(title)}, number %{{customdata}}: %{{z}}"
                "<extra></extra>",
                zhoverformat=".2f", opacity=1.0 if is_kept else _DIM,
            )
        )  # fmt: skip
        rows = np.ones((len(shown), 1), dtype=bool)
        sketch.shapes(gaps(rows, theme, x=(left, wide), along="y"))
        sketch.notes(
            *heading(escaped(title), subtitle, left, 1, theme=theme, xref="x"),
        )
        if is_kept:
            sketch.shapes(outline(left, left + wide, -0.5, end - start - 0.5, theme.ink, width=2))
        ends.setdefault(is_kept, left)
        left += wide + _GAP
    row = followed - start
    sketch.shapes(outline(0, left - _GAP, row - 0.5, row + 0.5, theme.accent))
    for index in range(end - start):
        sketch.notes(
            note(row_label(names[start + index], followed=index == row, theme=theme), 0, index,
                 yref="y", anchor="right", size=13 if pitch > 20 else 12, shift=(-8, 0))
        )  # fmt: skip
    sketch.layout(
        xaxis={**NO_TICKS, "range": [0, left - _GAP]},
        yaxis={
            **NO_TICKS,
            "range": [end - start - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": list(range(end - start)),
            "ticktext": tick_texts(names[start:end]),
        },
    )
    for is_kept, begins in ends.items():
        colour_bar(sketch, low=-limits[is_kept], high=limits[is_kept], x=begins / (left - _GAP),
                   length=0.2, below_px=12, plot_px=plot, theme=theme, is_signed=True)  # fmt: skip
    return sketch.figure()


def latent_table(*, parts: Sequence[Part], labels: Sequence[str]) -> Table:
    """One row per token and number: where it stands, whether it is kept, its value."""
    names = distinct_labels(labels)
    return ["position", "token", "part", "kept", "number", "value"], [
        (position, name, title, "yes" if is_kept else "no", index, float(value))
        for position, name in enumerate(names)
        for title, _, values, is_kept in parts
        for index, value in enumerate(np.asarray(values)[position])
    ]
