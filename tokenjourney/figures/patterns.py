"""Attention patterns side by side: one head at several times, or in several networks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cells_to_click, colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, heading, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix
from tokenjourney.figures.png import enlarged, png_uri, quantised
from tokenjourney.figures.text import distinct_labels, escaped, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, row_label, side_by_side
from tokenjourney.figures.written import heatmap

_LEFT, _TOP, _BOTTOM = 92, 52, 104
_MOST_AS_HEATMAP, _MOST_HOVERED, _GAP = 48, 24, 0.03


@dataclass(frozen=True, eq=False)
class PatternPanel:
    """One attention pattern, (T, T), and what it is."""

    title: str
    subtitle: str
    pattern: ArrayLike


def patterns_figure(
    panels: Sequence[PatternPanel],
    *,
    labels: Sequence[str],
    followed: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Attention patterns on one scale: query down, key across, shares from 0 to 1.

    Args:
        panels: the patterns, all of the same tokens.
        labels: the visible texts of the T tokens.
        followed: the row with the accent.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: no panel, or a pattern of another shape.
    """
    theme = as_theme(theme)
    matrices = [as_matrix(panel.pattern, "pattern") for panel in panels]
    tokens = len(labels)
    if not panels or any(matrix.shape != (tokens, tokens) for matrix in matrices):
        raise FigureError(f"Every pattern must have the shape ({tokens}, {tokens}).")
    names = distinct_labels(labels)
    cell = _row_height(tokens, len(panels))
    plot = cell * tokens
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(_LEFT, 12, _TOP, _BOTTOM),
                    hoverdistance=100 if tokens <= _MOST_HOVERED
                    else max(6, round(cell)))  # fmt: skip
    panel = (1 - _GAP * (len(panels) - 1)) / len(panels)  # share of the width
    step = tokens * (1 + _GAP / panel)  # from one panel to the next, in tokens
    starts = [index * step for index in range(len(panels))]
    for index, (one, matrix) in enumerate(zip(panels, matrices, strict=True)):
        left = index * (panel + _GAP)
        sketch.notes(*heading(one.title, one.subtitle, left, 1, theme=theme))
        _add_pattern(sketch, matrix, names, starts[index], followed, theme)
    axis = side_by_side(names, starts, most=max(2, int(900 * panel / 26)))
    sketch.layout(
        xaxis={**axis, "tickangle": -45, "tickfont": {"size": 12}},
        yaxis={"range": [tokens - 0.5, -0.5], **NO_TICKS},
    )
    always = [] if followed is None else [followed]
    for position in labelled_positions(tokens, max(3, int(plot / 16)), always):
        text = row_label(names[position], followed=position == followed, theme=theme, length=12)
        sketch.notes(note(text, 0, position, yref="y", anchor="right", shift=(-8, 0),
                          size=13 if cell >= 14 else 12))  # fmt: skip
    sketch.notes(
        note("key: who<br>answers", 0, 0, anchor="right", valign="top", shift=(-28, -12),
             colour=theme.ink3),
        note("query: who asks", 0, 0.5, anchor="center", shift=(-_LEFT + 9, 0), textangle=-90,
             colour=theme.ink3) if plot > 110 else note("", 0, 0),
    )  # fmt: skip
    length = min(0.3, panel)
    colour_bar(sketch, low=0, high=1, x=0, length=length, below_px=68, plot_px=plot, theme=theme)
    sketch.notes(note("share of the query’s attention", length, 0, valign="top", shift=(14, -65),
                      colour=theme.ink2))  # fmt: skip
    return sketch.figure()


def patterns_table(panels: Sequence[PatternPanel], *, labels: Sequence[str]) -> Table:
    """A row per query and key, with the share in each panel."""
    names = distinct_labels(labels)
    arrays = [np.asarray(panel.pattern, np.float32) for panel in panels]
    return ["query position", "query", "key position", "key", *(p.title for p in panels)], [
        (query, names[query], key, names[key], *(float(array[query, key]) for array in arrays))
        for query in range(len(names))
        for key in range(query + 1)
    ]


def _add_pattern(
    sketch: Sketch, matrix: Array, names: list[str], start: float, followed: int | None,
    theme: Theme,
) -> None:  # fmt: skip
    """One pattern, from `start` on along the axis that all share."""
    tokens = len(names)
    past = np.where(np.triu(np.ones(matrix.shape, bool), 1), np.float32(np.nan), matrix)
    as_picture = tokens > _MOST_AS_HEATMAP
    sketch.trace(
        heatmap(
            z=np.full((1, 1), np.nan, np.float32) if as_picture else past, zmin=0, zmax=1,
            x=None if as_picture else start + np.arange(tokens), colorscale=theme.seq_scale,
            showscale=False, hoverinfo="skip", name="pattern",
        )
    )  # fmt: skip
    if tokens <= 32:
        sketch.shapes(gaps(np.isfinite(past), theme, x=(start - 0.5, 1)))
    if as_picture:
        picture = enlarged(quantised(past, 0, 1), max(1, 480 // tokens))
        sketch.image(source=png_uri(picture, theme.seq), xref="x", yref="y", x=start - 0.5, y=-0.5,
                     sizex=tokens, sizey=tokens, layer="below")  # fmt: skip
    query, key = np.tril_indices(tokens)
    if tokens > _MOST_HOVERED:
        near = (query == followed) | (query == key)
        query, key = query[near], key[near]
    said = [
        f"“{escaped(names[q])}” looks at “{escaped(names[k])}” with {number(v)}"
        for q, k, v in zip(query, key, matrix[query, key].tolist(), strict=True)
    ]
    sketch.trace(
        cells_to_click(
            (start + key).astype(np.float32), query.astype(np.int16), said,
            hover="%{text}", name="cells: pattern",
        )
    )  # fmt: skip
    left, right = start - 0.5, start + tokens - 0.5
    sketch.shapes(outline(left, right, -0.5, tokens - 0.5, theme.line, width=1))
    if followed is not None:
        band = (followed - 0.5, followed + 0.5)
        sketch.shapes(outline(left, right, *band, theme.accent, width=2))


def _row_height(tokens: int, panels: int) -> float:
    """Pixels of a row: constant while labels need them, then a matrix about as high as wide."""
    if tokens <= 6:
        return (60, 44, 36, 30, 28, 26)[tokens - 1]
    whole = {1: 420, 2: 420, 3: 300}.get(panels, 230)
    return min(22.0, max(whole / tokens, 1.0))
