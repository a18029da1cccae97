"""Direct logit attribution: the parts that sum to a logit, station by station and head by head."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.cells import cell_texts, cells_to_click, colour_bar, gaps
from tokenjourney.figures.drawing import NO_TICKS, Sketch, heading, note, outline, rules
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import (
    Array,
    as_matrix,
    as_vector,
    require_same_length,
    symmetric_limit,
)
from tokenjourney.figures.text import escaped, number, signed
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import Trace, bar, heatmap, scatter

_TOP, _BOTTOM, _LEFT, _RIGHT = 52, 50, 116, 8
_STEPS, _GRID = (0.0, 0.43), (0.55, 1.0)
_MOST_BLOCKS_APART = 16
_MOST_HEADS_WRITTEN = 8


@dataclass(frozen=True, eq=False)
class _Steps:
    """The bars of the left panel: names, sentences, pushes."""

    names: list[str]
    said: list[str]
    pushes: list[float]


def attribution_figure(
    *,
    embedding: float,
    position: float,
    heads: ArrayLike,
    attention_bias: ArrayLike,
    mlp: ArrayLike,
    final_bias: float,
    total: float,
    what: str,
    marked: tuple[int, int] | None = None,
    off: Collection[tuple[int, int | None]] = (),
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Left: the logit built up from 0, station by station. Right: what each head and MLP pushes.

    Args:
        embedding: what the token's row of W_E adds.
        position: what the position's row of W_pos adds.
        heads: (n_layers, n_heads).
        attention_bias: (n_layers,), the output biases of attention.
        mlp: (n_layers,).
        final_bias: the bias of the final LayerNorm.
        total: the logit, or the difference of two.
        what: what the parts sum to, in words: "logit of ·girl".
        marked: block and head to outline.
        off: blocks and heads that are switched off, None for a block's feed-forward part: crossed.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: arrays that do not fit each other.
    """
    theme = as_theme(theme)
    per_head = as_matrix(heads, "heads")
    bias, per_mlp = as_vector(attention_bias, "attention_bias"), as_vector(mlp, "mlp")
    require_same_length(heads=per_head, attention_bias=bias, mlp=per_mlp)
    steps = _steps(embedding, position, per_head.sum(1) + bias, per_mlp, final_bias)
    rows = len(steps.pushes) + 1
    plot = max(300, min(20 * rows, 900))
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(_LEFT, _RIGHT, _TOP, _BOTTOM),
                    bargap=0.3, hoverdistance=30)  # fmt: skip
    sketch.notes(
        *heading("Station by station", "each bar begins where the last one ended", _STEPS[0], 1,
                 theme=theme),
        *heading("Head by head", "the same pushes, split up", _GRID[0], 1, theme=theme),
    )  # fmt: skip
    _add_steps(sketch, steps, total, what, plot / rows, theme)
    _add_grid(sketch, per_head, bias, per_mlp, marked, off, plot, theme)
    return sketch.figure()


def attribution_table(
    *,
    embedding: float,
    position: float,
    heads: ArrayLike,
    attention_bias: ArrayLike,
    mlp: ArrayLike,
    final_bias: float,
    total: float,
) -> Table:
    """Every part and what it adds; the last row is what they sum to."""
    per_head, bias, per_mlp = as_matrix(heads), as_vector(attention_bias), as_vector(mlp)
    rows: list[tuple[str | float, ...]] = [("token embedding", embedding), ("position", position)]
    for block, values in enumerate(per_head):
        rows += [(f"block {block}, head {head}", float(v)) for head, v in enumerate(values)]
        rows.append((f"block {block}, attention bias", float(bias[block])))
        rows.append((f"block {block}, feed-forward", float(per_mlp[block])))
    rows += [("bias of the final LayerNorm", final_bias), ("sum", total)]
    return ["part", "push"], rows


