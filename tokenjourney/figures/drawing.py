"""Marks that figures share: frames, notes, headings, outlines, lines, grounds, hatching."""

from collections.abc import Iterable
from typing import Any

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.theme import Theme
from tokenjourney.figures.written import Trace, Written, scatter

NO_TICKS: dict[str, Any] = {
    "showticklabels": False,
    "ticks": "",
    "showgrid": False,
    "zeroline": False,
}


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


def boxes(
    edges: Iterable[tuple[float, float, float, float]],
    colour: str,
    *,
    xref: str = "x",
    yref: str = "y",
    **more: Any,
) -> dict[str, Any]:
    """Filled rectangles (x0, x1, y0, y1) under the data, all as one shape.

    A browser takes as long for it as for one of them.
    """
    path = "".join(f"M{x0:.6g},{y0:.6g}H{x1:.6g}V{y1:.6g}H{x0:.6g}Z" for x0, x1, y0, y1 in edges)
    return {
        "type": "path",
        "path": path or "M0,0",
        "xref": xref,
        "yref": yref,
        "line": {"width": 0},
        "fillcolor": colour,
        "layer": "below",
        **more,
    }


def rules(
    ends: Iterable[tuple[float, float, float, float]], colour: str, **more: Any
) -> dict[str, Any]:
    """Straight lines (x0, x1, y0, y1) under the data, all as one shape, a pixel wide."""
    path = "".join(f"M{x0:.6g},{y0:.6g}L{x1:.6g},{y1:.6g}" for x0, x1, y0, y1 in ends)
    return {
        "type": "path",
        "path": path or "M0,0",
        "line": {"width": 1, "color": colour},
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
    x: ArrayLike, y: ArrayLike, *, theme: Theme, xaxis: str = "x", yaxis: str = "y"
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
