"""Attention of one head: from the match of a query and a key to the share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import (
    NO_TICKS,
    Sketch,
    cell_texts,
    cells_to_click,
    colour_bar,
    hatched_area,
    heading,
    labelled_positions,
    line,
    note,
    outline,
    row_label,
    tick_texts,
)
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, downsampled, symmetric_limit
from tokenjourney.figures.png import enlarged, png_uri, quantised
from tokenjourney.figures.text import count, distinct_labels, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import heatmap

_MOST_AS_HEATMAP = 48
_MOST_ALL_TO_CLICK = 24
"""Above these numbers of tokens: a picture, no heatmap; squares to click only where it counts."""

_MOST_PIXELS = 512
"""A larger matrix is drawn as means of neighbouring cells: no screen shows more of it here."""

_TOP, _BOTTOM, _LEFT = 52, 104, 92


@dataclass(frozen=True, eq=False)
class _Panel:
    """One of the four matrices: what it shows and how a cell is read aloud."""

    title: str
    subtitle: str
    values: Array
    limit: float
    is_share: bool
    hover: str


def attention_matrices_figure(
    *,
    dot_products: ArrayLike,
    scaled: ArrayLike,
    pattern: ArrayLike,
    d_head: int,
    labels: Sequence[str],
    followed: int,
    marked: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The four linked matrices of one head: q · k, ÷ √d_head, mask, softmax.

    Rows are queries (who asks), columns are keys (who answers). The followed row has one accent
    outline in all four, the marked cell one in ink. Masked cells are hatched. The traces named
    "cells…" are invisible squares: a click on a cell reports its key as x and its query as y.

    Args:
        dot_products: (T, T), every query against every key, before scaling and mask.
        scaled: (T, T), the same divided by √d_head, not masked.
        pattern: (T, T), shares after softmax; rows sum to 1.
        d_head: the numbers of a query.
        labels: the visible texts of the T tokens.
        followed: the position of the followed token, as query.
        marked: the key position of the marked cell in the followed row; the strongest if None.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: shapes that do not fit each other, or positions outside the prompt.
    """
    theme = as_theme(theme)
    tokens = len(labels)
    matrices = [_square(dot_products, tokens), _square(scaled, tokens), _square(pattern, tokens)]
    _require_position(followed, tokens, "followed")
    if marked is None:
        marked = int(np.argmax(matrices[2][followed, : followed + 1]))
    _require_position(marked, tokens, "marked")
    names = distinct_labels(labels)
    panels = _panels(matrices[0], matrices[1], matrices[2], d_head)
    cell = _row_height(tokens)
    height = _TOP + round(cell * tokens) + _BOTTOM
    figure = Sketch(
        theme,
        height=height,
        margin=(_LEFT, 12, _TOP, _BOTTOM),
        caption="Query down, key across. Hatched cells lie in the future: not small, but excluded.",
        hoverdistance=30,
    )
    gap = 0.033
    width = (1 - 3 * gap) / 4
    for index, panel in enumerate(panels):
        left = index * (width + gap)
        _add_panel(figure, panel, index, left, width, names, followed, marked, cell, theme)
        if index:
            figure.notes(note("→", left - gap / 2, 0.5, anchor="center", size=16))
    for position in labelled_positions(tokens, 24 if cell >= 12 else 16, (followed,)):
        figure.notes(
            note(
                row_label(names[position], followed=position == followed, theme=theme, length=12),
                0,
                position,
                xref="paper",
                yref="y",
                anchor="right",
                shift=(-8, 0),
                size=13 if cell >= 14 else 12,
            )
        )
    figure.notes(
        note(
            "query: who asks" if tokens > 3 else "query",
            0,
            0.5,
            anchor="center",
            shift=(-_LEFT + 9, 0),
            textangle=-90,
            colour=theme.ink3,
        )
    )
    figure.notes(
        note(
            "key: who<br>answers",
            0,
            0,
            anchor="right",
            valign="top",
            shift=(-30, -14),
            colour=theme.ink3,
        )
    )
    return figure.figure()


def matrices_note(tokens: int) -> str:
    """What was done to draw the matrices of so many tokens; nothing, if they are drawn as they are.

    >>> matrices_note(512), matrices_note(1024)
    ('', 'Each point is the mean of 2 × 2 cells, because 1,024 × 1,024 are too many to draw.')
    """
    side = _cells_a_point(tokens)
    if side == 1:
        return ""
    n = count(tokens)
    return (
        f"Each point is the mean of {side} × {side} cells, because {n} × {n} are too many to draw."
    )


