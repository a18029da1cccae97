"""What belongs to the cells of a heatmap: what to click, texts that can be read, a colour bar."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenjourney.figures.drawing import Sketch, note, rules
from tokenjourney.figures.png import EMPTY, palette, png_uri, quantised
from tokenjourney.figures.text import number, signed
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.written import Trace, scatter


def cells_to_click(
    x: NDArray[Any],
    y: NDArray[Any],
    texts: Sequence[str] | None,
    *,
    hover: str,
    xaxis: str = "x",
    yaxis: str = "y",
    name: str = "cells",
) -> Trace:
    """Points without a mark in the middle of cells, to hover over and click.

    Nothing is drawn for them, so that thousands cost a browser no time: the nearest one answers,
    as far from the pointer as the layout's `hoverdistance` allows. `hover` is a Plotly template
    over `%{x}` and `%{y}`, the labels of the ticks, and `%{text}`, the value as it is written:
    Plotly's own formats know no minus sign.
    """
    return scatter(
        x=x,
        y=y,
        text=texts,
        mode="none",
        hovertemplate=hover + "<extra></extra>",
        xaxis=xaxis,
        yaxis=yaxis,
        name=name,
    )


def cell_texts(
    values: NDArray[Any],
    texts: Sequence[Sequence[str]],
    *,
    low: float,
    high: float,
    theme: Theme,
    is_signed: bool = False,
    size: float = 13,
    left: float = 0,
    top: float = 0,
    xaxis: str = "x",
    yaxis: str = "y",
) -> Trace:
    """Texts over the cells of a heatmap, each in whichever of ink and ground reads better there.

    A heatmap's own texts are measured one by one in the browser; those of points are not.

    Args:
        values: (rows, columns) the cells below, which give the grounds.
        texts: their texts, escaped.
        low: the value at the low end of the scale.
        high: the value at its high end.
        theme: its colours.
        is_signed: the cells have the diverging scale; else the sequential one.
        size: of the font, in pixels.
        left: where the first column lies.
        top: where the first row lies.
        xaxis: where they are.
        yaxis: where they are.
    """
    grounds = palette(theme.div if is_signed else theme.seq)[
        np.minimum(quantised(values, low, high), EMPTY - 1)
    ]
    light = luminance(grounds)
    inks = [theme.ink, theme.bg]
    own = [float(luminance(palette([ink, ink])[0])) for ink in inks]
    readable = [(np.maximum(light, a) + 0.05) / (np.minimum(light, a) + 0.05) for a in own]
    first = readable[0] >= readable[1]
    shown = [(x, y) for y, row in enumerate(texts) for x, text in enumerate(row) if text]
    return scatter(
        x=[left + x for x, _ in shown],
        y=[top + y for _, y in shown],
        text=[texts[y][x] for x, y in shown],
        mode="text",
        textfont={"size": size, "color": [inks[0 if first[y, x] else 1] for x, y in shown]},
        hoverinfo="skip",
        xaxis=xaxis,
        yaxis=yaxis,
        name="cell texts",
    )


def gaps(
    shown: NDArray[np.bool_],
    theme: Theme,
    *,
    x: tuple[float, float] = (-0.5, 1),
    y: tuple[float, float] = (-0.5, 1),
    width: float = 1,
    along: str = "xy",
    **refs: str,
) -> dict[str, Any]:
    """The gaps between the cells of a heatmap: lines in the colour of the ground, as one shape.

    A heatmap with gaps of its own is drawn cell by cell in the browser, one without as a picture of
    a pixel a cell, in a fifth of the time.

    Args:
        shown: (rows, columns) which cells are there; there are gaps only between two that are.
        theme: its colours.
        x: left edge of the first column, and how wide each is.
        y: edge of the first row, and how high each is.
        width: of a gap, in pixels.
        along: "x" for gaps between columns, "y" for those between rows, "xy" for both.
        **refs: `xref` and `yref`, where they are not the first axes.
    """
    ends = []
    for column, both in enumerate((shown[:, 1:] & shown[:, :-1]).T if "x" in along else (), 1):
        if (rows := np.flatnonzero(both)).size:
            at = x[0] + x[1] * column
            ends.append((at, at, y[0] + y[1] * rows[0], y[0] + y[1] * (rows[-1] + 1)))
    for row, both in enumerate(shown[1:] & shown[:-1] if "y" in along else (), 1):
        if (columns := np.flatnonzero(both)).size:
            at = y[0] + y[1] * row
            ends.append((x[0] + x[1] * columns[0], x[0] + x[1] * (columns[-1] + 1), at, at))
    return rules(ends, theme.bg, layer="above", line={"width": width, "color": theme.bg}, **refs)


def luminance(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance of (…, 3) colours, from 0 to 1 (WCAG 2.2)."""
    channels = colours.astype(np.float64) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    weighted: NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighted


def colour_bar(
    figure: Sketch,
    *,
    low: float,
    high: float,
    x: float,
    length: float,
    below_px: float,
    plot_px: float,
    theme: Theme,
    is_signed: bool = False,
    unit: str = "",
) -> None:
    """Add a horizontal colour bar under a panel, its ends and its middle written inside its width.

    Plotly's own would take room from the panel; figures here have fixed heights.

    Args:
        figure: receives one picture and three or four notes.
        low: the value at the bar's left end.
        high: the value at its right end.
        x: its left end, in paper units.
        length: in paper units.
        below_px: pixels between the plot's lower edge and the bar.
        plot_px: the plot's height in pixels, without margins.
        theme: its colours.
        is_signed: the diverging scale, and + and − are written; else the sequential one.
        unit: written before the middle, if any.
    """
    colours = theme.div if is_signed else theme.seq
    figure.image(
        source=png_uri(np.arange(255, dtype=np.uint8)[None, :].repeat(8, axis=0), colours),
        xref="paper",
        yref="paper",
        x=x,
        y=-below_px / plot_px,
        sizex=length,
        sizey=9 / plot_px,
        layer="above",
    )
    middle = (low + high) / 2
    digits = 2 if high < 10 else 1
    write = signed if is_signed else number
    for value, where, anchor in ((low, 0.0, "left"), (middle, 0.5, "center"), (high, 1.0, "right")):
        whole = float(value).is_integer()
        tenth = not is_signed and float(10 * value).is_integer()
        shown = 0 if whole else 1 if tenth else digits
        figure.notes(
            note(
                f"{write(value, shown)}{unit}",
                x + where * length,
                0,
                anchor=anchor,
                valign="top",
                size=12,
                colour=theme.ink3,
                shift=(0, -below_px - 11),
                name="colour bar",
            )
        )