def _steps(
    embedding: float, position: float, attention: Array, mlp: Array, final_bias: float
) -> _Steps:
    names, pushes = ["token", "position"], [embedding, position]
    said = ["The token’s own embedding adds", "The position adds"]
    for block, (by_attention, by_mlp) in enumerate(zip(attention, mlp, strict=True)):
        if len(mlp) > _MOST_BLOCKS_APART:
            names.append(f"block {block}")
            said.append(f"Block {block} adds")
            pushes.append(float(by_attention + by_mlp))
        else:
            names += [f"B{block} attention", f"B{block} MLP"]
            said += [
                f"Attention of block {block} adds",
                f"The feed-forward part of block {block} adds",
            ]
            pushes += [float(by_attention), float(by_mlp)]
    names.append("final LN bias")
    said.append("The bias of the final LayerNorm adds")
    return _Steps(names, said, [*pushes, final_bias])


def _add_steps(
    sketch: Sketch, steps: _Steps, total: float, what: str, pitch: float, theme: Theme
) -> None:
    ends = np.cumsum(steps.pushes)
    starts = ends - np.asarray(steps.pushes)
    last = len(steps.pushes)
    rows = np.arange(last)
    sketch.trace(
        bar(
            x=np.asarray(steps.pushes, np.float32), base=starts.astype(np.float32), y=rows,
            orientation="h", hoverinfo="text", name="pushes",
            marker={"color": [theme.up if p >= 0 else theme.down for p in steps.pushes]},
            hovertext=[f"{word} {signed(p)}, which makes {number(end)}"
                       for word, p, end in zip(steps.said, steps.pushes, ends, strict=True)],
        ),
        scatter(
            x=[total], y=[last], mode="markers", marker={"color": theme.ink, "size": 12},
            hoverinfo="text", hovertext=[f"Together: {escaped(what)} = {number(total)}"],
            name="total",
        ),
    )  # fmt: skip
    joints = [(end, end, row + 0.36, row + 1 - 0.36) for row, end in enumerate(ends)]
    sketch.shapes(rules(joints, theme.curve, layer="above"))
    size = 13 if pitch > 17 else 12
    place = {"xref": "x", "yref": "y"}
    every = max(1, int(np.ceil(15 / pitch)))
    for row in range(0, last, every):
        push = steps.pushes[row]
        edge = max(starts[row], ends[row]) if push >= 0 else min(starts[row], ends[row])
        side = "left" if push >= 0 else "right"
        sketch.notes(
            note(steps.names[row], 0, row, yref="y", anchor="right", shift=(-10, 0), size=size,
                 colour=theme.ink2),
            note(signed(push), float(edge), row, anchor=side, size=size,
                 shift=(6 if push >= 0 else -6, 0), colour=theme.up if push >= 0 else theme.down,
                 **place),
        )  # fmt: skip
    sketch.notes(
        note("<b>sum</b>", 0, last, yref="y", anchor="right", shift=(-10, 0), size=14,
             colour=theme.ink),
        note(f"<b>{number(total)}</b>", total, last, anchor="left", shift=(11, 0), size=14,
             colour=theme.ink, **place),
    )  # fmt: skip
    low, high = min(0.0, float(ends.min()), total), max(0.0, float(ends.max()), total)
    room = 0.17 * ((high - low) or 1.0)
    sketch.layout(
        xaxis={"domain": _STEPS, "anchor": "y", "range": [low - room, high + room], "nticks": 6,
               "zerolinecolor": theme.curve, "title": {"text": escaped(what), "standoff": 22}},
        yaxis={"range": [last + 0.6, -0.6], "anchor": "x", **NO_TICKS},
    )  # fmt: skip