def attention_table(
    *, dot_products: ArrayLike, scaled: ArrayLike, pattern: ArrayLike, labels: Sequence[str]
) -> Table:
    """The numbers of the four matrices, one row per query and key, in reading order."""
    names = distinct_labels(labels)
    first, second, third = (_square(m, len(names)) for m in (dot_products, scaled, pattern))
    return ["query position", "query", "key position", "key", "q·k", "scaled", "masked", "share"], [
        (
            query,
            names[query],
            key,
            names[key],
            float(first[query, key]),
            float(second[query, key]),
            key > query,
            float(third[query, key]),
        )
        for query in range(len(names))
        for key in range(len(names))
    ]


def _panels(dot_products: Array, scaled: Array, pattern: Array, d_head: int) -> list[_Panel]:
    future = np.triu(np.ones(pattern.shape, dtype=bool), 1)
    blank = np.float32(np.nan)
    past = np.where(future, blank, scaled)
    limit = symmetric_limit(scaled)
    asks = "“%{y}” asks, “%{x}” answers: "
    return [
        _Panel(
            "q · k",
            "how well they match",
            dot_products,
            symmetric_limit(dot_products),
            False,
            asks + "q · k = %{text}",
        ),
        _Panel(
            f"÷ √{d_head}",
            "kept small",
            scaled,
            limit,
            False,
            asks + f"q · k ÷ {number(math.sqrt(d_head))} = %{{text}}",
        ),
        _Panel(
            "mask",
            "no looking ahead",
            past,
            limit,
            False,
            "“%{y}” may look at “%{x}”: %{text} stays",
        ),
        _Panel(
            "softmax",
            "shares of 1",
            np.where(future, blank, pattern),
            1.0,
            True,
            "“%{y}” looks at “%{x}” with %{text}",
        ),
    ]


def _add_panel(
    figure: Sketch,
    panel: _Panel,
    index: int,
    left: float,
    width: float,
    names: list[str],
    followed: int,
    marked: int,
    cell: float,
    theme: Theme,
) -> None:
    tokens = len(names)
    suffix = str(index + 1) if index else ""
    xaxis, yaxis = f"x{suffix}", f"y{suffix}"
    shown = labelled_positions(tokens, 12, (marked,))
    crowded = tokens > 10
    texts = tick_texts(names, strong=marked, length=9 if crowded else 12)
    edge = [-0.5, tokens - 0.5]
    axes: dict[str, Any] = {
        f"xaxis{suffix}": {
            "domain": [left, left + width],
            "anchor": yaxis,
            "range": edge,
            "tickangle": -60 if crowded else -45,
            "tickmode": "array",
            "tickvals": list(range(tokens)),
            "ticktext": [texts[p] if p in shown else "" for p in range(tokens)],
            "tickfont": {"size": 12 if crowded else 13, "color": theme.ink2},
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
        },
        f"yaxis{suffix}": {
            "anchor": xaxis,
            "range": edge[::-1],
            "tickmode": "array",
            "tickvals": list(range(tokens)),
            "ticktext": tick_texts(names),
            **NO_TICKS,
        },
    }
    figure.layout(**axes)
    figure.notes(*heading(panel.title, panel.subtitle, left, 1, theme=theme))
    _add_cells(figure, panel, xaxis, yaxis, left, width, theme)
    if index >= 2 and tokens > 1:
        figure.trace(hatched_area(*_staircase(tokens), theme=theme, xaxis=xaxis, yaxis=yaxis))
    _add_targets(figure, panel, index, xaxis, yaxis, followed, marked, cell)
    refs = {"xref": xaxis, "yref": yaxis}
    if followed > 0 and tokens > 5:
        figure.shapes(
            line(
                marked, marked, -0.5, followed - 0.5, theme.ink2, xref=xaxis, yref=yaxis, dash="dot"
            )
        )
    figure.shapes(
        outline(edge[0], edge[1], followed - 0.5, followed + 0.5, theme.accent, width=2.5, **refs)
    )
    figure.shapes(
        outline(
            marked - 0.5, marked + 0.5, followed - 0.5, followed + 0.5, theme.ink, width=3, **refs
        )
    )


