"""Why it works: models by their parameters, the loss by depth, neighbours that stand in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.depths import beside, depth_axis, depth_words, with_room
from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, heading, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector, require_same_length
from tokenjourney.figures.parameters import short_count
from tokenjourney.figures.text import (
    count,
    escaped,
    number,
    share,
    shortened,
    token_markup,
)
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import share_ticks
from tokenjourney.figures.written import bar, scatter

_ROW = 30
_PANELS = (
    ("alike in W_E", "cosine of both rows", (0.0, 0.26)),
    ("side by side?", "how likely it comes right after", (0.38, 0.62)),
    ("in its place", "share of the prediction that stays", (0.74, 1.0)),
)


def sizes_figure(
    *, names: Sequence[str], sizes: Sequence[int], own: int, theme: Theme | str = LIGHT
) -> go.Figure:
    """How many parameters some models have, one row each, on a logarithmic axis.

    Args:
        names: their names.
        sizes: numbers of parameters.
        own: the row of the loaded model, which is marked.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    require_same_length(names=names, sizes=sizes)
    rows = len(names)
    low = 10.0 ** np.floor(np.log10(min(sizes)))
    high = 10.0 ** np.ceil(np.log10(max(sizes)))
    sketch = Sketch(theme, height=340, margin=(118, 84, 14, 54), hoverdistance=30)
    sketch.shapes(
        *(
            line(low, size, row, row, theme.line, width=2) | {"layer": "below"}
            for row, size in enumerate(sizes)
        )
    )
    sketch.trace(
        scatter(
            x=np.asarray(sizes, np.float64), y=np.arange(rows), mode="markers", name="parameters",
            marker={"size": [14 if row == own else 11 for row in range(rows)],
                    "color": theme.quantity,
                    "line": {"width": [2.5 if row == own else 0 for row in range(rows)],
                             "color": theme.ink}},
            hovertext=[f"{escaped(name)}: {count(size)} parameters"
                       for name, size in zip(names, sizes, strict=True)],
            hoverinfo="text", cliponaxis=False,
        )
    )  # fmt: skip
    for row, (name, size) in enumerate(zip(names, sizes, strict=True)):
        strong = row == own
        text = f"<b>{escaped(shortened(name, 15))}</b>" if strong else escaped(shortened(name, 15))
        sketch.notes(
            note(text, 0, row, yref="y", anchor="right", shift=(-10, 0), size=14,
                 colour=theme.ink if strong else theme.ink2),
            note(short_count(size), float(np.log10(size)), row, xref="x", yref="y", shift=(12, 0),
                 colour=theme.ink if strong else theme.ink2),
        )  # fmt: skip
    powers = range(int(np.log10(low)), int(np.log10(high)) + 1)
    ticks = [10.0**power for power in powers if (power - powers[0]) % 2 == 0]
    sketch.layout(
        xaxis={"type": "log", "range": [float(np.log10(low)), float(np.log10(high))],
               "tickmode": "array", "tickvals": ticks,
               "ticktext": [short_count(tick) for tick in ticks],
               "title": {"text": "parameters"}},
        yaxis={"range": [rows - 0.5, -0.5], **NO_TICKS},
    )  # fmt: skip
    return sketch.figure()


