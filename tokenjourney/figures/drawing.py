"""Marks that figures share: frames, notes, outlines, hatching, colour bars, cells to click."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from tokenjourney.figures.png import EMPTY, palette, png_uri, quantised
from tokenjourney.figures.text import escaped, number, shortened, signed, token_markup
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.written import Trace, Written, scatter

NO_TICKS: dict[str, Any] = {
    "showticklabels": False,
    "ticks": "",
    "showgrid": False,
    "zeroline": False,
}
_STEPS = (1, 2, 3, 4, 5, 10, 20, 25, 50, 100, 200, 250, 500)


class Sketch:
    """A figure being drawn.

    Args:
        theme: its colours, and the template.
        height: pixels, margins included.
        margin: pixels left, right, top and bottom.
        caption: one line, kept in `layout.meta["caption"]` for the page.
        **layout: anything else of Plotly's layout.
    """

    def __init__(
        self,
        theme: Theme,
        *,
        height: float,
        margin: tuple[int, int, int, int] = (8, 8, 8, 8),
        caption: str = "",
        **layout: Any,
    ) -> None:
        """Start with the frame alone."""
        left, right, top, bottom = margin
        self._traces: list[Any] = []
        self._notes: list[dict[str, Any]] = []
        self._shapes: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []
        self._layout: dict[str, Any] = {
            "template": theme.template,
            "height": round(height),
            "margin": {"l": left, "r": right, "t": top, "b": bottom, "pad": 0},
            **({"meta": {"caption": caption}} if caption else {}),
            **layout,
        }

    def trace(self, *traces: Any) -> None:
        """Add traces, in the order in which they are drawn."""
        self._traces += traces

    def notes(self, *notes: dict[str, Any]) -> None:
        """Add annotations, as `note` makes them."""
        self._notes += notes

    def shapes(self, *shapes: dict[str, Any]) -> None:
        """Add shapes, as `outline` and `ground` make them."""
        self._shapes += shapes

    def image(self, **image: Any) -> None:
        """Add a layout image."""
        self._images.append({"sizing": "stretch", "xanchor": "left", "yanchor": "top", **image})

    def layout(self, **layout: Any) -> None:
        """Set parts of the layout, axes above all."""
        self._layout.update(layout)

    def figure(self) -> go.Figure:
        """The finished figure."""
        marks = {"annotations": self._notes, "shapes": self._shapes, "images": self._images}
        return Written(self._traces, self._layout | {name: m for name, m in marks.items() if m})


def note(
    text: str,
    x: float,
    y: float,
    *,
    xref: str = "paper",
    yref: str = "paper",
    anchor: str = "left",
    valign: str = "middle",
    size: float = 13,
    colour: str | None = None,
    shift: tuple[float, float] = (0, 0),
    **more: Any,
) -> dict[str, Any]:
    """A text as a Plotly annotation. The text is markup: escape what comes from a token."""
    font: dict[str, Any] = {"size": size}
    if colour:
        font["color"] = colour
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": xref,
        "yref": yref,
        "xanchor": anchor,
        "yanchor": valign,
        "xshift": shift[0],
        "yshift": shift[1],
        "font": font,
        "align": anchor if anchor in ("left", "right") else "center",
        "showarrow": False,
        **more,
    }


def heading(
    title: str,
    subtitle: str,
    x: float,
    y: float,
    *,
    theme: Theme,
    anchor: str = "left",
    **more: Any,
) -> list[dict[str, Any]]:
    """The bold title of a panel with a second line under it; both stand on `y` (paper)."""
    shift = more.pop("shift", (0, 0))
    lines = [
        note(
            f"<b>{title}</b>",
            x,
            y,
            anchor=anchor,
            valign="bottom",
            size=15.5,
            colour=theme.ink,
            shift=(shift[0], shift[1] + 22),
            **more,
        )
    ]
    if subtitle:
        lines.append(
            note(
                subtitle,
                x,
                y,
                anchor=anchor,
                valign="bottom",
                size=13,
                colour=theme.ink2,
                shift=(shift[0], shift[1] + 5),
                **more,
            )
        )
    return lines


def outline(
    x0: float,
    x1: float,
    y0: float,
    y1: float,
    colour: str,
    *,
    xref: str = "x",
    yref: str = "y",
    width: float = 2,
    **more: Any,
) -> dict[str, Any]:
    """An empty rectangle around cells, drawn above them."""
    return {
        "type": "rect",
        "x0": x0,
        "x1": x1,
        "y0": y0,
        "y1": y1,
        "xref": xref,
        "yref": yref,
        "line": {"color": colour, "width": width},
        "layer": "above",
        **more,
    }


def line(
    x0: float,
    x1: float,
    y0: float,
    y1: float,
    colour: str,
    *,
    xref: str = "x",
    yref: str = "y",
    width: float = 1.5,
    dash: str = "solid",
) -> dict[str, Any]:
    """A straight line above the data."""
    return {
        "type": "line",
        "x0": x0,
        "x1": x1,
        "y0": y0,
        "y1": y1,
        "xref": xref,
        "yref": yref,
        "line": {"color": colour, "width": width, "dash": dash},
        "layer": "above",
    }


def ground(
    x0: float,
    x1: float,
    y0: float,
    y1: float,
    colour: str,
    *,
    xref: str = "x",
    yref: str = "y",
    **more: Any,
) -> dict[str, Any]:
    """A filled rectangle under the data."""
    return {
        "type": "rect",
        "x0": x0,
        "x1": x1,
        "y0": y0,
        "y1": y1,
        "xref": xref,
        "yref": yref,
        "line": {"width": 0},
        "fillcolor": colour,
        "layer": "below",
        **more,
    }


def hatching(theme: Theme) -> dict[str, Any]:
    """The fill pattern of what is excluded: masked, cut off, switched off."""
    return {
        "shape": "/",
        "size": 6,
        "solidity": 0.16,
        "fgcolor": theme.curve,
        "bgcolor": "rgba(0,0,0,0)",
    }


def hatched_area(
    x: Sequence[float], y: Sequence[float], *, theme: Theme, xaxis: str = "x", yaxis: str = "y"
) -> Trace:
    """A hatched polygon without an outline."""
    return scatter(
        x=x,
        y=y,
        mode="lines",
        line={"width": 0, "color": theme.curve},
        fill="toself",
        fillpattern=hatching(theme),
        hoverinfo="skip",
        xaxis=xaxis,
        yaxis=yaxis,
        name="excluded",
    )


def cells_to_click(
    x: NDArray[Any],
    y: NDArray[Any],
    texts: Sequence[str] | None,
    *,
    hover: str,
    size: float,
    xaxis: str = "x",
    yaxis: str = "y",
    name: str = "cells",
) -> Trace:
    """Invisible squares over the cells of a heatmap, which reports no clicks itself.

    `hover` is a Plotly template over `%{x}` and `%{y}`, the labels of the ticks, and `%{text}`, the
    value as it is written: Plotly's own formats know no minus sign.
    """
    return scatter(
        x=x,
        y=y,
        text=texts,
        mode="markers",
        marker={"symbol": "square", "size": size, "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
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
        x=[x for x, _ in shown],
        y=[y for _, y in shown],
        text=[texts[y][x] for x, y in shown],
        mode="text",
        textfont={"size": size, "color": [inks[0 if first[y, x] else 1] for x, y in shown]},
        hoverinfo="skip",
        xaxis=xaxis,
        yaxis=yaxis,
        name="cell texts",
    )


def luminance(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Relative luminance of (…, 3) colours, from 0 to 1 (WCAG 2.2)."""
    channels = colours.astype(np.float64) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    weighted: NDArray[np.float64] = linear @ np.array([0.2126, 0.7152, 0.0722])
    return weighted


