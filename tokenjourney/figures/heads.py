"""All heads of all blocks at once: one tiled picture, every tile a head to open."""

from collections.abc import Collection, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.cells import cells_to_click
from tokenjourney.figures.drawing import NO_TICKS, Sketch, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array
from tokenjourney.figures.png import EMPTY, png_uri, quantised
from tokenjourney.figures.text import number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import scatter

Head = tuple[int, int]
"""Block and head, both from 0."""

_GAP = 0.1
_LEFT, _TOP, _BOTTOM = 62, 24, 6


def heads_figure(
    *,
    patterns: ArrayLike,
    chosen: Head,
    kinds: Sequence[Sequence[str]],
    sentences: Sequence[Sequence[str]] | None = None,
    off: Collection[Head] = (),
    width: int = 300,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """A thumbnail of every head's attention pattern, blocks down, heads across.

    The trace named "heads" are invisible squares: a click reports the head as x, the block as y.

    Args:
        patterns: (n_layers, n_heads, t, t), shares from 0 to 1; drawn as value^0.7, so that weak
            cells can be seen.
        chosen: the head with the outline.
        kinds: for each block and head what it does ("previous"), or ""; its first letter is drawn.
        sentences: for each block and head the words of its hover; its place alone if None.
        off: the heads that are switched off: faded and crossed.
        width: pixels of the tiles; the height follows, because tiles are square.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: the patterns are no (n_layers, n_heads, t, t).
    """
    theme = as_theme(theme)
    tiles = np.asarray(patterns, dtype=np.float32)
    if tiles.ndim != 4 or tiles.shape[2] != tiles.shape[3] or tiles.size == 0:
        raise FigureError(
            f"patterns have the shape {tiles.shape}; expected (n_layers, n_heads, t, t)."
        )
    blocks, heads = tiles.shape[:2]
    pitch = min(max(width / heads, 13.0), 44.0)
    sketch = Sketch(
        theme, height=_TOP + pitch * blocks + _BOTTOM, margin=(_LEFT, 4, _TOP, _BOTTOM),
        hoverdistance=30,
    )  # fmt: skip
    sketch.image(
        source=png_uri(tiled(tiles, off), theme.seq), xref="x", yref="y", x=-0.5 + _GAP / 2,
        y=-0.5 + _GAP / 2, sizex=heads, sizey=blocks, layer="below",
    )  # fmt: skip
    _add_axes(sketch, blocks, heads, pitch, theme)
    _add_marks(sketch, kinds, off, chosen, pitch, theme)
    block, head = (a.ravel() for a in np.mgrid[0:blocks, 0:heads].astype(np.int16))
    said = [
        sentences[b][h] if sentences else f"block {b}, head {h}"
        for b, h in zip(block, head, strict=True)
    ]
    sketch.trace(cells_to_click(head, block, said, hover="%{text}", name="heads"))
    half = 0.5 - _GAP / 2 + 0.03
    sketch.shapes(
        outline(chosen[1] - half, chosen[1] + half, chosen[0] - half, chosen[0] + half, theme.ink,
                width=3)
    )  # fmt: skip
    return sketch.figure()


def heads_table(
    *,
    names: Sequence[str],
    scores: ArrayLike,
    kinds: Sequence[Sequence[str]],
    off: Collection[Head],
) -> Table:
    """One row per head: block, head, its scores, what it is called, whether it is off.

    Args:
        names: what the scores measure.
        scores: (n, n_layers, n_heads); NaN where the prompt gives no occasion.
        kinds: for each block and head what it does, or "".
        off: the heads that are switched off.
    """
    values = np.asarray(scores, dtype=np.float32)
    return ["block", "head", *names, "called", "off"], [
        (block, head, *(None if np.isnan(v) else float(v) for v in values[:, block, head]),
         kinds[block][head], (block, head) in off)
        for block in range(values.shape[1])
        for head in range(values.shape[2])
    ]  # fmt: skip


def tiled(tiles: Array, off: Collection[Head] = ()) -> NDArray[np.uint8]:
    """The tiles side by side as one picture of palette indices, with transparent gaps.

    Args:
        tiles: (rows, columns, t, t), values from 0 to 1.
        off: tiles to fade.
    """
    rows, columns, cells, _ = tiles.shape
    times = max(1, round((84 if columns <= 12 else 52) / cells))
    side = cells * times
    gap = max(1, round(side * _GAP / (1 - _GAP)))
    picture = np.full((rows * (side + gap), columns * (side + gap)), EMPTY, dtype=np.uint8)
    for row in range(rows):
        for column in range(columns):
            values = np.clip(tiles[row, column], 0, 1) ** 0.7
            if (row, column) in off:
                values = values * 0.3
            tile = quantised(values, 0.0, 1.0).repeat(times, axis=0).repeat(times, axis=1)
            top, left = row * (side + gap), column * (side + gap)
            picture[top : top + side, left : left + side] = tile
    return picture


def _add_axes(sketch: Sketch, blocks: int, heads: int, pitch: float, theme: Theme) -> None:
    step = max(1, round(20 / pitch))
    for head in range(0, heads, step):
        sketch.notes(
            note(str(head), head, 1, xref="x", anchor="center", valign="bottom", shift=(0, 2),
                 colour=theme.ink3)
        )  # fmt: skip
    for block in range(0, blocks, step):
        sketch.notes(
            note(f"block {block}" if block == 0 else str(block), 0, block, yref="y",
                 anchor="right", shift=(-8, 0), colour=theme.ink3)
        )  # fmt: skip
    sketch.notes(
        note("head", 0, 1, anchor="right", valign="bottom", shift=(-8, 2), colour=theme.ink3)
    )
    sketch.layout(
        xaxis={"range": [-0.5, heads - 0.5], "constrain": "domain", "constraintoward": "left",
               **NO_TICKS},
        yaxis={"range": [blocks - 0.5, -0.5], "scaleanchor": "x", "constrain": "domain",
               "constraintoward": "top", **NO_TICKS},
    )  # fmt: skip


def _add_marks(
    sketch: Sketch,
    kinds: Sequence[Sequence[str]],
    off: Collection[Head],
    chosen: Head,
    pitch: float,
    theme: Theme,
) -> None:
    """The letters of what heads do, and the crosses of those that are off."""
    named = [
        (block, head, kind[0].upper())
        for block, row in enumerate(kinds)
        for head, kind in enumerate(row)
        if kind and (block, head) not in off
    ]
    if named and pitch >= 18:
        aside = 0.5 - _GAP / 2 - 8 / pitch
        sketch.trace(
            scatter(
                x=[head + aside for _, head, _ in named],
                y=[block - aside for block, _, _ in named],
                text=[f"<b>{letter}</b>" for _, _, letter in named], mode="markers+text",
                marker={"symbol": "square", "size": 14, "color": theme.bg},
                textfont={"size": 12, "color": theme.ink}, hoverinfo="skip", name="what they do",
            )
        )  # fmt: skip
    if off:
        crossed = sorted(off)
        sketch.trace(
            scatter(
                x=[head for _, head in crossed], y=[block for block, _ in crossed],
                mode="markers", hoverinfo="skip", name="switched off",
                marker={"symbol": "x-thin", "size": pitch * 0.62,
                        "line": {"width": 2, "color": theme.ink}},
            )
        )  # fmt: skip


def head_sentence(block: int, head: int, named: Sequence[tuple[str, float]], is_off: bool) -> str:
    """What a head does, in the words of its hover.

    >>> head_sentence(2, 4, [("previous token", 0.83), ("induction", float("nan"))], False)
    'block 2, head 4: previous token 0.83. Click to open.'
    """
    said = ", ".join(f"{name} {number(value)}" for name, value in named if not np.isnan(value))
    state = " Switched off." if is_off else ""
    return f"block {block}, head {head}{': ' if said else ''}{said}.{state} Click to open."
