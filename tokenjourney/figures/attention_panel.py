"""One matrix of attention: its cells, mask, outlines, and what a click on it reports."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tokenjourney.figures.cells import cell_texts, cells_to_click, colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, hatched_area, heading, line, outline
from tokenjourney.figures.matrices import Array, downsampled
from tokenjourney.figures.png import enlarged, png_uri, quantised
from tokenjourney.figures.text import number
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.ticks import labelled_positions, tick_texts
from tokenjourney.figures.written import heatmap

_MOST_AS_HEATMAP = 48
_MOST_ALL_TO_CLICK = 24
"""Above these numbers of tokens: a picture, no heatmap; squares to click only where it counts."""

_MOST_PIXELS = 512
"""A larger matrix is drawn as means of neighbouring cells: no screen shows more of it here."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the four matrices: what it shows and how a cell is read aloud."""

    title: str
    subtitle: str
    values: Array
    limit: float
    is_share: bool
    hover: str


def add_panel(
    figure: Sketch,
    panel: Panel,
    index: int,
    left: float,
    width: float,
    names: list[str],
    followed: int,
    marked: int,
    theme: Theme,
) -> None:
    """Draw the `index`-th matrix from the left: the two axes of that number, cells, bar, outlines.

    Args:
        figure: receives it.
        panel: what it shows.
        index: which matrix it is; from the third on the future is masked.
        left: its left edge, in paper units.
        width: in paper units.
        names: the labels of the tokens, each different.
        followed: the row that is outlined.
        marked: the column of the cell that is outlined.
        theme: its colours.
    """
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
    _add_targets(figure, panel, index, xaxis, yaxis, followed, marked)
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
    figure: Sketch, panel: Panel, xaxis: str, yaxis: str, left: float, width: float, theme: Theme
) -> None:
    tokens = len(panel.values)
    low = 0.0 if panel.is_share else -panel.limit
    colours = theme.seq if panel.is_share else theme.div
    as_picture = tokens > _MOST_AS_HEATMAP
    few = tokens <= 5
    figure.trace(
        heatmap(
            z=np.full((1, 1), np.nan, np.float32) if as_picture else panel.values,
            zmin=low,
            zmax=panel.limit,
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
    if tokens <= 32:
        figure.shapes(gaps(np.isfinite(panel.values), theme, xref=xaxis, yref=yaxis))
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
        plot_px=row_height(tokens) * tokens,
        theme=theme,
        is_signed=not panel.is_share,
    )
    if as_picture:
        times = max(1, 600 // tokens)
        cells = downsampled(panel.values, (-(-tokens // cells_a_point(tokens))) ** 2).values
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
    panel: Panel,
    index: int,
    xaxis: str,
    yaxis: str,
    followed: int,
    marked: int,
) -> None:
    """Squares to hover over and click: of a large matrix only a row, a column and the diagonal."""
    tokens = len(panel.values)
    query, key = (a.ravel() for a in np.mgrid[0:tokens, 0:tokens].astype(np.int16))
    if tokens > _MOST_ALL_TO_CLICK:
        near = (query == followed) | (key == marked) | (query == key)
        query, key = query[near], key[near]
    values = panel.values[query, key]
    allowed = np.isfinite(values)
    axes: dict[str, Any] = {"xaxis": xaxis, "yaxis": yaxis}
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
    return ["" if np.isnan(value) else number(value) for value in values]


def _staircase(tokens: int) -> tuple[list[float], list[float]]:
    """The outline of the cells right of the diagonal."""
    x, y = [0.5, tokens - 0.5, tokens - 0.5], [-0.5, -0.5, tokens - 1.5]
    for row in range(tokens - 2, -1, -1):
        x += [row + 0.5, row + 0.5]
        y += [row + 0.5, row - 0.5]
    return x, y
