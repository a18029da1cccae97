"""The way back of one error: at which tokens its gradient stands before and after every block."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cell_texts, colour_bar, gaps
from tokenjourney.figures.depths import depth_words
from tokenjourney.figures.drawing import Sketch, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, require_same_length
from tokenjourney.figures.text import distinct_labels, escaped, scientific, share
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, tick_texts
from tokenjourney.figures.written import heatmap

_LEFT, _TOP, _BOTTOM, _ROW = 128, 10, 110, 28
_MOST_ROWS, _MOST_WRITTEN, MOST_DRAWN = 16, 14, 24


def error_path_figure(
    *, lengths: ArrayLike, labels: Sequence[str], theme: Theme | str = LIGHT
) -> go.Figure:
    """Rows of places, the output on top; columns of tokens; colour is the share of the gradient.

    Of each row's lengths the shares, so that they sum to 1: the lengths themselves grow from row to
    row, and stand in the hover. Of more than `MOST_DRAWN` tokens the strongest are drawn, and the
    others together in one column, the first.

    Args:
        lengths: (L + 1, n) length of the gradient before block 0 and after each block.
        labels: the visible texts of the n tokens; the last is the one whose error it is.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths and labels differ in number.
    """
    theme = as_theme(theme)
    values = as_matrix(lengths, "lengths")
    require_same_length(labels=labels, tokens=values.T)
    shares, names, said = _columns(values, distinct_labels(labels))
    depths, columns = shares.shape
    row = _ROW if depths <= _MOST_ROWS else max(8, _ROW * _MOST_ROWS // depths)
    plot = row * depths
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, hoverdistance=30,
                    margin=(_LEFT, 16, _TOP, _BOTTOM))  # fmt: skip
    sketch.trace(
        heatmap(z=shares, zmin=0, zmax=1, colorscale=theme.seq_scale, showscale=False,
                hoverinfo="text", hovertext=said, name="share of the gradient")
    )  # fmt: skip
    sketch.shapes(gaps(np.isfinite(shares), theme))
    if columns <= _MOST_WRITTEN and row == _ROW:
        texts = [[share(float(s)) if s >= 0.005 else "" for s in each] for each in shares]
        sketch.trace(cell_texts(shares, texts, low=0, high=1, theme=theme, size=12.5))
    for depth in labelled_positions(depths, plot // 16):
        sketch.notes(note(depth_words(depth), 0, depth, yref="y", anchor="right", shift=(-10, 0),
                          size=13, colour=theme.ink2))  # fmt: skip
    last = columns - 1
    sketch.shapes(outline(last - 0.5, last + 0.5, -0.5, depths - 0.5, theme.accent))
    sketch.layout(
        xaxis={"range": [-0.5, columns - 0.5], "tickmode": "array", "ticks": "",
               "tickvals": list(range(columns)), "ticktext": tick_texts(names, last),
               "tickangle": -45 if columns > 8 else 0, "showgrid": False, "zeroline": False},
        yaxis={"range": [-0.5, depths - 0.5], "showticklabels": False, "ticks": "",
               "showgrid": False, "zeroline": False},
    )  # fmt: skip
    sketch.notes(note("share of the gradient’s length", 0.24, 0, valign="top", shift=(14, -73),
                      colour=theme.ink2))  # fmt: skip
    colour_bar(sketch, low=0, high=1, x=0, length=0.24, below_px=76, plot_px=plot, theme=theme)
    return sketch.figure()


def error_path_table(*, lengths: ArrayLike, labels: Sequence[str]) -> Table:
    """A row per place and token: the length of the gradient there, and its share of the row."""
    values = as_matrix(lengths, "lengths")
    shares, names = shares_of_rows(values), distinct_labels(labels)
    return ["where", "position", "token", "length of the gradient", "share"], [
        (depth_words(depth), t, names[t], float(values[depth, t]), float(shares[depth, t]))
        for depth in reversed(range(len(values)))
        for t in range(len(names))
    ]


def _columns(values: Array, names: list[str]) -> tuple[Array, list[str], list[list[str]]]:
    """What is drawn: shares (L + 1, columns), what each column is, and a sentence for each cell."""
    shares, tokens = shares_of_rows(values), len(names)
    shown = list(range(tokens))
    if tokens > MOST_DRAWN:
        strongest = np.argsort(-shares[:, :-1].max(axis=0), kind="stable")[: MOST_DRAWN - 2]
        shown = [*sorted(strongest.tolist()), tokens - 1]
    said = [
        [f"{depth_words(depth)}, “{escaped(names[t])}”: {share(float(shares[depth, t]))}, "
         f"length {scientific(float(values[depth, t]))}" for t in shown]
        for depth in range(len(values))
    ]  # fmt: skip
    drawn, labels = shares[:, shown], [names[t] for t in shown]
    if (rest := tokens - len(shown)) > 0:
        others = 1 - drawn.sum(axis=1)
        drawn = np.concatenate([others[:, None].clip(0), drawn], axis=1)
        labels = [f"{rest} others", *labels]
        for depth, row in enumerate(said):
            row.insert(0, f"{depth_words(depth)}, the {rest} others: {share(float(others[depth]))}")
    return drawn, labels, said


def shares_of_rows(values: Array) -> Array:
    """(rows, n) lengths as shares of their row's sum; a row of zeros stays one.

    >>> shares_of_rows(np.array([[1.0, 3.0], [0.0, 0.0]], np.float32)).tolist()
    [[0.25, 0.75], [0.0, 0.0]]
    """
    sums = values.sum(axis=1, keepdims=True)
    return np.asarray(values / np.where(sums > 0, sums, 1), np.float32)
