"""A KV cache while it grows: a column for each token, and what is computed for the new one."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, hatched_area, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, symmetric_limit
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, distinct_labels
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, tick_texts
from tokenjourney.figures.written import Trace, heatmap, scatter

_LEFT, _TOP, _NAMES, _BAR = 132, 10, 76, 30
_PANEL, _ROW, _GAP = 132, 38, 12
_FEWEST_PLACES, _MOST_LABELS, _BARS = 12, 30, 0.42

Part = tuple[str, str, ArrayLike]
"""Title, second line, and (T, d) numbers."""


def kept_figure(
    *, parts: Sequence[Part], labels: Sequence[str], step: int, theme: Theme | str = LIGHT
) -> go.Figure:
    """The first `step` columns of a cache, the last of them new; the places of others are empty.

    Under them two rows: for which columns something is computed at this step, with the cache and
    without it. Each part has a scale of its own, which is the same at every step. Above 60 tokens
    a window around the new one is shown. A click on a mark of the two rows reports its step.

    Args:
        parts: what is kept, from top to bottom; see `Part`.
        labels: the visible texts of the T tokens.
        step: how many tokens have come, from 1 to T.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: a part has another number of rows than there are labels, or no such step.
    """
    theme = as_theme(theme)
    arrays = [as_matrix(values, title) for title, _, values in parts]
    if any(len(array) != len(labels) for array in arrays):
        raise FigureError(f"Every part needs {len(labels)} rows, one for each label.")
    if not 1 <= step <= len(labels):
        raise FigureError(f"There are steps from 1 to {len(labels)}, but no step {step}.")
    start, end = window(len(labels), step - 1)
    limits = [symmetric_limit(array) for array in arrays]
    rows_at = len(arrays) * (_PANEL + _GAP)
    plot = rows_at + 2 * _ROW + _GAP
    caption = "Every cell is one number."
    if end - start < len(labels):
        caption += f" Tokens {start}–{end - 1} of {count(len(labels))}."
    sketch = Sketch(theme, height=_TOP + plot + _NAMES + _BAR, caption=caption,
                    margin=(_LEFT, 12, _TOP, _NAMES + _BAR))  # fmt: skip
    names = distinct_labels(labels)[start:end]
    for index, ((title, subtitle, _), array) in enumerate(zip(parts, arrays, strict=True)):
        top = index * (_PANEL + _GAP)
        sketch.shapes(ground(start - 0.5, end - 0.5, top, top + _PANEL, theme.surface))
        sketch.trace(_panel(array[start:step], start, top, title, limits[index], theme))
        columns = np.ones((1, step - start), dtype=bool)
        sketch.shapes(gaps(columns, theme, x=(start - 0.5, 1), y=(top, _PANEL)))
        sketch.notes(_left(title, subtitle, top + _PANEL / 2, theme))
    _add_work(sketch, start, end, step, rows_at, names, theme)
    sketch.shapes(outline(step - 1.5, step - 0.5, 0, rows_at - _GAP, theme.accent))
    _lay_out(sketch, names, start, step, plot)
    for index, ((title, *_), limit) in enumerate(zip(parts, limits, strict=True)):
        sketch.notes(note(title, index * _BARS, 0, valign="top", size=12.5, colour=theme.ink2,
                          shift=(0, -_NAMES + 5)))  # fmt: skip
        colour_bar(sketch, low=-limit, high=limit, x=index * _BARS + 0.1, length=0.22,
                   below_px=_NAMES, plot_px=plot, theme=theme, is_signed=True)  # fmt: skip
    return sketch.figure()


def kept_table(*, parts: Sequence[Part], labels: Sequence[str], step: int) -> Table:
    """One row per token that has come and number kept of it."""
    names = distinct_labels(labels)[:step]
    return ["position", "token", "part", "number", "value"], [
        (position, name, title, index, float(value))
        for position, name in enumerate(names)
        for title, _, values in parts
        for index, value in enumerate(np.asarray(values)[position])
    ]


def _panel(shown: Array, start: int, top: float, title: str, limit: float, theme: Theme) -> Trace:
    """The columns that have come, from `start` on: one cell for each number, from the top down."""
    tokens, d = shown.shape
    return heatmap(
        z=shown.T, x=np.arange(start, start + tokens), y=top + np.linspace(0, _PANEL, d + 1),
        zmin=-limit, zmax=limit, colorscale=theme.div_scale, showscale=False,
        zhoverformat=".3f", customdata=np.tile(np.arange(d)[:, None], (1, tokens)).astype(np.int16),
        hovertemplate=f"“%{{x}}”, {title}, number %{{customdata}}: %{{z}}<extra></extra>",
        name=title,
    )  # fmt: skip


def _add_work(
    sketch: Sketch, start: int, end: int, step: int, top: float, names: list[str], theme: Theme
) -> None:
    """The two rows: the new column alone is computed; and all columns, the old ones again."""
    middles = (top + _ROW / 2, top + 1.5 * _ROW + _GAP / 2)
    rows = (("with the cache", "computes 1", "is kept, and only read"),
            ("without it", f"computes {count(step)}", "is computed again"))  # fmt: skip
    new = step - 1
    if new > start:
        low, high = middles[1] - _ROW / 2 + 2, middles[1] + _ROW / 2 - 2
        sketch.trace(
            hatched_area([start - 0.46, new - 0.54, new - 0.54, start - 0.46],
                         [low, low, high, high], theme=theme)
        )  # fmt: skip
    for middle, (title, subtitle, old) in zip(middles, rows, strict=True):
        sketch.notes(_left(title, subtitle, middle, theme))
        sketch.shapes(ground(new - 0.46, new + 0.46, middle - _ROW / 2 + 2, middle + _ROW / 2 - 2,
                             theme.accent))  # fmt: skip
        said = [
            old if p < new else "is new, and computed" if p == new else "has not come yet"
            for p in range(start, end)
        ]
        sketch.trace(
            scatter(
                x=np.arange(start, end), y=np.full(end - start, middle), mode="markers", text=said,
                marker={"size": 6, "opacity": [float(middle == middles[0] and p < new)
                                               for p in range(start, end)], "color": theme.curve},
                customdata=np.arange(start + 1, end + 1)[:, None], name=title,
                hovertemplate=f"{title}: “%{{x}}” %{{text}}<extra></extra>",
            )
        )  # fmt: skip


def _left(title: str, subtitle: str, middle: float, theme: Theme) -> dict[str, object]:
    """Two lines left of a panel or row."""
    return note(f"<b>{title}</b><br>{subtitle}", 0, middle, yref="y", anchor="right", size=13,
                shift=(-10, 0), colour=theme.ink2)  # fmt: skip


def _lay_out(sketch: Sketch, names: list[str], start: int, step: int, plot: float) -> None:
    """Tokens under the columns; few ones leave room at the right instead of growing broad."""
    new = step - 1 - start
    texts = tick_texts(names, new, length=10)
    shown = labelled_positions(len(names), _MOST_LABELS, [new])
    sketch.layout(
        xaxis={"range": [start - 0.5, start - 0.5 + max(len(names), _FEWEST_PLACES)],
               "tickmode": "array", "tickvals": list(range(start, start + len(names))),
               "ticktext": [t if i in shown else "" for i, t in enumerate(texts)],
               "tickangle": -45, "ticks": "", "showgrid": False, "zeroline": False},
        yaxis={**NO_TICKS, "range": [plot, 0]},
    )  # fmt: skip
