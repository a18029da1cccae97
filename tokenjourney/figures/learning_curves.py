"""The course of a training: the losses, and how long the gradients of the parts are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, heading, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.png import palette
from tokenjourney.figures.text import count, escaped, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import scatter

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 132, 14, 50
_LOSS_TALL, _NORMS_TALL, _LABEL = 300, 250, 15.0
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


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
    sketch = Sketch(theme, height=_TOP + _LOSS_TALL + _BOTTOM, hoverdistance=30,
                    margin=(_LEFT, _RIGHT, _TOP, _BOTTOM))  # fmt: skip
    sketch.shapes(line(0, last_step, guess, guess, theme.curve, width=1, dash="dot"))
    sketch.notes(
        note(f"guessing: ln {count(vocabulary)} = {number(guess)}", 1, guess, yref="y",
             valign="bottom", anchor="right", shift=(-4, 2), size=13, colour=theme.ink2)
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
                marker={"size": 6, "color": style["color"]}, name=name, hoverinfo="text",
                hovertext=[f"step {count(s)}: {number(v)} nats on {said}"
                           for s, v in zip(where.tolist(), values.tolist(), strict=True)],
            )
        )  # fmt: skip
    ends = [float(values[-1]) for *_, values, _ in curves]
    places = spread(ends, _LABEL * top / _LOSS_TALL)
    for (name, _, _, _, style), value, place in zip(curves, ends, places, strict=True):
        sketch.notes(
            note(f"<b>{number(value)}</b> {name}", 1, place, yref="y", shift=(8, 0), size=13.5,
                 colour=str(style["color"]))
        )  # fmt: skip
    _mark(sketch, marked, 0, top, theme)
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


@dataclass(frozen=True, eq=False)
class GradientPanel:
    """One network's gradients: a name, a second line, and the length of each part at each step.

    Attributes:
        title: Which network.
        subtitle: More of it.
        names: The parts, from the input up.
        lengths: (n, parts).
    """

    title: str
    subtitle: str
    names: Sequence[str]
    lengths: ArrayLike


def gradient_lengths_figure(
    panels: Sequence[GradientPanel],
    *,
    steps: ArrayLike,
    last_step: int,
    marked: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """How long the gradient of each part is, step by step, on one logarithmic axis.

    The nearer a part is to the output, the darker (in the dark theme: the lighter) its line.

    Args:
        panels: one or two networks.
        steps: (n,) numbers of the steps.
        last_step: where the axis ends.
        marked: the step that is looked at.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: no panel, or lengths that do not fit each other.
    """
    theme = as_theme(theme)
    x = as_vector(steps, "steps")
    if not panels:
        raise FigureError("Pass at least one panel of gradients.")
    arrays = [np.asarray(panel.lengths, np.float32).reshape(len(x), -1) for panel in panels]
    positive = np.concatenate([array[array > 0] for array in arrays] or [np.ones(1, np.float32)])
    low = float(np.floor(np.log10(max(float(positive.min(initial=1.0)), 1e-12))))
    high = float(np.ceil(np.log10(float(positive.max(initial=1.0)) * 1.01)))
    sketch = Sketch(theme, height=58 + _NORMS_TALL + _BOTTOM, hoverdistance=30,
                    margin=(_LEFT, _RIGHT, 58, _BOTTOM))  # fmt: skip
    gap = 0.21 if len(panels) > 1 else 0.0
    width = (1 - gap * (len(panels) - 1)) / len(panels)
    ticks = [float(t) for t in np.arange(low, high + 1)]
    every = -(-len(ticks) // 6)
    for index, (panel, values) in enumerate(zip(panels, arrays, strict=True)):
        require_same_length(names=panel.names, parts=values.T)
        suffix, left = str(index + 1) if index else "", index * (width + gap)
        sketch.layout(**{
            f"xaxis{suffix}": {"domain": [left, min(1.0, left + width)], "nticks": 6,
                               "anchor": f"y{suffix}",
                               "range": [0, max(last_step, 1)], "showgrid": False,
                               "title": {"text": "training step"}},
            f"yaxis{suffix}": {"anchor": f"x{suffix}", "range": [low, high], "tickmode": "array",
                               "tickvals": ticks, "zeroline": False,
                               "ticktext": [power(t) if (t - low) % every == 0 else ""
                                            for t in ticks],
                               **({} if index else {"title": {"text": "length of the gradient"}})},
        })  # fmt: skip
        sketch.notes(*heading(panel.title, panel.subtitle, left, 1, theme=theme))
        _add_lengths(sketch, panel, x, values, suffix, left + width, (low, high), theme)
        _mark(sketch, marked, low, high, theme, suffix)
    return sketch.figure()


def power(exponent: float) -> str:
    """A power of ten: as a number where it is short.

    >>> power(0), power(-2), power(-6)
    ('1', '0.01', '10⁻⁶')
    """
    whole = int(exponent)
    if -2 <= whole <= 3:
        return f"{10.0**whole:g}"
    return f"10{str(whole).translate(_SUPERSCRIPTS)}"


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


def _add_lengths(
    sketch: Sketch, panel: GradientPanel, x: Array, values: Array, suffix: str, right: float,
    ends: tuple[float, float], theme: Theme,
) -> None:  # fmt: skip
    low, high = ends
    shades = palette(theme.seq)[np.linspace(96, 254, values.shape[1]).astype(int)]
    colours = [f"rgb({r},{g},{b})" for r, g, b in shades.tolist()]
    logs = np.log10(np.maximum(values, 10**low))
    for part, name in enumerate(panel.names):
        sketch.trace(
            scatter(
                x=x, y=logs[:, part], mode="lines+markers" if len(x) == 1 else "lines",
                line={"color": colours[part], "width": 2}, marker={"size": 6},
                name=f"{escaped(panel.title)}: {escaped(name)}", xaxis=f"x{suffix}",
                yaxis=f"y{suffix}",
                hoverinfo="text",
                hovertext=[f"step {count(s)}, {panel.title}: the gradient of {escaped(name)} has "
                           f"length {scientific(v)}"
                           for s, v in zip(x.tolist(), values[:, part].tolist(), strict=True)],
            )
        )  # fmt: skip
    places = spread(logs[-1].tolist(), _LABEL * (high - low) / _NORMS_TALL)
    for part, (name, place) in enumerate(zip(panel.names, places, strict=True)):
        sketch.notes(
            note(f"{escaped(name)}", right, place, yref=f"y{suffix}", shift=(7, 0), size=12.5,
                 colour=theme.ink2 if part else theme.ink3)
        )  # fmt: skip


def scientific(value: float) -> str:
    """A length of any size, in words for a hover.

    >>> scientific(2.5), scientific(3.2e-6), scientific(0.0)
    ('2.50', '3.2 · 10⁻⁶', '0')
    """
    if value == 0:
        return "0"
    if value >= 0.01:
        return number(value)
    exponent = int(np.floor(np.log10(value)))
    return f"{value / 10.0**exponent:.1f} · 10{str(exponent).translate(_SUPERSCRIPTS)}"


def _mark(
    sketch: Sketch, step: int | None, low: float, high: float, theme: Theme, suffix: str = ""
) -> None:
    if step is not None:
        sketch.shapes(line(step, step, low, high, theme.ink, width=1.5, xref=f"x{suffix}",
                           yref=f"y{suffix}"))  # fmt: skip