def colour_bar(
    figure: go.Figure,
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


def tick_step(tokens: int, most: int) -> int:
    """Every how many-th token is labelled, so that at most `most` are: a number easy to count by.

    >>> tick_step(8, 12), tick_step(256, 24), tick_step(1024, 24)
    (1, 20, 50)
    """
    least = -(-tokens // most)
    return next((step for step in _STEPS if step >= least), least)


def labelled_positions(tokens: int, most: int, always: Sequence[int] = ()) -> list[int]:
    """The positions that get a label: evenly spread, and those in `always`."""
    step = tick_step(tokens, most)
    kept = [
        p for p in range(0, tokens, step) if step == 1 or all(abs(p - a) >= step for a in always)
    ]
    return sorted({*kept, *(a for a in always if 0 <= a < tokens)})


def row_label(label: str, *, followed: bool, theme: Theme, length: int = 14) -> str:
    """A token's label for the left of its row."""
    return token_markup(shortened(label, length), followed=followed, theme=theme)


def tick_texts(labels: Sequence[str], strong: int | None = None, length: int = 12) -> list[str]:
    """Token labels for the ticks of an axis, escaped; one of them may be bold.

    They carry no colour, because Plotly repeats them in hover labels of another ground.
    """
    texts = [escaped(shortened(label, length)) for label in labels]
    if strong is not None:
        texts[strong] = f"<b>{texts[strong]}</b>"
    return texts
