"""Counts of parameters: how a tensor's numbers are distributed, and models beside each other."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import NO_TICKS, Sketch, heading, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import as_vector
from tokenjourney.figures.text import count, escaped, number, share
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import share_ticks
from tokenjourney.figures.written import bar, scatter

_ROW = 40


def short_count(value: float) -> str:
    """A large count in words of at most four digits: M for millions, B for 10⁹.

    >>> short_count(3_111_936), short_count(671_026_419_200), short_count(192)
    ('3.11 M', '671 B', '192')
    """
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6)):
        if value >= size:
            scaled = value / size
            return f"{scaled:.0f} {unit}" if scaled >= 100 else f"{scaled:.3g} {unit}"
    return count(int(value))


def values_figure(
    *, edges: ArrayLike, counts: ArrayLike, mean: float, theme: Theme | str = LIGHT
) -> go.Figure:
    """How many numbers of a tensor have which value, and their mean.

    Args:
        edges: (bins + 1,), where bins begin and end.
        counts: (bins,), numbers in each.
        mean: of all of them.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: not one edge more than there are bins.
    """
    theme = as_theme(theme)
    ends, heights = as_vector(edges, "edges"), as_vector(counts, "counts")
    if len(ends) != len(heights) + 1:
        raise FigureError(f"{len(heights)} bins have {len(heights) + 1} edges, not {len(ends)}.")
    sketch = Sketch(theme, height=290, margin=(92, 12, 26, 50), bargap=0.0, hoverdistance=30)
    sketch.trace(
        bar(
            x=(ends[:-1] + ends[1:]) / 2, y=heights, width=float(ends[1] - ends[0]) * 0.88,
            marker={"color": theme.quantity}, name="numbers", hoverinfo="text",
            hovertext=[f"{count(n)} numbers from {number(a, 3)} to {number(b, 3)}"
                       for n, a, b in zip(heights.tolist(), ends[:-1], ends[1:], strict=True)],
        )
    )  # fmt: skip
    sketch.notes(
        note(f"▾ mean {number(mean, 4)}", mean, 1, xref="x", anchor="center", valign="bottom",
             shift=(0, 2), size=13, colour=theme.ink2)
    )  # fmt: skip
    sketch.layout(
        xaxis={"nticks": 8, "zeroline": True, "title": {"text": "value"}},
        yaxis={"rangemode": "tozero", "nticks": 5, "title": {"text": "how many numbers"}},
    )
    return sketch.figure()


def family_figure(
    models: Sequence[tuple[str, Mapping[str, int], int]],
    *,
    kinds: Mapping[str, str],
    strong: Sequence[int] = (),
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Models as rows: how many parameters, on a scale of powers of ten, and where they are.

    Args:
        models: Name, parameters by part, and how many of them one token goes through.
        kinds: What the parts are called, in the order of `treemap_figure`.
        strong: Rows whose name is bold.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: there are no models.
    """
    theme = as_theme(theme)
    if not models:
        raise FigureError("There are no models to draw.")
    rows = len(models)
    sketch = Sketch(theme, height=rows * _ROW + 112, margin=(168, 26, 58, 54), barmode="stack",
                    bargap=0.45, hoverdistance=30)  # fmt: skip
    sketch.notes(
        *heading("How many", "● all, ○ what one token goes through", 0, 1, theme=theme),
        *heading("Where they are", "shares of all its parameters, coloured as above", 0.56, 1,
                 theme=theme),
    )  # fmt: skip
    _add_counts(sketch, models, theme)
    colours = [theme.seq[2], theme.seq[1], theme.seq[3], theme.seq[4], theme.curve, theme.seq[2]]
    for index, (part, kind) in enumerate(kinds.items()):
        shares = [parts.get(part, 0) / sum(parts.values()) for _, parts, _ in models]
        sketch.trace(
            bar(
                x=shares, y=np.arange(rows), orientation="h", xaxis="x2", yaxis="y2",
                name=escaped(kind),
                marker={"color": colours[index], "line": {"color": theme.bg, "width": 1}},
                hoverinfo="text",
                hovertext=[f"{escaped(name)}: {escaped(kind)} {count(found.get(part, 0))}, "
                           f"{share(s)}"
                           for (name, found, _), s in zip(models, shares, strict=True)],
            )
        )  # fmt: skip
    for row, (name, _, _) in enumerate(models):
        text = f"<b>{escaped(name)}</b>" if row in strong else escaped(name)
        sketch.notes(note(text, 0, row, yref="y", anchor="right", shift=(-10, 0), size=14,
                          colour=theme.ink))  # fmt: skip
    totals = [sum(parts.values()) for _, parts, _ in models]
    least = min(*totals, *(active for _, _, active in models))
    ends = (np.floor(np.log10(least) - 0.2), np.log10(max(totals)) + 1.6)
    lines = {"range": [rows - 0.5, -0.5], **NO_TICKS}
    ticks = [10**power for power in range(int(ends[0]), int(ends[1]) + 1)]
    sketch.layout(
        xaxis={"type": "log", "range": list(ends), "domain": [0, 0.5], "tickvals": ticks[::2],
               "ticktext": [short_count(tick) if tick >= 10**6 else count(tick)
                            for tick in ticks[::2]],
               "title": {"text": "parameters, each line a hundred times the one before it"}},
        xaxis2={"range": [0, 1], "domain": [0.56, 1], **share_ticks(1), "anchor": "y2",
                "title": {"text": "share of its parameters"}},
        yaxis=lines, yaxis2={**lines, "anchor": "x2"},
    )  # fmt: skip
    return sketch.figure()


def _add_counts(
    sketch: Sketch, models: Sequence[tuple[str, Mapping[str, int], int]], theme: Theme
) -> None:
    rows = np.arange(len(models))
    totals = [sum(parts.values()) for _, parts, _ in models]
    said = [
        f"{escaped(name)} has {count(total)} parameters"
        + (f"; one token goes through {count(active)}" if active < total else "")
        for (name, _, active), total in zip(models, totals, strict=True)
    ]
    fewer = [row for row, total in enumerate(totals) if models[row][2] < total]
    common = {"mode": "markers", "hoverinfo": "text"}
    sketch.trace(
        scatter(x=totals, y=rows, name="all", hovertext=said, **common,
                   marker={"size": 12, "color": theme.quantity}),
        scatter(x=[models[row][2] for row in fewer], y=fewer, name="active", **common,
                   hovertext=[said[row] for row in fewer],
                   marker={"size": 12, "symbol": "circle-open", "color": theme.quantity,
                           "line": {"width": 2, "color": theme.quantity}}),
    )  # fmt: skip
    for row, total in enumerate(totals):
        sketch.notes(
            note(f"<b>{short_count(total)}</b>", float(np.log10(total)), row, xref="x", yref="y",
                 shift=(12, 0), size=14, colour=theme.ink)
        )  # fmt: skip


def family_table(
    models: Sequence[tuple[str, Mapping[str, int], int]], kinds: Mapping[str, str]
) -> Table:
    """Each model: all its parameters, those of each part, and what one token goes through."""
    return ["model", "parameters", *kinds.values(), "one token goes through"], [
        (name, sum(parts.values()), *(parts.get(part, 0) for part in kinds), active)
        for name, parts, active in models
    ]
