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
    sketch = Sketch(theme, height=320, margin=(58, 16, 14, 50), hoverdistance=40)
    for name, curve, colour in ([] if other is None else [(names[1], others, theme.curve)]) + [
        (names[0], values, theme.quantity)
    ]:
        sketch.trace(_curve(name, curve, colour))
    sketch.trace(
        scatter(
            x=[step], y=[values[step]], mode="markers", name="looked at", hoverinfo="skip",
            marker={"size": 13, "color": theme.accent}, cliponaxis=False,
        )
    )  # fmt: skip
    sketch.notes(
        note(f"● <b>{number(values[step])}</b> after {count(step)} merges", 1, 1, anchor="right",
             valign="top", shift=(-4, 0), size=14.5, colour=theme.accent)
    )  # fmt: skip
    if other is not None:
        sketch.notes(
            note(f"<b>━</b> {escaped(names[1])}: {number(others[step])}", 1, 1, anchor="right",
                 valign="top", shift=(-4, -22), size=13, colour=theme.ink2)
        )  # fmt: skip
    if reference is not None:
        sketch.shapes(line(0, 1, reference, reference, theme.curve, xref="paper", dash="dash"))
        # beside the curve, which falls: left below the level where it is still above, else right
        over = reference > max(float(values.max()), float(others.max()))
        above = over or reference > float(values[int(0.45 * last)])
        left = over or not above
        sketch.notes(
            note(f"{escaped(reference_name)}: {number(reference)}", 0 if left else 1, reference,
                 anchor="left" if left else "right", valign="bottom" if above else "top",
                 xref="paper", yref="y", shift=(8 if left else -8, 2 if above else -3), size=13,
                 colour=theme.ink2)
        )  # fmt: skip
    top = max(float(values.max()), float(others.max()), reference or 0.0)
    sketch.layout(
        xaxis={"range": [-0.01 * last, max(last, 1) * 1.01], "nticks": 8, "zeroline": False,
               "title": {"text": "merges done"}},
        yaxis={"range": [0, top * 1.15], "nticks": 6, "zeroline": True,
               "title": {"text": "tokens per character"}},
    )  # fmt: skip
    return sketch.figure()


def _curve(name: str, values: Array, colour: str) -> Trace:
    steps = np.arange(len(values))
    return scatter(
        x=steps, y=values, mode="lines", name=escaped(name), line={"color": colour, "width": 2.5},
        hoverinfo="text", cliponaxis=False,
        hovertext=[f"{escaped(name)} after {count(n)} merges: {number(v, 3)} tokens per character"
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