def _add_cells(
    figure: Sketch, panel: _Panel, xaxis: str, yaxis: str, left: float, width: float, theme: Theme
) -> None:
    tokens = len(panel.values)
    low = 0.0 if panel.is_share else -panel.limit
    colours = theme.seq if panel.is_share else theme.div
    as_picture = tokens > _MOST_AS_HEATMAP
    gap = 1 if tokens <= 32 else 0
    few = tokens <= 5
    figure.trace(
        heatmap(
            z=np.full((1, 1), np.nan, np.float32) if as_picture else panel.values,
            zmin=low,
            zmax=panel.limit,
            xgap=gap,
            ygap=gap,
            hoverongaps=False,
            **(
                {"text": _written(panel.values), "hovertemplate": panel.hover + "<extra></extra>"}
                if _MOST_ALL_TO_CLICK < tokens <= _MOST_AS_HEATMAP
                else {"hoverinfo": "skip"}
            ),
            colorscale=theme.seq_scale if panel.is_share else theme.div_scale,
            showscale=False,
            xaxis=xaxis,
            yaxis=yaxis,
            name=panel.title,
        )
    )
    if few:
        figure.trace(
            cell_texts(
                panel.values,
                _written(panel.values),
                low=low,
                high=panel.limit,
                theme=theme,
                is_signed=not panel.is_share,
                xaxis=xaxis,
                yaxis=yaxis,
            )
        )
    colour_bar(
        figure,
        low=low,
        high=panel.limit,
        x=left,
        length=width,
        below_px=66,
        plot_px=_row_height(tokens) * tokens,
        theme=theme,
        is_signed=not panel.is_share,
    )
    if as_picture:
        times = max(1, 600 // tokens)
        cells = downsampled(panel.values, (-(-tokens // _cells_a_point(tokens))) ** 2).values
        picture = enlarged(quantised(cells, low, panel.limit), times)
        figure.image(
            source=png_uri(picture, colours),
            xref=xaxis,
            yref=yaxis,
            x=-0.5,
            y=-0.5,
            sizex=tokens,
            sizey=tokens,
            layer="below",
        )


def _add_targets(
    figure: Sketch,
    panel: _Panel,
    index: int,
    xaxis: str,
    yaxis: str,
    followed: int,
    marked: int,
    cell: float,
) -> None:
    """Squares to hover over and click: of a large matrix only a row, a column and the diagonal."""
    tokens = len(panel.values)
    query, key = (a.ravel() for a in np.mgrid[0:tokens, 0:tokens].astype(np.int16))
    if tokens > _MOST_ALL_TO_CLICK:
        near = (query == followed) | (key == marked) | (query == key)
        query, key = query[near], key[near]
    values = panel.values[query, key]
    allowed = np.isfinite(values)
    axes: dict[str, Any] = {"xaxis": xaxis, "yaxis": yaxis, "size": max(6.0, cell)}
    figure.trace(
        cells_to_click(
            key[allowed],
            query[allowed],
            _written(values[allowed]),
            hover=panel.hover,
            name=f"cells: {panel.title}",
            **axes,
        )
    )
    if index >= 2 and not allowed.all():
        ahead = ~allowed
        figure.trace(
            cells_to_click(
                key[ahead],
                query[ahead],
                None,
                hover="“%{x}” comes after “%{y}”: excluded",
                name="masked cells",
                **axes,
            )
        )


def _written(values: Array) -> Any:
    """Every value as its text, in the same nesting; nothing for NaN."""
    if values.ndim > 1:
        return [_written(row) for row in values]
    return ["" if np.isnan(value) else number(value) for value in values]


def _staircase(tokens: int) -> tuple[list[float], list[float]]:
    """The outline of the cells right of the diagonal."""
    x, y = [0.5, tokens - 0.5, tokens - 0.5], [-0.5, -0.5, tokens - 1.5]
    for row in range(tokens - 2, -1, -1):
        x += [row + 0.5, row + 0.5]
        y += [row + 0.5, row - 0.5]
    return x, y


def _cells_a_point(tokens: int) -> int:
    """How many cells along each side one point of the picture is the mean of."""
    return -(-tokens // _MOST_PIXELS)


def _row_height(tokens: int) -> float:
    """Pixels of a row: constant while the labels need them, then a matrix of 384 px."""
    if tokens <= 6:
        return (60, 44, 36, 30, 28, 26)[tokens - 1]
    return 22 if tokens <= 12 else 18 if tokens <= 24 else 384 / tokens


def _square(values: ArrayLike, tokens: int) -> Array:
    matrix = as_matrix(values, "An attention matrix")
    if matrix.shape != (tokens, tokens):
        raise FigureError(
            f"An attention matrix has the shape {matrix.shape}, but there are {tokens} labels: "
            f"expected ({tokens}, {tokens})."
        )
    return matrix


def _require_position(position: int, tokens: int, name: str) -> None:
    if not 0 <= position < tokens:
        raise FigureError(f"{name} is {position}. Pass a position from 0 to {tokens - 1}.")
