"""How much shorter a text becomes, merge after merge."""

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, line, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.text import count, escaped, number
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import Trace, scatter

_TALL, _TOP, _ROW = 296, 68, 20


def compression_figure(
    *,
    ratios: ArrayLike,
    step: int,
    other: ArrayLike | None = None,
    names: tuple[str, str] = ("the text", "other words"),
    reference: float | None = None,
    reference_name: str = "",
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Tokens per character against the number of merges, the step looked at in the accent.

    Args:
        ratios: (n + 1,), tokens per character after no merge, after the first, and so on.
        step: which of them is looked at.
        other: (n + 1,), the same for other words that were cut by the same merges.
        names: what the text and the other words are called.
        reference: the same for another vocabulary, drawn as a dashed level.
        reference_name: what that vocabulary is called.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: there is no such step, or the two curves differ in length.
    """
    theme = as_theme(theme)
    values = as_vector(ratios, "ratios")
    others = values if other is None else as_vector(other, "other")
    require_same_length(ratios=values, other=others)
    last = len(values) - 1
    if not 0 <= step <= last:
        raise FigureError(f"There is no step {step}: they go from 0 to {last}.")
    sketch = Sketch(theme, height=_TALL + _TOP, margin=(58, 16, _TOP, 50), hoverdistance=40)
    if other is not None:
        sketch.trace(_curve(names[1], others, theme.curve))
    sketch.trace(
        _curve(names[0], values, theme.quantity),
        scatter(
            x=[step], y=[values[step]], mode="markers", name="looked at", hoverinfo="skip",
            marker={"size": 13, "color": theme.accent}, cliponaxis=False,
        ),
    )  # fmt: skip
    said = [(f"● <b>{number(values[step])}</b> after merge {count(step)}", theme.accent)]
    if other is not None:
        said.append((f"━ {escaped(names[1])}: {number(others[step])}", theme.ink2))
    if reference is not None:
        said.append((f"╌ {escaped(reference_name)}: {number(reference)}", theme.ink2))
        sketch.shapes(line(0, 1, reference, reference, theme.curve, xref="paper", dash="dash"))
    for row, (text, colour) in enumerate(said):  # above the curves, which may run anywhere
        sketch.notes(note(text, 0, 1, valign="bottom", shift=(0, _TOP - 18 - _ROW * row),
                          size=13 if row else 14.5, colour=colour))  # fmt: skip
    top = max(float(values.max()), float(others.max()), reference or 0.0)
    sketch.layout(
        xaxis={"range": [-0.01 * last, max(last, 1) * 1.01], "zeroline": False,
               "title": {"text": "merges done"}, **({"dtick": 1} if last < 8 else {"nticks": 8})},
        yaxis={"range": [0, top * 1.06], "nticks": 6, "zeroline": True,
               "title": {"text": "tokens per character"}},
    )  # fmt: skip
    return sketch.figure()


def _curve(name: str, values: Array, colour: str) -> Trace:
    steps = np.arange(len(values))
    return scatter(
        x=steps, y=values, mode="lines", name=escaped(name), line={"color": colour, "width": 2.5},
        hoverinfo="text", cliponaxis=False,
        hovertext=[f"{escaped(name)} after merge {count(n)}: {number(v, 3)} tokens per character"
                   + (f", {number(1 / v, 2)} characters per token" if v else "")
                   for n, v in enumerate(values.tolist())],
    )  # fmt: skip


def compression_table(ratios: ArrayLike, other: ArrayLike) -> Table:
    """Merges, tokens per character of the text, and of the other words."""
    return ["merges", "tokens per character", "of the other words"], [
        (step, float(one), float(two))
        for step, (one, two) in enumerate(
            zip(as_vector(ratios, "ratios"), as_vector(other, "other"), strict=True)
        )
    ]
