"""How long the gradients of a network's parts are while it is trained."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, heading, note
from tokenjourney.figures.learning_curves import mark_step, spread
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.png import css_colours, palette
from tokenjourney.figures.text import escaped, power, scientific
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import scatter

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 132, 58, 50
_TALL, _LABEL = 250, 15.0


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
    sketch = Sketch(theme, height=_TOP + _TALL + _BOTTOM, hoverdistance=30,
                    margin=(_LEFT, _RIGHT, _TOP, _BOTTOM))  # fmt: skip
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
        mark_step(sketch, marked, low, high, theme, suffix)
    return sketch.figure()


def _add_lengths(
    sketch: Sketch, panel: GradientPanel, x: Array, values: Array, suffix: str, right: float,
    ends: tuple[float, float], theme: Theme,
) -> None:  # fmt: skip
    low, high = ends
    shades = palette(theme.seq)[np.linspace(96, 254, values.shape[1]).astype(int)]
    colours = css_colours(shades)
    logs = np.log10(np.maximum(values, 10**low))
    for part, name in enumerate(panel.names):
        sketch.trace(
            scatter(
                x=x, y=logs[:, part], mode="lines+markers" if len(x) == 1 else "lines",
                line={"color": colours[part], "width": 2}, marker={"size": 6},
                name=f"{escaped(panel.title)}: {escaped(name)}", xaxis=f"x{suffix}",
                yaxis=f"y{suffix}",
                text=[scientific(v) for v in values[:, part].tolist()],
                hovertemplate=f"step %{{x:,}}, {escaped(panel.title)}: the gradient of "
                              f"{escaped(name)} has length %{{text}}<extra></extra>",
            )
        )  # fmt: skip
    places = spread(logs[-1].tolist(), _LABEL * (high - low) / _TALL)
    for part, (name, place) in enumerate(zip(panel.names, places, strict=True)):
        sketch.notes(
            note(f'<span style="color:{colours[part]}">━</span> {escaped(name)}', right, place,
                 yref=f"y{suffix}", shift=(7, 0), size=12.5, colour=theme.ink2)
        )  # fmt: skip
