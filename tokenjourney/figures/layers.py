"""The stack: lengths of the residual stream, the logit lens, and one token's rank through it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cell_texts, cells_to_click, colour_bar
from tokenjourney.figures.drawing import Sketch, note, outline
from tokenjourney.figures.export import Cell, Table
from tokenjourney.figures.matrices import Array, as_matrix, as_vector, require_same_length
from tokenjourney.figures.text import count, distinct_labels, escaped, number, share, shortened
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, row_label
from tokenjourney.figures.written import heatmap, scatter

_MOST_HOVERED = 1_500
# About the narrowest grid on a page: what a column may hold is judged by it.
_GRID_WIDE = 780
# From here on the names of the depths have no room for "embedding": half a page, and a whole one.
_MOST_NAMED, _MOST_NAMED_WIDE = 9, 14
_STEEP = 0.05
_MOST_RANKS, _LETTERS_APART = 16, 44  # half a page holds so many letters side by side


def depth_names(blocks: int) -> list[str]:
    """The names of the places where the stream can be read: before block 0, then after each.

    >>> depth_names(2)
    ['embedding', '0', '1']
    """
    return ["embedding", *(str(block) for block in range(blocks))]


def depth_words(depth: int) -> str:
    """The same place in a sentence.

    >>> depth_words(0), depth_words(3)
    ('before block 0', 'after block 2')
    """
    return "before block 0" if depth == 0 else f"after block {depth - 1}"


def lens_figure(
    *,
    guesses: Sequence[Sequence[str]],
    probabilities: ArrayLike,
    labels: Sequence[str],
    followed: int | None = None,
    before: Sequence[Sequence[str]] | None = None,
    cells: ArrayLike | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The logit lens as a grid: tokens down, depth across, in each cell the best guess.

    Colour is the guess's probability. Bold is a guess that the last block keeps. The trace
    "cells…" holds invisible squares: a click reports depth and row as x and y, and `cells`.

    Args:
        guesses: (L + 1) × n texts of the best guess before block 0 and after each block.
        probabilities: (L + 1, n) their probabilities.
        labels: the visible texts of the n tokens, distinct if they are not the whole prompt.
        followed: the row with the accent.
        before: the guesses of another run to compare with; where they differ is a ring.
        cells: (n × (L + 1), any) what a click on a cell reports as `customdata`, row by row.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: shapes that do not fit each other.
    """
    theme = as_theme(theme)
    shares = as_matrix(probabilities, "probabilities").T
    rows, depths = shares.shape
    if len(labels) != rows or [len(g) for g in guesses] != [rows] * depths:
        raise FigureError(
            f"The probabilities have the shape {shares.T.shape}: expected as many guesses, and "
            f"{len(labels)} columns, one per label."
        )
    names = distinct_labels(labels)
    pitch = 28 if rows <= 16 else max(12, 448 / rows)
    plot = pitch * rows
    sketch = Sketch(theme, height=34 + plot + 78, margin=(116, 12, 34, 78), hoverdistance=40,
                    caption="Bold: the guess that the last block keeps.")  # fmt: skip
    room = int((_GRID_WIDE / depths - 6) / 7)
    sketch.trace(
        heatmap(
            z=shares, zmin=0, zmax=1, colorscale=theme.seq_scale, showscale=False,
            xgap=1 if depths <= 32 else 0, ygap=1 if rows <= 32 else 0, hoverinfo="skip",
            name="logit lens",
        )
    )  # fmt: skip
    if room >= 4 and pitch >= 16:
        texts = _guess_texts(guesses, room)
        size = 13.5 if room >= 8 else 12
        sketch.trace(cell_texts(shares, texts, low=0, high=1, theme=theme, size=size))
    if before is not None:
        _add_changed(sketch, guesses, before, pitch, theme)
    _add_guess_targets(sketch, guesses, before or guesses, shares, names, pitch, cells)
    for row in labelled_positions(rows, max(2, int(plot / 15)), _one(followed)):
        text = row_label(names[row], followed=row == followed, theme=theme, length=13)
        sketch.notes(note(text, 0, row, yref="y", anchor="right", shift=(-8, 0), size=14))
    if followed is not None:
        sketch.shapes(outline(-0.5, depths - 0.5, followed - 0.5, followed + 0.5, theme.accent))
    sketch.notes(
        note("after block", 0, 1, anchor="right", valign="bottom", shift=(-8, 6)),
        note("probability of the best guess", 0.3, 0, valign="top", shift=(14, -18)),
    )
    plain: dict[str, Any] = {"ticks": "", "showgrid": False, "zeroline": False}
    shown = labelled_positions(depths, 24)
    words = depth_names(depths - 1)
    if depths > _MOST_NAMED_WIDE:
        words[0] = "emb."
    sketch.layout(
        xaxis={"range": [-0.5, depths - 0.5], "side": "top", "tickmode": "array", "tickangle": 0,
               "tickvals": shown, "ticktext": [words[d] for d in shown], **plain},
        yaxis={"range": [rows - 0.5, -0.5], "showticklabels": False, **plain},
    )  # fmt: skip
    colour_bar(sketch, low=0, high=1, x=0, length=0.3, below_px=24, plot_px=plot, theme=theme)
    return sketch.figure()


