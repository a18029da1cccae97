"""The course of a training: its losses."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.text import count, number
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import scatter

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 132, 14, 50
_TALL, _LABEL = 300, 15.0


def loss_curves_figure(
    *,
    steps: ArrayLike,
    train: ArrayLike,
    seen_at: ArrayLike,
    held_out: ArrayLike,
    twin: ArrayLike = (),
    vocabulary: int,
    last_step: int,
    marked: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """The losses so far, on axes that stay as they are while the curves grow.

    Args:
        steps: (n,) numbers of the steps.
        train: (n,) loss on each step's batch, in nats per token.
        seen_at: (m,) steps at which the held-out loss was measured.
        held_out: (m,) that loss.
        twin: (n,) training loss of the same network without skip connections, or nothing.
        vocabulary: number of tokens; guessing among them costs its logarithm.
        last_step: where the axis ends.
        marked: the step that is looked at.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths that do not fit each other, or no step.
    """
    theme = as_theme(theme)
    x, losses = as_vector(steps, "steps"), as_vector(train, "train")
    tests, at = as_vector(held_out, "held_out"), as_vector(seen_at, "seen_at")
    require_same_length(steps=x, train=losses)
    require_same_length(seen_at=at, held_out=tests)
    guess = float(np.log(vocabulary))
    top = max(guess, float(losses.max())) * 1.08
    sketch = Sketch(theme, height=_TOP + _TALL + _BOTTOM, hoverdistance=30,
                    margin=(_LEFT, _RIGHT, _TOP, _BOTTOM))  # fmt: skip
    sketch.shapes(line(0, last_step, guess, guess, theme.curve, width=1, dash="dot"))
    sketch.notes(
        note(f"guessing: ln {count(vocabulary)} = {number(guess)}", 1, guess, yref="y",
             valign="bottom", anchor="right", shift=(-4, 2), size=13, colour=theme.ink2,
             bgcolor=theme.bg)
    )  # fmt: skip
    curves: list[tuple[str, str, Array, Array, dict[str, Any]]] = [
        ("training", "the training batch", x, losses, {"color": theme.curve, "width": 1.5}),
        ("held out", "the held-out text", at, tests, {"color": theme.quantity, "width": 3}),
    ]
    without = np.asarray(twin, np.float32)
    if without.size:
        require_same_length(steps=x, twin=without)
        style = {"color": theme.ink2, "width": 1.5, "dash": "dash"}
        curves.insert(0, ("no skips", "the training batch, without skip connections", x, without,
                          style))  # fmt: skip
    for name, said, where, values, style in curves:
        sketch.trace(
            scatter(
                x=where, y=values, mode="lines+markers" if len(where) == 1 else "lines", line=style,
                marker={"size": 6, "color": style["color"]}, name=name,
                text=[number(v) for v in values.tolist()],
                hovertemplate=f"step %{{x:,}}: %{{text}} nats on {said}<extra></extra>",
            )
        )  # fmt: skip
    ends = [float(values[-1]) for *_, values, _ in curves]
    places = spread(ends, _LABEL * top / _TALL)
    for (name, _, _, _, style), value, place in zip(curves, ends, places, strict=True):
        sketch.notes(
            note(f"<b>{number(value)}</b> {name}", 1, place, yref="y", shift=(8, 0), size=13.5,
                 colour=str(style["color"]))
        )  # fmt: skip
    mark_step(sketch, marked, 0, top, theme)
    sketch.layout(
        xaxis={"range": [0, max(last_step, 1)], "title": {"text": "training step"}, "nticks": 8,
               "showgrid": False},
        yaxis={"range": [0, top], "title": {"text": "loss, nats per token"}, "nticks": 6},
    )  # fmt: skip
    return sketch.figure()


def curves_table(
    *,
    steps: ArrayLike,
    train: ArrayLike,
    seen_at: ArrayLike,
    held_out: ArrayLike,
    twin: ArrayLike = (),
) -> Table:
    """A row per step: its losses; the held-out one only where it was measured."""
    x, without = np.asarray(steps).tolist(), np.asarray(twin, np.float32).tolist()
    tests = dict(zip(np.asarray(seen_at).tolist(), np.asarray(held_out).tolist(), strict=True))
    return ["step", "training", "held out", "training without skips"], [
        (step, loss, tests.get(step), without[row] if without else None)
        for row, (step, loss) in enumerate(zip(x, np.asarray(train).tolist(), strict=True))
    ]


def spread(values: Sequence[float], gap: float) -> list[float]:
    """Places as near to the values as can be, but `gap` apart, in the same order from below.

    >>> spread([1.0, 1.0, 5.0], 2.0)
    [0.0, 2.0, 5.0]
    """
    order = sorted(range(len(values)), key=lambda i: (values[i], i))
    groups: list[tuple[float, list[int]]] = []  # centre, members from below
    for index in order:
        groups.append((float(values[index]), [index]))
        while len(groups) > 1:
            (centre, lower), (other, upper) = groups[-2:]
            if other - centre >= gap * (len(lower) + len(upper)) / 2:
                break
            both = lower + upper
            middle = (centre * len(lower) + other * len(upper)) / len(both)
            groups[-2:] = [(middle, both)]
    places = [0.0] * len(values)
    for centre, members in groups:
        for rank, index in enumerate(members):
            places[index] = centre + gap * (rank - (len(members) - 1) / 2)
    return places


def mark_step(
    sketch: Sketch, step: int | None, low: float, high: float, theme: Theme, suffix: str = ""
) -> None:
    """A line at the step that is looked at, from `low` to `high`; nothing at None."""
    if step is not None:
        sketch.shapes(line(step, step, low, high, theme.ink, width=1.5, xref=f"x{suffix}",
                           yref=f"y{suffix}"))  # fmt: skip
