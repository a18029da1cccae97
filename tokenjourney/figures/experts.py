"""Experts lit like bulbs: for each token and block, who was chosen and with what gate."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import colour_bar
from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_matrix
from tokenjourney.figures.png import css_colours, palette, quantised
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, distinct_labels, escaped, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import row_label
from tokenjourney.figures.written import bar, listed, marks, scatter

_LEFT, _TOP, _BOTTOM = 108, 48, 46


def bulbs_figure(
    *,
    gates: ArrayLike,
    labels: Sequence[str],
    followed: int,
    block: int | None = None,
    shared: ArrayLike | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Rows of tokens, columns of experts, block after block; a chosen expert is a lit bulb.

    Size and colour of a bulb are its gate; an expert that was not chosen is an empty ring. Above
    60 tokens a window around the followed one is shown. A click reports the position.

    Args:
        gates: (n_blocks, T, n_experts), 0 where an expert was not chosen.
        labels: the visible texts of the T tokens.
        followed: the row with the accent.
        block: the block whose title is set off.
        shared: (n_blocks, T) length of what the shared experts write: a square each, never dark.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: the gates are no (n_blocks, T, n_experts).
    """
    theme = as_theme(theme)
    values = np.asarray(gates, dtype=np.float32)
    if values.ndim != 3 or values.shape[1] != len(labels) or values.size == 0:
        raise FigureError(
            f"gates have the shape {values.shape}; expected (n_blocks, {len(labels)}, n_experts)."
        )
    blocks, tokens, experts = values.shape
    names = distinct_labels(labels)
    start, end = window(tokens, followed)
    pitch = 26 if end - start <= 24 else 20
    plot = pitch * (end - start)
    caption = f"{experts} experts a block; size and colour are the gate."
    if end - start < tokens:
        caption += f" Tokens {start}–{end - 1} of {count(tokens)}."
    sketch = Sketch(theme, height=_TOP + plot + _BOTTOM, margin=(_LEFT, 12, _TOP, _BOTTOM),
                    caption=caption, hoverdistance=12)  # fmt: skip
    shown = values[:, start:end]
    place, row, expert = np.indices(shown.shape).reshape(3, -1)
    pace = experts + (1.5 if shared is None else 2.8)  # from one block to the next
    x = place * pace + expert
    gate = shown.ravel()
    lit = gate > 0
    top = max(float(gate.max()), 1e-6)
    sketch.trace(
        marks(x[~lit], row[~lit], name="dark", symbol="circle-open", size=6, color=theme.line),
        marks(
            x[lit], row[lit], name="lit", size=listed(6 + 7 * np.sqrt(gate[lit] / top)),
            color=css_colours(palette(theme.seq)[quantised(gate[lit], 0.0, top)]),
            line={"width": 1, "color": theme.curve}, opacity=1,
        ),
    )  # fmt: skip
    said = [
        f"“{escaped(names[start + r])}” in block {b}: expert {e}, "
        + (f"gate {number(float(g))}" if g > 0 else "not chosen")
        for b, r, e, g in zip(place, row, expert, gate, strict=True)
    ]
    if shared is not None:
        lengths = as_matrix(shared, "shared")[:, start:end]
        place, beside = np.indices(lengths.shape).reshape(2, -1)
        here = (place * pace + experts + 0.3).round(1)
        sketch.trace(marks(here, beside, name="shared", symbol="square", size=9, color=theme.curve))
        said += [
            f"“{escaped(names[start + r])}” in block {b}: the shared expert writes "
            f"{number(float(n))}"
            for b, r, n in zip(place, beside, lengths.ravel(), strict=True)
        ]
        x, row = np.append(x, here), np.append(row, beside)
    sketch.trace(
        scatter(x=x, y=row, mode="none", hoverinfo="text", hovertext=said, name="experts",
                customdata=(start + row)[:, None])
    )  # fmt: skip
    wide = blocks * pace - 1.5
    sketch.shapes(
        ground(-0.8, wide - 0.2, followed - start - 0.5, followed - start + 0.5, theme.accent_soft)
    )
    for index in range(end - start):
        is_followed = start + index == followed
        sketch.notes(
            note(row_label(names[start + index], followed=is_followed, theme=theme), 0, index,
                 yref="y", anchor="right", size=13, shift=(-8, 0))
        )  # fmt: skip
    for index in range(blocks):
        left = index * pace
        title = f"<b>block {index}</b>" if index == block else f"block {index}"
        sketch.notes(
            note(title, left + (experts - 1) / 2, 1, xref="x", anchor="center", valign="bottom",
                 size=14, colour=theme.ink, shift=(0, 20)),
            note("0", left, 1, xref="x", anchor="center", valign="bottom", size=12,
                 colour=theme.ink3, shift=(0, 2)),
            note(f"expert {experts - 1}", left + experts - 1, 1, xref="x", anchor="right",
                 valign="bottom", size=12, colour=theme.ink3, shift=(6, 2)),
        )  # fmt: skip
        if shared is not None:
            sketch.notes(
                note("S", left + experts + 0.3, 1, xref="x", anchor="center", valign="bottom",
                     size=12, colour=theme.ink3, shift=(0, 2))
            )  # fmt: skip
    sketch.layout(
        xaxis={**NO_TICKS, "range": [-1, wide]},
        yaxis={**NO_TICKS, "range": [end - start - 0.5, -0.5]},
        showlegend=False,
    )
    colour_bar(sketch, low=0, high=top, x=0, length=0.24, below_px=12, plot_px=plot,
               theme=theme)  # fmt: skip
    return sketch.figure()


def bulbs_table(*, gates: ArrayLike, labels: Sequence[str]) -> Table:
    """One row per token, block and chosen expert."""
    values = np.asarray(gates, dtype=np.float32)
    names = distinct_labels(labels)
    return ["position", "token", "block", "expert", "gate"], [
        (int(t), names[t], int(b), int(e), float(values[b, t, e]))
        for t, b, e in np.argwhere(values.transpose(1, 0, 2) > 0)
    ]


def loads_figure(
    *, balanced: ArrayLike, unbalanced: ArrayLike, axis: str, theme: Theme | str = LIGHT
) -> go.Figure:
    """The load of each expert with the bias (bars) and without it (marks); 1 is an equal share.

    Args:
        balanced: (n_experts,), loads as shares of an equal load.
        unbalanced: The same, chosen without the bias.
        axis: the axis title.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    with_bias, without = np.asarray(balanced, float), np.asarray(unbalanced, float)
    experts = np.arange(len(with_bias))
    hovers = [
        f"expert {e}: {number(float(a))} of an equal share, {number(float(b))} without the bias"
        for e, a, b in zip(experts, with_bias, without, strict=True)
    ]
    sketch = Sketch(theme, height=300, margin=(58, 12, 34, 48), bargap=0.35)
    sketch.trace(
        bar(x=experts, y=with_bias, marker={"color": theme.quantity}, hovertext=hovers,
               hoverinfo="text", name="with the bias"),
        scatter(x=experts, y=without, mode="markers", hovertext=hovers, hoverinfo="text",
                   marker={"symbol": "diamond-open", "size": 11,
                           "line": {"width": 2, "color": theme.ink}},
                   name="without the bias"),
    )  # fmt: skip
    sketch.layout(
        xaxis={
            "title": {"text": "expert"},
            "dtick": 1,
            "showgrid": False,
            "range": [-0.6, len(experts) - 0.4],
        },
        yaxis={"title": {"text": axis}, "rangemode": "tozero"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
    )
    sketch.shapes(line(0, 1, 1, 1, theme.curve, xref="paper", dash="dot"))
    return sketch.figure()
