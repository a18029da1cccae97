"""One matrix of attention: its cells, mask, outlines, and what a click on it reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from tokenjourney.figures.cells import cell_texts, cells_to_click, colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, hatched_area, heading, line, outline
from tokenjourney.figures.matrices import Array, downsampled
from tokenjourney.figures.png import enlarged, png_uri, quantised
from tokenjourney.figures.text import number
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.ticks import side_by_side, tick_texts
from tokenjourney.figures.written import heatmap

_MOST_AS_HEATMAP = 48
_MOST_ALL_TO_CLICK = 24
"""Above these numbers of tokens: a picture, no heatmap; squares to click only where it counts."""

_MOST_PIXELS = 512
"""A larger matrix is drawn as means of neighbouring cells: no screen shows more of it here."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the four matrices: what it shows and how a cell is read aloud.

    `says` is a sentence with {query}, {key} and {value}.
    """

    title: str
    subtitle: str
    values: Array
    limit: float
    is_share: bool
    is_masked: bool
    says: str


def add_panel(
    figure: Sketch,
    panel: Panel,
    start: float,
    edges: tuple[float, float],
    names: list[str],
    followed: int,
    marked: int,
    theme: Theme,
) -> None:
    """Draw one matrix: its cells, bar and outlines.

    Args:
        figure: receives it.
        panel: what it shows.
        start: where its first column lies along the axis that all matrices share.
        edges: its left and right end, in paper units.
        names: the labels of the tokens, each different.
        followed: the row that is outlined.
        marked: the column of the cell that is outlined.
        theme: its colours.
    """
    tokens = len(names)
    left, right = edges
    figure.notes(*heading(panel.title, panel.subtitle, left, 1, theme=theme))
    _add_cells(figure, panel, start, names, theme)
    colour_bar(
        figure,
        low=0.0 if panel.is_share else -panel.limit,
        high=panel.limit,
        x=left,
        length=right - left,
        below_px=66,
        plot_px=row_height(tokens) * tokens,
        theme=theme,
        is_signed=not panel.is_share,
    )
    column = start + marked
    if followed > 0 and tokens > 5:
        figure.shapes(line(column, column, -0.5, followed - 0.5, theme.ink2, dash="dot"))
    row = (followed - 0.5, followed + 0.5)
    figure.shapes(
        outline(start - 0.5, start + tokens - 0.5, *row, theme.accent, width=2.5),
        outline(column - 0.5, column + 0.5, *row, theme.ink, width=3),
    )


def lay_out(
    figure: Sketch, names: list[str], starts: Sequence[float], marked: int, theme: Theme
) -> None:
    """One pair of axes for all matrices.

    `layout.meta["starts"]` says where on it each of them begins, for whoever looks for its cells.

    Args:
        figure: receives them.
        names: the labels of the tokens, each different.
        starts: where each matrix begins.
        marked: the position whose label is bold.
        theme: its colours.
    """
    tokens = len(names)
    crowded = tokens > 10
    axis = side_by_side(names, starts, 12, marked=marked, length=9 if crowded else 12)
    figure.layout(
        meta={"starts": [*starts]},
        xaxis={
            **axis,
            "tickangle": -60 if crowded else -45,
            "tickfont": {"size": 12 if crowded else 13, "color": theme.ink2},
        },
        yaxis={
            "range": [tokens - 0.5, -0.5],
            "tickmode": "array",
            "tickvals": list(range(tokens)),
            "ticktext": tick_texts(names),
            **NO_TICKS,
        },
    )


def _add_cells(figure: Sketch, panel: Panel, start: float, names: list[str], theme: Theme) -> None:
    tokens = len(names)
    low = 0.0 if panel.is_share else -panel.limit
    colours = theme.seq if panel.is_share else theme.div
    as_picture = tokens > _MOST_AS_HEATMAP
    hover: dict[str, Any] = {"hoverinfo": "skip"}
    if _MOST_ALL_TO_CLICK < tokens <= _MOST_AS_HEATMAP:
        says = panel.says.format(query="%{y}", key="%{customdata}", value="%{text}")
        keys = [tick_texts(names)] * tokens
        hover = {"text": _written(panel.values), "customdata": keys, "hoverongaps": False,
                 "hovertemplate": f"{says}<extra></extra>"}  # fmt: skip
    figure.trace(
        heatmap(
            z=np.full((1, 1), np.nan, np.float32) if as_picture else panel.values,
            x=None if as_picture else start + np.arange(tokens),
            zmin=low,
            zmax=panel.limit,
            colorscale=theme.seq_scale if panel.is_share else theme.div_scale,
            showscale=False,
            name=panel.title,
            **hover,
        )
    )
    if tokens <= 32:
        figure.shapes(gaps(np.isfinite(panel.values), theme, x=(start - 0.5, 1)))
    if tokens <= 5:
        figure.trace(
            cell_texts(
                panel.values,
                _written(panel.values),
                low=low,
                high=panel.limit,
                theme=theme,
                is_signed=not panel.is_share,
                left=start,
            )
        )
    if as_picture:
        times = max(1, 600 // tokens)
        cells = downsampled(panel.values, (-(-tokens // cells_a_point(tokens))) ** 2).values
        picture = enlarged(quantised(cells, low, panel.limit), times)
        figure.image(
            source=png_uri(picture, colours),
            xref="x",
            yref="y",
            x=start - 0.5,
            y=-0.5,
            sizex=tokens,
            sizey=tokens,
            layer="below",
        )


def add_mask(figure: Sketch, starts: Sequence[float], tokens: int, theme: Theme) -> None:
    """Hatch what is masked, in each of the matrices that begin there; all of it is one trace."""
    x, y = _staircase(tokens)
    nowhere = np.nan  # parts one area from the next
    xs = np.concatenate([[*(start + np.array(x)), nowhere] for start in starts])
    figure.trace(hatched_area(xs, np.array([*y, nowhere] * len(starts)), theme=theme))


def add_targets(
    figure: Sketch,
    panels: Sequence[Panel],
    starts: Sequence[float],
    names: list[str],
    followed: int,
    marked: int,
) -> None:
    """Points to hover over and click: of a large matrix only a row, a column and the diagonal."""
    query, key = (a.ravel() for a in np.mgrid[0 : len(names), 0 : len(names)].astype(np.int16))
    if len(names) > _MOST_ALL_TO_CLICK:
        near = (query == followed) | (key == marked) | (query == key)
        query, key = query[near], key[near]
    words = tick_texts(names)
    said = [
        f"“{words[k]}” comes after “{words[q]}”: excluded"
        if isnan(value)
        else panel.says.format(query=words[q], key=words[k], value=number(value))
        for panel in panels
        for q, k, value in zip(
            query.tolist(), key.tolist(), panel.values[query, key].tolist(), strict=True
        )
    ]
    x = np.concatenate([start + key for start in starts]).astype(np.float32)
    cells = cells_to_click(x, np.tile(query, len(starts)), said, hover="%{text}")
    cells["customdata"] = np.tile(np.stack([query, key], axis=1), (len(starts), 1))
    figure.trace(cells)


def cells_a_point(tokens: int) -> int:
    """How many cells along each side one point of the picture is the mean of."""
    return -(-tokens // _MOST_PIXELS)


def row_height(tokens: int) -> float:
    """Pixels of a row: constant while the labels need them, then a matrix of 384 px."""
    if tokens <= 6:
        return (60, 44, 36, 30, 28, 26)[tokens - 1]
    return 22 if tokens <= 12 else 18 if tokens <= 24 else 384 / tokens


def _written(values: Array) -> Any:
    """Every value as its text, in the same nesting; nothing for NaN."""
    if values.ndim > 1:
        return [_written(row) for row in values]
    return ["" if isnan(value) else number(value) for value in values]


def _staircase(tokens: int) -> tuple[list[float], list[float]]:
    """The outline of the cells right of the diagonal."""
    x, y = [0.5, tokens - 0.5, tokens - 0.5], [-0.5, -0.5, tokens - 1.5]
    for row in range(tokens - 2, -1, -1):
        x += [row + 0.5, row + 0.5]
        y += [row + 0.5, row - 0.5]
    return x, y
