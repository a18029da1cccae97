"""A treemap: rectangles whose areas are sizes, in groups, each of which can be clicked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from tokenjourney.figures.drawing import Sketch, line, note, outline
from tokenjourney.figures.text import count, escaped, share
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import bar

_WIDTH, _HEIGHT, _TOP = 1000.0, 470.0, 34
Box = tuple[float, float, float, float]
"""Left, lower edge, width, height."""


@dataclass(frozen=True)
class Tile:
    """One rectangle.

    Attributes:
        name: What a click reports, and the hover says.
        label: What is written in it, if there is room.
        size: Its area.
        kind: Index of its kind, which gives its colour.
        group: Tiles of a group stay together.
        said: More for the hover.
    """

    name: str
    label: str
    size: int
    kind: int
    group: str
    said: str = ""


def squarified(sizes: Sequence[float], box: Box) -> list[Box]:
    """Rectangles that fill a box, with areas as the sizes and as square as they go, in order.

    Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000): a row along the shorter side takes
    the next size as long as that makes its worst rectangle no longer.

    Args:
        sizes: Positive, the largest first.
        box: What they fill.

    >>> squarified([3, 1], (0, 0, 4, 1))
    [(0, 0.0, 3.0, 1.0), (3.0, 0.0, 1.0, 1.0)]
    """
    x, y, width, height = box
    scale = width * height / sum(sizes) if sizes else 0.0
    left, boxes = [size * scale for size in sizes], []
    while left:
        side = min(width, height)
        row = 1
        while row < len(left) and _worst(left[: row + 1], side) <= _worst(left[:row], side):
            row += 1
        thick, at = sum(left[:row]) / side, 0.0
        for area in left[:row]:
            length = area / thick
            if width >= height:
                boxes.append((x, y + at, thick, length))
            else:
                boxes.append((x + at, y, length, thick))
            at += length
        if width >= height:
            x, width = x + thick, width - thick
        else:
            y, height = y + thick, height - thick
        left = left[row:]
    return boxes


def _worst(areas: Sequence[float], side: float) -> float:
    thick = sum(areas) / side
    return max(max(thick * thick / area, area / (thick * thick)) for area in areas)


def _placed(tiles: Sequence[Tile]) -> tuple[dict[str, Box], list[Box]]:
    """The box of each tile by name, and those of the groups."""
    groups: dict[str, list[Tile]] = {}
    for tile in tiles:
        groups.setdefault(tile.group, []).append(tile)
    totals = {group: sum(tile.size for tile in inside) for group, inside in groups.items()}
    order = sorted(groups, key=lambda group: -totals[group])
    outer = squarified([totals[group] for group in order], (0.0, 0.0, _WIDTH, _HEIGHT))
    boxes: dict[str, Box] = {}

    def upright(box: Box) -> Box:  # the first at the top, while Plotly's axis points up
        return (box[0], _HEIGHT - box[1] - box[3], box[2], box[3])

    for group, box in zip(order, outer, strict=True):
        inside = sorted(groups[group], key=lambda tile: -tile.size)
        for tile, own in zip(inside, squarified([t.size for t in inside], box), strict=True):
            boxes[tile.name] = upright(own)
    return boxes, [upright(box) for box in outer]


def treemap_figure(
    tiles: Sequence[Tile],
    *,
    kinds: Sequence[str],
    chosen: str | None = None,
    rows: Sequence[tuple[str, float, bool]] = (),
    rows_of: str = "",
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Tiles with areas as their sizes, coloured by kind; above them each kind with its share.

    Args:
        tiles: What is drawn.
        kinds: What the kinds are called.
        chosen: Name of the tile with an outline.
        rows: Lines across one tile: what each is, how far from its top (0 to 1), and whether it
            has the accent.
        rows_of: Name of that tile.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: there are no tiles, or one has no size.
    """
    theme = as_theme(theme)
    if not tiles or min(tile.size for tile in tiles) <= 0:
        raise FigureError("A treemap needs tiles, each with a positive size.")
    boxes, outer = _placed(tiles)
    total = sum(tile.size for tile in tiles)
    colours = [theme.seq[2], theme.seq[1], theme.seq[3], theme.seq[4], theme.curve, theme.seq[2]]
    inks = [theme.ink, theme.ink, theme.bg, theme.bg, theme.bg, theme.ink]
    placed = np.array([boxes[tile.name] for tile in tiles])
    sketch = Sketch(theme, height=_HEIGHT + _TOP + 8, margin=(4, 4, _TOP, 4), barmode="overlay",
                    uniformtext={"minsize": 12, "mode": "hide"}, hoverdistance=1)  # fmt: skip
    sketch.trace(
        bar(
            x=placed[:, 0] + placed[:, 2] / 2, width=placed[:, 2], base=placed[:, 1],
            y=placed[:, 3], customdata=[[tile.name] for tile in tiles], name="tensors",
            marker={"color": [colours[tile.kind] for tile in tiles],
                    "line": {"color": theme.bg, "width": 1}},
            text=[escaped(tile.label) for tile in tiles], textposition="inside", textangle=0,
            insidetextanchor="middle",
            textfont={"size": 13, "color": [inks[tile.kind] for tile in tiles]},
            hoverinfo="text",
            hovertext=[f"<b>{escaped(t.name)}</b>  {escaped(t.said)}<br>{count(t.size)} numbers, "
                       f"{share(t.size / total)} of all" for t in tiles],
            selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
        )
    )  # fmt: skip
    for x, y, width, height in outer:
        sketch.shapes(outline(x, x + width, y, y + height, theme.bg, width=3))
    if rows_of in boxes:
        _add_rows(sketch, rows, boxes[rows_of], theme)
    if chosen in boxes:
        x, y, width, height = boxes[chosen]
        sketch.shapes(outline(x, x + width, y, y + height, theme.ink, width=3))
    _add_legend(sketch, tiles, kinds, colours, total, theme)
    blank = {"visible": False, "fixedrange": True}
    sketch.layout(xaxis={"range": [0, _WIDTH], **blank}, yaxis={"range": [0, _HEIGHT], **blank})
    return sketch.figure()


def _add_rows(
    sketch: Sketch, rows: Sequence[tuple[str, float, bool]], box: Box, theme: Theme
) -> None:
    x, y, width, height = box
    for text, place, strong in sorted(rows, key=lambda row: row[2]):
        at = y + height * (1 - place)
        colour = theme.accent if strong else theme.ink
        sketch.shapes(line(x, x + width, at, at, colour, width=2.5 if strong else 0.8))
        if strong:
            below = place < 0.5
            sketch.notes(
                note(f"<b>{escaped(text)}</b>", x, at, xref="x", yref="y", shift=(8, 0), size=13,
                     valign="top" if below else "bottom", colour=theme.accent, bgcolor=theme.bg)
            )  # fmt: skip


def _add_legend(
    sketch: Sketch, tiles: Sequence[Tile], kinds: Sequence[str], colours: Sequence[str],
    total: int, theme: Theme,
) -> None:  # fmt: skip
    there = sorted({tile.kind for tile in tiles})
    for place, kind in enumerate(there):
        size = sum(tile.size for tile in tiles if tile.kind == kind)
        sketch.notes(
            note(f'<span style="color:{colours[kind]}">■</span> {escaped(kinds[kind])} '
                 f"<b>{share(size / total)}</b>", place / len(there), 1, valign="bottom",
                 shift=(0, 6), size=14, colour=theme.ink2)
        )  # fmt: skip