def lens_table(
    *, guesses: Sequence[Sequence[str]], probabilities: ArrayLike, labels: Sequence[str]
) -> Table:
    """One row per token and depth: the best guess there and its probability."""
    shares = as_matrix(probabilities, "probabilities")
    names = distinct_labels(labels)
    rows: list[tuple[Cell, ...]] = [
        (row, name, depth_words(depth), guesses[depth][row], float(shares[depth, row]))
        for row, name in enumerate(names)
        for depth in range(len(shares))
    ]
    return ["position", "token", "where", "best guess", "probability"], rows


def norms_figure(
    *, lengths: ArrayLike, labels: Sequence[str], followed: int, theme: Theme | str = LIGHT
) -> go.Figure:
    """The length of every token's residual vector before block 0 and after each block.

    The axis ends at the longest of positions from 1; the first token's vector may be much longer,
    and is then cut, with its length written.

    Args:
        lengths: (L + 1, T).
        labels: the visible texts of the T tokens.
        followed: the position with the accent.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    values = as_matrix(lengths, "lengths")
    depths, tokens = values.shape
    require_same_length(labels=labels, tokens=values.T)
    names = distinct_labels(labels)
    top = float(values[:, 1:].max()) if tokens > 1 else float(values.max())
    sketch = Sketch(theme, height=340, margin=(64, 24, 14, 54), hoverdistance=30)
    others = [t for t in range(tokens) if t != followed]
    _add_lengths(sketch, values, others, names, theme, is_followed=False)
    _add_lengths(sketch, values, [followed], names, theme, is_followed=True)
    longest = float(values[:, 0].max())
    if longest > top * 1.08 and tokens > 1:
        where = int(values[:, 0].argmax())
        sketch.notes(
            note(f"▲ “{escaped(shortened(names[0], 12))}” goes up to {number(longest, 1)}", where,
                 1, xref="x", anchor="center" if 0 < where < depths - 1 else "right",
                 valign="top", colour=theme.ink2, bgcolor=theme.bg, name="cut")
        )  # fmt: skip
    sketch.layout(
        xaxis=depth_axis(depths),
        yaxis={"range": [0, top * 1.08], "title": {"text": "length of the residual vector"},
               "nticks": 6},
    )  # fmt: skip
    return sketch.figure()


def norms_table(*, lengths: ArrayLike, labels: Sequence[str]) -> Table:
    """One row per token, one column per depth."""
    values = as_matrix(lengths, "lengths")
    columns = ["position", "token", *(depth_words(d) for d in range(len(values)))]
    return columns, [
        (row, name, *values[:, row].tolist()) for row, name in enumerate(distinct_labels(labels))
    ]


def rank_figure(
    *,
    ranks: ArrayLike,
    probabilities: ArrayLike,
    label: str,
    vocabulary: int,
    is_followed: bool = True,
    before: ArrayLike | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """One token's rank among the whole vocabulary at each depth; 1 is on top.

    Args:
        ranks: (L + 1,) from 1.
        probabilities: (L + 1,) its probability there.
        label: the token's visible text.
        vocabulary: how many tokens there are.
        is_followed: draw it in the accent, as what the followed token becomes.
        before: (L + 1,) its ranks in another run to compare with, as rings.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    places, shares = as_vector(ranks, "ranks"), as_vector(probabilities, "probabilities")
    require_same_length(ranks=places, probabilities=shares)
    colour = theme.accent if is_followed else theme.quantity
    sketch = Sketch(theme, height=340, margin=(78, 24, 24, 54), hoverdistance=40)
    dots: dict[str, Any] = {"size": 10, "color": theme.bg, "line": {"width": 2.5, "color": colour}}
    if before is not None:
        _add_ranks_before(sketch, as_vector(before, "before"), theme)
        dots = {"size": 10, "color": colour}
    heights = -np.log10(places) / np.log10(max(vocabulary, 2))
    sketch.trace(
        scatter(
            x=np.arange(len(places)), y=places, mode="lines+markers+text", cliponaxis=False,
            line={"color": colour, "width": 2.5}, name="rank", marker=dots,
            text=_ranks_written(places, heights), textposition=beside(heights),
            textfont={"color": theme.ink, "size": 13},
            hovertext=[f"{depth_words(d)}, “{escaped(label)}” is number {count(int(p))} of "
                       f"{count(vocabulary)}, with {share(float(s))}"
                       for d, (p, s) in enumerate(zip(places, shares, strict=True))],
            hoverinfo="text",
        )
    )  # fmt: skip
    ticks = [t for t in (1, 10, 100, 1_000, 10_000, 100_000) if t <= vocabulary]
    sketch.layout(
        xaxis=depth_axis(len(places)),
        yaxis={"type": "log", "range": [float(np.log10(max(vocabulary, 2))) + 0.05, -0.12],
               "tickmode": "array", "tickvals": ticks, "ticktext": [count(t) for t in ticks],
               "title": {"text": f"rank of {count(vocabulary)}"}},
    )  # fmt: skip
    return sketch.figure()