def depth_loss_figure(
    *, losses: ArrayLike, blind: float, before: ArrayLike | None = None, theme: Theme | str = LIGHT
) -> go.Figure:
    """The mean loss if the model stopped at each depth; the lower, the better it predicts.

    Args:
        losses: (L + 1,) in nats, before block 0 and after each block.
        blind: the loss of whoever gives every token the same probability.
        before: (L + 1,) the same of another run to compare with, as rings.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    values = as_vector(losses, "losses")
    depths = np.arange(len(values))
    top = max(float(values.max()), blind)
    sketch = Sketch(theme, height=340, margin=(64, 24, 14, 54), hoverdistance=40)
    sketch.shapes(line(-0.4, len(values) - 0.6, blind, blind, theme.curve, dash="dot"))
    beside_it = values[len(values) // 2 :]  # points above or below the words on the dotted line
    crowded = bool(np.any(np.abs(beside_it - blind) < top * 0.1))
    over = values[-1] < blind < top * 0.97 and not crowded
    sketch.notes(
        note(f"every token alike: {number(blind)}", len(values) - 0.6,
             min(blind, float(beside_it.min())) if crowded else blind, xref="x", yref="y",
             anchor="right", valign="bottom" if over else "top", shift=(0, -8 if crowded else 0),
             colour=theme.ink2)
    )  # fmt: skip
    if before is not None:
        rings = as_vector(before, "before")
        top = max(top, float(rings.max()))
        sketch.trace(
            scatter(
                x=depths, y=rings, mode="lines+markers", name="with everything on",
                line={"color": theme.curve, "width": 1.5, "dash": "dot"},
                marker={"size": 10, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
                hovertext=[f"with everything on, {depth_words(d)}: {number(float(v))} nats"
                           for d, v in enumerate(rings)],
                hoverinfo="text", cliponaxis=False,
            )
        )  # fmt: skip
    sketch.trace(
        scatter(
            x=depths, y=values, mode="lines+markers+text", name="mean loss", cliponaxis=False,
            line={"color": theme.quantity, "width": 2.5},
            marker={"size": 9, "color": theme.quantity},
            text=with_room([number(float(v)) for v in values], values / (top * 1.1)),
            textposition=beside(values / (top * 1.1)),
            textfont={"color": theme.ink, "size": 13},
            hovertext=[f"{depth_words(d)}: a mean loss of {number(float(v))} nats"
                       for d, v in enumerate(values)],
            hoverinfo="text",
        )
    )  # fmt: skip
    sketch.layout(
        xaxis=depth_axis(len(values)),
        yaxis={"range": [0, top * 1.1], "nticks": 6, "title": {"text": "mean loss in nats"}},
    )
    return sketch.figure()


def substitutes_figure(
    *,
    labels: Sequence[str],
    cosines: ArrayLike,
    beside: ArrayLike,
    overlaps: ArrayLike,
    token: str,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Tokens near to another: how alike, how likely right after it, how well they stand in for it.

    Args:
        labels: their visible texts, one row each.
        cosines: (n,) of their rows with the token's.
        beside: (n,) the probability that they come right after it.
        overlaps: (n,) share of the next token's distribution that stays with them in its place.
        token: the visible text of the token.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    columns = [
        as_vector(values, name)
        for name, values in (("cosines", cosines), ("beside", beside), ("overlaps", overlaps))
    ]
    require_same_length(labels=labels, cosines=columns[0], beside=columns[1], overlaps=columns[2])
    rows = len(labels)
    sketch = Sketch(theme, height=64 + _ROW * rows + 48, margin=(116, 62, 64, 48), bargap=0.5,
                    hoverdistance=30)  # fmt: skip
    said = (
        f"the cosine of its row with that of “{escaped(token)}” is",
        f"right after “{escaped(token)}” the model expects it with",
        "in its place, so much of the prediction stays:",
    )
    for index, ((title, subtitle, domain), values) in enumerate(zip(_PANELS, columns, strict=True)):
        suffix = "" if index == 0 else str(index + 1)
        write = number if index == 0 else share
        sketch.notes(*heading(title, subtitle, domain[0], 1, theme=theme))
        refs: dict[str, Any] = {"xref": f"x{suffix}", "yref": "y"}
        sketch.shapes(*(ground(0, 1, r - 0.25, r + 0.25, theme.line, **refs) for r in range(rows)))
        sketch.trace(
            bar(
                x=np.maximum(values, 0), y=np.arange(rows), orientation="h", name=title,
                xaxis=f"x{suffix}", yaxis="y", marker={"color": theme.quantity},
                hoverinfo="text",
                hovertext=[f"“{escaped(label)}”: {said[index]} {write(float(v))}"
                           for label, v in zip(labels, values, strict=True)],
            )
        )  # fmt: skip
        sketch.notes(
            *(note(write(float(v)), 1, row, shift=(8, 0), colour=theme.ink2, **refs)
              for row, v in enumerate(values))
        )  # fmt: skip
        axis: dict[str, Any] = {"domain": domain, "anchor": "y", "range": [0, 1],
                                **({"nticks": 3} if index == 0 else share_ticks(1, 2)),
                                "showgrid": False, "zeroline": False}  # fmt: skip
        names = ("cosine", "probability", "share")
        sketch.layout(**{f"xaxis{suffix}": axis | {"title": {"text": names[index]}}})
    for row, label in enumerate(labels):
        text = token_markup(shortened(label, 13), theme=theme)
        sketch.notes(
            note(text, 0, row, yref="y", anchor="right", shift=(-8, 0), size=14, colour=theme.ink)
        )
    sketch.layout(yaxis={"range": [rows - 0.5, -0.5], **NO_TICKS})
    return sketch.figure()


def substitutes_table(
    *, labels: Sequence[str], cosines: ArrayLike, beside: ArrayLike, overlaps: ArrayLike
) -> Table:
    """One row per neighbour."""
    parts = (as_vector(values).tolist() for values in (cosines, beside, overlaps))
    columns = ["token", "cosine", "probability right after", "share that stays in its place"]
    return columns, list(zip(labels, *parts, strict=True))