def _add_grid(
    sketch: Sketch,
    heads: Array,
    bias: Array,
    mlp: Array,
    marked: tuple[int, int] | None,
    off: Collection[tuple[int, int | None]],
    plot: float,
    theme: Theme,
) -> None:
    blocks, n_heads = heads.shape
    empty = np.full((blocks, 1), np.nan, np.float32)
    cells = np.hstack([heads, empty, bias[:, None], mlp[:, None]])
    limit = symmetric_limit(heads, bias, mlp)
    ticks = [str(head) for head in range(n_heads)]
    ticks = [tick if n_heads <= 16 or not head % 4 else "" for head, tick in enumerate(ticks)]
    columns = np.arange(cells.shape[1])
    mlp_tick = "MLP" if n_heads <= _MOST_HEADS_WRITTEN else "<br>MLP"  # no room beside "bias"
    sketch.trace(
        heatmap(
            z=cells, x=columns, y=np.arange(blocks), zmin=-limit, zmax=limit, hoverinfo="skip",
            colorscale=theme.div_scale, showscale=False, xaxis="x2", yaxis="y2",
            name="pushes by head",
        ),
        _cells(cells, n_heads, set(off)),
    )  # fmt: skip
    colour_bar(sketch, low=-limit, high=limit, x=_GRID[1] - 0.17, length=0.17, below_px=-plot - 30,
               plot_px=plot, theme=theme, is_signed=True)  # fmt: skip
    sketch.shapes(gaps(np.isfinite(cells), theme, width=2, xref="x2", yref="y2"))
    if n_heads <= _MOST_HEADS_WRITTEN and blocks <= 24:
        texts = [
            ["" if _key(block, column, n_heads) in off or np.isnan(value) else signed(float(value))
             for column, value in enumerate(row)]
            for block, row in enumerate(cells)
        ]  # fmt: skip
        sketch.trace(
            cell_texts(cells, texts, low=-limit, high=limit, theme=theme, is_signed=True,
                       size=12.5, xaxis="x2", yaxis="y2")
        )  # fmt: skip
    if off:
        crossed = [(n_heads + 2 if head is None else head, block) for block, head in off]
        sketch.trace(
            scatter(
                x=[x for x, _ in crossed], y=[y for _, y in crossed], mode="markers", xaxis="x2",
                yaxis="y2", hoverinfo="skip", name="switched off",
                marker={"symbol": "x-thin", "size": 15, "line": {"width": 2, "color": theme.ink}},
            )
        )  # fmt: skip
    if marked is not None and marked[0] < blocks and marked[1] < n_heads:
        block, head = marked
        sketch.shapes(
            outline(head - 0.5, head + 0.5, block - 0.5, block + 0.5, theme.ink, xref="x2",
                    yref="y2", width=2)
        )  # fmt: skip
    sketch.layout(
        xaxis2={"domain": _GRID, "anchor": "y2", "range": [-0.6, n_heads + 2.6],
                "tickmode": "array", "tickvals": columns, "tickangle": 0,
                "ticktext": [*ticks, "", "bias", mlp_tick],
                "showgrid": False, "zeroline": False, "title": {"text": "head"}},
        yaxis2={"anchor": "x2", "range": [blocks - 0.5, -0.5], "showgrid": False,
                "zeroline": False, "nticks": 16, "title": {"text": "block"},
                "tickmode": "array" if blocks <= 16 else "auto",
                "tickvals": np.arange(blocks) if blocks <= 16 else None},
    )  # fmt: skip


def _cells(cells: Array, n_heads: int, off: set[tuple[int, int | None]]) -> Trace:
    """Points that say what a cell is, and that a click finds."""
    where: NDArray[np.intp] = np.argwhere(np.isfinite(cells))
    said = [
        f"{_part(column, n_heads)} of block {block} "
        + ("is switched off" if _key(block, column, n_heads) in off
           else f"pushes by {signed(float(cells[block, column]))}")
        for block, column in where.tolist()
    ]  # fmt: skip
    points = cells_to_click(where[:, 1], where[:, 0], said, hover="%{text}", xaxis="x2", yaxis="y2")
    points["customdata"] = [[b, c if c < n_heads else None] for b, c in where.tolist()]
    return points


def _key(block: int, column: int, n_heads: int) -> tuple[int, int | None]:
    """How a part is called among those that are off: −1 for the bias, which never is."""
    return block, None if column == n_heads + 2 else column if column < n_heads else -1


def _part(column: int, n_heads: int) -> str:
    if column < n_heads:
        return f"Head {column}"
    return "The output bias of attention" if column == n_heads + 1 else "The feed-forward part"


def shown_parts(parts: Sequence[tuple[int, int | None, float]]) -> str:
    """Heads and feed-forward parts with their pushes, in a line.

    >>> shown_parts([(5, None, 2.5), (3, 1, -0.5)])
    'B5 MLP +2.50, B3 H1 −0.50'
    """
    return ", ".join(
        f"B{block} {'MLP' if head is None else f'H{head}'} {signed(push)}"
        for block, head, push in parts
    )