def _ranks_written(ranks: Array, heights: Array) -> list[str] | None:
    """The ranks as texts: none of a long line, nor where the last one written is in the way."""
    if len(ranks) > _MOST_RANKS:
        return None
    texts = [count(int(rank)) for rank in ranks]
    written: list[str] = []
    last = 0
    for here, text in enumerate(texts):
        wide = (len(texts[last]) + len(text)) / 2 > _LETTERS_APART / len(ranks) * (here - last)
        if here and wide and abs(heights[here] - heights[last]) < _STEEP:
            written.append("")
            continue
        written.append(f"\u00a0<b>{text}</b>\u00a0")
        last = here
    return written


def _add_ranks_before(sketch: Sketch, ranks: Array, theme: Theme) -> None:
    sketch.trace(
        scatter(
            x=np.arange(len(ranks)), y=ranks, mode="lines+markers", cliponaxis=False,
            line={"color": theme.curve, "width": 1.5, "dash": "dot"}, name="with everything on",
            marker={"size": 10, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
            hovertext=[f"with everything on, {depth_words(d)}: number {count(int(rank))}"
                       for d, rank in enumerate(ranks)],
            hoverinfo="text",
        )
    )  # fmt: skip


def beside(heights: Array) -> list[str]:
    """Where the text of each point of a line has room: over it, unless the line is steep there.

    Args:
        heights: (n,) of the points, in heights of the plot.
    """
    rises = np.append(np.diff(heights) > _STEEP, False)
    falls = np.append(False, np.diff(heights) < -_STEEP)
    words = {
        (False, False): "top center",
        (True, False): "middle right",
        (False, True): "top right",
        (True, True): "bottom center",
    }
    return [words[bool(up), bool(down)] for up, down in zip(rises, falls, strict=True)]


def depth_axis(depths: int) -> dict[str, Any]:
    """An x axis from before block 0 to after the last block."""
    shown = labelled_positions(depths, 24)
    words = depth_names(depths - 1)
    if depths > _MOST_NAMED:
        words[0] = "emb."
    return {
        "range": [-0.4, depths - 0.6], "tickmode": "array", "tickvals": shown, "tickangle": 0,
        "ticktext": [words[d] for d in shown], "title": {"text": "after block"},
        "showgrid": False, "zeroline": False,
    }  # fmt: skip


def _guess_texts(guesses: Sequence[Sequence[str]], room: int) -> list[list[str]]:
    """Guesses by token and depth, shortened to the room of a cell; bold once they stay."""
    final = guesses[-1]
    return [
        [
            f"<b>{text}</b>" if column[row] == final[row] else text
            for column in guesses
            for text in [escaped(shortened(column[row], room))]
        ]
        for row in range(len(final))
    ]


def _add_changed(
    sketch: Sketch,
    guesses: Sequence[Sequence[str]],
    before: Sequence[Sequence[str]],
    pitch: float,
    theme: Theme,
) -> None:
    """A ring at the left edge of each cell whose guess was another."""
    depths = range(len(guesses))
    cells = [
        (d, r) for d in depths for r in range(len(guesses[d])) if guesses[d][r] != before[d][r]
    ]
    sketch.trace(
        scatter(
            x=[depth - 0.5 + 5.5 / _GRID_WIDE * len(guesses) for depth, _ in cells],
            y=[row for _, row in cells], mode="markers", hoverinfo="skip", name="another guess",
            marker={"size": min(8, pitch - 4), "color": theme.bg,
                    "line": {"width": 2, "color": theme.ink2}},
        )
    )  # fmt: skip


def _add_guess_targets(
    sketch: Sketch,
    guesses: Sequence[Sequence[str]],
    before: Sequence[Sequence[str]],
    shares: Array,
    names: list[str],
    pitch: float,
    cells: ArrayLike | None,
) -> None:
    rows, depths = shares.shape
    row, depth = (a.ravel() for a in np.mgrid[0:rows, 0:depths])
    said = [
        f"{depth_words(d)}, “{escaped(names[r])}”: best guess “{escaped(guesses[d][r])}” with "
        f"{share(float(shares[r, d]))}"
        + ("" if guesses[d][r] == before[d][r]
           else f"<br>with everything on “{escaped(before[d][r])}”")
        for r, d in zip(row.tolist(), depth.tolist(), strict=True)
    ]  # fmt: skip
    squares = cells_to_click(
        depth, row, said, hover="%{text}", size=pitch, name="cells: best guess"
    )
    if cells is not None:
        squares["customdata"] = cells
    sketch.trace(squares)


def _add_lengths(
    sketch: Sketch,
    values: Array,
    members: Sequence[int],
    names: list[str],
    theme: Theme,
    *,
    is_followed: bool,
) -> None:
    if not members:
        return
    depths = len(values)
    x = np.tile(np.append(np.arange(depths, dtype=np.float32), np.nan), len(members))
    y = np.concatenate([np.append(values[:, t], np.nan) for t in members]).astype(np.float32)
    said = None
    if len(x) <= _MOST_HOVERED:
        said = [text for t in members for text in _length_sentences(values[:, t], names[t])]
    colour = theme.accent if is_followed else theme.curve
    sketch.trace(
        scatter(
            x=x, y=y, mode="lines+markers" if is_followed else "lines", connectgaps=False,
            line={"color": colour, "width": 3 if is_followed else 1.2},
            opacity=1 if is_followed else 0.6, marker={"size": 8, "color": colour},
            hovertext=said, hoverinfo="text" if said else "skip",
            name="followed" if is_followed else "other tokens",
        )
    )  # fmt: skip


def _length_sentences(lengths: Array, name: str) -> list[str]:
    texts = [f"before block 0, “{escaped(name)}” has length {number(float(lengths[0]), 1)}"]
    texts += [
        f"{depth_words(d)}, “{escaped(name)}” has length {number(float(lengths[d]), 1)} "
        f"(was {number(float(lengths[d - 1]), 1)})"
        for d in range(1, len(lengths))
    ]
    return [*texts, ""]


def _one(position: int | None) -> list[int]:
    return [] if position is None else [position]
