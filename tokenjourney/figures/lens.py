"""The logit lens: what the model would say if it stopped after each block."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cell_texts, cells_to_click, colour_bar, gaps
from tokenjourney.figures.depths import depth_names, depth_words
from tokenjourney.figures.drawing import Sketch, note, outline
from tokenjourney.figures.export import Cell, Table
from tokenjourney.figures.matrices import Array, as_matrix
from tokenjourney.figures.text import distinct_labels, escaped, share, shortened
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, row_label
from tokenjourney.figures.written import heatmap, scatter

# About the narrowest grid on a page: what a column may hold is judged by it.
_GRID_WIDE = 780
_WRITTEN: Final = (
    "In each cell the best guess at that depth, coloured by its probability; bold is the guess "
    "that stays to the end."
)
_UNWRITTEN: Final = (
    "Each cell is coloured by the probability of the best guess at that depth; point at it to read "
    "the guess."
)
_MOST_NAMED = 14  # from here on a whole page has no room for "embedding" over a column


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

    Colour is the guess's probability. Bold is a guess that the last block keeps; where cells have
    no room for a text, the caption in `layout.meta` says so. The trace
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
    room = int((_GRID_WIDE / depths - 6) / 7)
    written = room >= 4 and pitch >= 16
    sketch = Sketch(theme, height=34 + plot + 78, margin=(116, 12, 34, 78), hoverdistance=90,
                    caption=_WRITTEN if written else _UNWRITTEN)  # fmt: skip
    sketch.trace(
        heatmap(
            z=shares, zmin=0, zmax=1, colorscale=theme.seq_scale, showscale=False,
            hoverinfo="skip", name="logit lens",
        )
    )  # fmt: skip
    along = ("x" if depths <= 32 else "") + ("y" if rows <= 32 else "")
    sketch.shapes(gaps(np.isfinite(shares), theme, along=along))
    if written:
        texts = _guess_texts(guesses, room)
        size = 13.5 if room >= 8 else 12
        sketch.trace(cell_texts(shares, texts, low=0, high=1, theme=theme, size=size))
    if before is not None:
        _add_changed(sketch, guesses, before, pitch, theme)
    _add_guess_targets(sketch, guesses, before or guesses, shares, names, cells)
    _add_axes(sketch, names, depths, plot, followed, theme)
    colour_bar(sketch, low=0, high=1, x=0, length=0.3, below_px=24, plot_px=plot, theme=theme)
    return sketch.figure()


def lens_table(
    *,
    guesses: Sequence[Sequence[str]],
    probabilities: ArrayLike,
    labels: Sequence[str],
    first: int = 0,
) -> Table:
    """One row per token and depth: the best guess there and its probability.

    Args:
        guesses: (L + 1) × n texts.
        probabilities: (L + 1, n).
        labels: the visible texts of the n tokens.
        first: the position of the first of them in the prompt.
    """
    shares = as_matrix(probabilities, "probabilities")
    names = distinct_labels(labels)
    rows: list[tuple[Cell, ...]] = [
        (first + row, name, depth_words(depth), guesses[depth][row], float(shares[depth, row]))
        for row, name in enumerate(names)
        for depth in range(len(shares))
    ]
    return ["position", "token", "where", "best guess", "probability"], rows


def _add_axes(
    sketch: Sketch,
    names: Sequence[str],
    depths: int,
    plot: float,
    followed: int | None,
    theme: Theme,
) -> None:
    """The tokens at the left, the depths on top, and the followed token's row in its frame."""
    rows = len(names)
    always = () if followed is None else (followed,)
    for row in labelled_positions(rows, max(2, int(plot / 15)), always):
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
    if depths > _MOST_NAMED:
        words[0] = "emb."
    sketch.layout(
        xaxis={"range": [-0.5, depths - 0.5], "side": "top", "tickmode": "array", "tickangle": 0,
               "tickvals": shown, "ticktext": [words[d] for d in shown], **plain},
        yaxis={"range": [rows - 0.5, -0.5], "showticklabels": False, **plain},
    )  # fmt: skip


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
    squares = cells_to_click(depth, row, said, hover="%{text}", name="cells: best guess")
    if cells is not None:
        squares["customdata"] = cells
    sketch.trace(squares)
