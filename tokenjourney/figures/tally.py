"""Many draws from one distribution: how often each token came, and how often to expect it."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, note
from tokenjourney.figures.matrices import as_vector, require_same_length
from tokenjourney.figures.text import count, escaped, number, shortened, token_markup
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import bar, scatter

_ROW = 26


def tally_figure(
    *,
    labels: Sequence[str],
    counts: ArrayLike,
    expected: ArrayLike,
    n_draws: int,
    chosen: int | None = None,
    rest: tuple[int, int, float] = (0, 0, 0.0),
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """A bar for how often each token was drawn, and a mark for its probability times the draws.

    Args:
        labels: visible texts of the tokens, the most often drawn first.
        counts: (n,), how often each was drawn.
        expected: (n,), how often to expect it.
        n_draws: how many draws there were.
        chosen: the row with the accent.
        rest: how many other tokens were drawn, how often together, how often to expect them.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: lengths that differ.
    """
    theme = as_theme(theme)
    require_same_length(labels=labels, counts=counts, expected=expected)
    names, drawn, hoped = list(labels), as_vector(counts), as_vector(expected)
    if rest[0]:
        names.append(f"{count(rest[0])} others")
        drawn, hoped = np.append(drawn, rest[1]), np.append(hoped, rest[2])
    rows = len(names)
    sketch = Sketch(theme, height=_ROW * rows + 62, margin=(118, 48, 6, 56), bargap=0.45,
                    hoverdistance=30)  # fmt: skip
    said = [
        f"“{escaped(name)}” came {count(int(n))} times in {count(n_draws)} draws, "
        f"{number(hoped_for, 1)} were to be expected"
        for name, n, hoped_for in zip(names, drawn, hoped, strict=True)
    ]
    colours = [theme.accent if row == chosen else theme.quantity for row in range(rows)]
    common = {"y": np.arange(rows), "hovertext": said, "hoverinfo": "text"}
    sketch.trace(
        bar(x=drawn, orientation="h", marker={"color": colours}, name="drawn", **common),
        scatter(
            x=hoped, mode="markers", name="expected", **common,
            marker={"symbol": "line-ns", "size": 17, "line": {"width": 2.5, "color": theme.ink}},
        ),
    )  # fmt: skip
    for row, (name, n) in enumerate(zip(names, drawn, strict=True)):
        label = token_markup(shortened(name, 13), followed=row == chosen, theme=theme)
        end = max(float(n), float(hoped[row]))
        sketch.notes(
            note(label, 0, row, yref="y", anchor="right", shift=(-8, 0), size=14, colour=theme.ink),
            note(count(int(n)), end, row, xref="x", yref="y", shift=(8, 0), size=13.5,
                 colour=colours[row] if row == chosen else theme.ink2),
        )  # fmt: skip
    limit = max(float(drawn.max()), float(hoped.max()))
    sketch.layout(
        xaxis={"range": [0, limit * 1.04], "nticks": 6, "zeroline": True,
               "title": {"text": f"times drawn, of {count(n_draws)}; ❙ to be expected"}},
        yaxis={"range": [rows - 0.5, -0.5], **NO_TICKS},
    )  # fmt: skip
    return sketch.figure()
