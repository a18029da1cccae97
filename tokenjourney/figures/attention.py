"""Attention of one head: from the match of a query and a key to the share."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.attention_panel import (
    Panel,
    add_mask,
    add_panel,
    add_targets,
    cells_a_point,
    lay_out,
    row_height,
)
from tokenjourney.figures.drawing import Sketch, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, symmetric_limit
from tokenjourney.figures.text import count, distinct_labels, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, row_label

_TOP, _BOTTOM, _LEFT = 52, 104, 92


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
    outline in all four, the marked cell one in ink. Masked cells are hatched. The trace named
    "cells" holds points without a mark: a click on one reports its query and key as `customdata`.
    Where along the axis each matrix begins is in `layout.meta["starts"]`.

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
    cell = row_height(tokens)
    height = _TOP + round(cell * tokens) + _BOTTOM
    figure = Sketch(
        theme,
        height=height,
        margin=(_LEFT, 12, _TOP, _BOTTOM),
        hoverdistance=100 if tokens <= 24 else max(6, round(cell)),
    )
    gap = 0.033
    width = (1 - 3 * gap) / 4
    starts = [index * tokens * (1 + gap / width) for index in range(4)]
    for index, (panel, start) in enumerate(zip(panels, starts, strict=True)):
        left = index * (width + gap)
        add_panel(figure, panel, start, (left, left + width), names, followed, marked, theme)
        if index:
            figure.notes(note("→", left - gap / 2, 0.5, anchor="center", size=16))
    if tokens > 1:
        masked = [start for panel, start in zip(panels, starts, strict=True) if panel.is_masked]
        add_mask(figure, masked, tokens, theme)
    add_targets(figure, panels, starts, names, followed, marked)
    lay_out(figure, names, starts, marked, theme)
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
    side = cells_a_point(tokens)
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


def _panels(dot_products: Array, scaled: Array, pattern: Array, d_head: int) -> list[Panel]:
    future = np.triu(np.ones(pattern.shape, dtype=bool), 1)
    blank = np.float32(np.nan)
    past = np.where(future, blank, scaled)
    limit = symmetric_limit(scaled)
    asks = "“{query}” asks, “{key}” answers: "
    return [
        Panel(
            "q · k",
            "how well they match",
            dot_products,
            symmetric_limit(dot_products),
            False,
            False,
            asks + "q · k = {value}",
        ),
        Panel(
            f"÷ √{d_head}",
            "kept small",
            scaled,
            limit,
            False,
            False,
            asks + f"q · k ÷ {number(math.sqrt(d_head))} = {{value}}",
        ),
        Panel(
            "mask",
            "no looking ahead",
            past,
            limit,
            False,
            True,
            "“{query}” may look at “{key}”: {value} stays",
        ),
        Panel(
            "softmax",
            "shares of 1",
            np.where(future, blank, pattern),
            1.0,
            True,
            True,
            "“{query}” looks at “{key}” with {value}",
        ),
    ]


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
