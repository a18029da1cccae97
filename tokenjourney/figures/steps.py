"""A generation: the candidates of each step, and the path of those that were taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import plotly.graph_objects as go

from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.text import count, escaped, share, shortened
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import scatter

_ROW, _TOP, _BOTTOM = 32, 50, 12
_CELL = 0.94


@dataclass(frozen=True)
class StepColumn:
    """One step of a generation, to be drawn as a column.

    Attributes:
        step: Its number, from 0.
        labels: Visible texts of the candidates, best first.
        shares: Their probabilities.
        chosen: The row of the token taken; None where the step is open; the number of labels where
            the token is none of them.
        chosen_label: Text of the token taken.
        chosen_share: Its probability.
        chosen_rank: Its rank, from 0.
        clicks: What a click on each candidate reports.
        before: Their probabilities with everything on, where something is switched off.
    """

    step: int
    labels: Sequence[str]
    shares: Sequence[float]
    chosen: int | None
    chosen_label: str
    chosen_share: float
    chosen_rank: int
    clicks: Sequence[Sequence[str | None]]
    before: Sequence[float] | None = None


def steps_figure(
    columns: Sequence[StepColumn],
    *,
    places: int | None = None,
    looked_at: int | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """A column per step with its candidates as bars, and the path of those that were taken.

    Args:
        columns: The steps, in order.
        places: How many columns there is room for; the figure keeps its width while it fills.
        looked_at: The step that is outlined.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: no steps, or columns of different lengths.
    """
    theme = as_theme(theme)
    if not columns or len({len(column.labels) for column in columns}) != 1:
        raise FigureError("Pass at least one step, and as many candidates for each of them.")
    rows = len(columns[0].labels)
    outside = any(column.chosen == rows for column in columns)
    n_rows = rows + outside
    sketch = Sketch(theme, height=_TOP + _ROW * n_rows + _BOTTOM, margin=(8, 8, _TOP, _BOTTOM),
                    hoverdistance=40)  # fmt: skip
    for place, column in enumerate(columns):
        _add_column(sketch, column, place, n_rows, column.step == looked_at, theme)
    _add_path(sketch, columns, theme)
    _add_rings(sketch, columns, theme)
    _add_cells(sketch, columns, rows)
    sketch.layout(
        xaxis={"range": [0, max(places or 0, len(columns))], **NO_TICKS},
        yaxis={"range": [n_rows - 0.5, -0.5], **NO_TICKS},
    )
    return sketch.figure()


def steps_table(columns: Sequence[StepColumn]) -> Table:
    """A row per step and candidate: step, rank, token, probability, whether it was taken.

    And where there are such, its probability with everything on.
    """
    rows: list[tuple[str | int | float | bool | None, ...]] = []
    compared = any(column.before for column in columns)
    for column in columns:
        for rank, (label, value) in enumerate(zip(column.labels, column.shares, strict=True)):
            rows.append((column.step + 1, rank + 1, label, float(value), rank == column.chosen,
                         *([float(column.before[rank])] if column.before else [])))  # fmt: skip
        if column.chosen == len(column.labels):
            rows.append((column.step + 1, column.chosen_rank + 1, column.chosen_label,
                         float(column.chosen_share), True,
                         *([None] if compared else [])))  # fmt: skip
    names = ["step", "rank", "token", "probability", "taken"]
    return [*names, "with everything on"] if compared else names, rows


def _add_column(
    sketch: Sketch, column: StepColumn, place: int, n_rows: int, is_looked_at: bool, theme: Theme
) -> None:
    is_open = column.chosen is None
    title = "next" if is_open else f"step {column.step + 1}"
    taken = "?" if is_open else escaped(shortened(column.chosen_label, 11))
    above = {"xref": "x", "yref": "paper", "valign": "bottom"}
    sketch.notes(
        note(title, place + 0.04, 1, shift=(0, 24), size=12.5, colour=theme.ink3, **above),
        note(f"<b>{taken}</b>", place + 0.04, 1, shift=(0, 4), size=15,
             colour=theme.ink3 if is_open else theme.accent, **above),
    )  # fmt: skip
    texts = list(zip(column.labels, column.shares, strict=True))
    if column.chosen == len(column.labels):
        texts.append((column.chosen_label, column.chosen_share))
    for row, (label, value) in enumerate(texts):
        is_taken = row == column.chosen
        top, bottom = row - 0.44, row + 0.44
        soft = theme.accent_soft if is_taken else theme.surface
        bar = theme.faded(theme.accent if is_taken else theme.quantity, 0.34)
        sketch.shapes(
            ground(place, place + _CELL, top, bottom, soft),
            ground(place, place + _CELL * float(value), top, bottom, bar),
        )
        rank = f" <i>#{count(column.chosen_rank + 1)}</i>" if row == len(column.labels) else ""
        said = (
            f"<b>{escaped(shortened(label, 9))}</b>" if is_taken else escaped(shortened(label, 9))
        )
        ink = theme.accent if is_taken else theme.ink
        sketch.notes(
            note(said, place, row, xref="x", yref="y", shift=(6, 0), size=14, colour=ink),
            note(f"{share(value)}{rank}", place + _CELL, row, xref="x", yref="y", anchor="right",
                 shift=(-4, 0), size=12.5, colour=theme.ink2),
        )  # fmt: skip
    if is_looked_at:
        sketch.shapes(outline(place, place + _CELL, -0.47, n_rows - 0.53, theme.ink, width=1.5))


def _add_path(sketch: Sketch, columns: Sequence[StepColumn], theme: Theme) -> None:
    """Short curves from each token taken to the next one taken."""
    x: list[float | None] = []
    y: list[float | None] = []
    for place, (one, following) in enumerate(pairwise(columns)):
        if one.chosen is None or following.chosen is None:
            continue
        x += [place + _CELL, place + 1, None]
        y += [one.chosen, following.chosen, None]
    sketch.trace(
        scatter(x=x, y=y, mode="lines", line={"color": theme.accent, "width": 2.5},
                   hoverinfo="skip", name="path")
    )  # fmt: skip


def _add_rings(sketch: Sketch, columns: Sequence[StepColumn], theme: Theme) -> None:
    """A ring where each bar ends with everything on."""
    x, y = [], []
    for place, column in enumerate(columns):
        for row, value in enumerate(column.before or ()):
            x.append(place + _CELL * float(value))
            y.append(row)
    if x:
        marker = {"size": 8, "color": theme.bg, "line": {"width": 1.6, "color": theme.ink2}}
        sketch.trace(
            scatter(x=x, y=[row + 0.3 for row in y], mode="markers", marker=marker,
                    hoverinfo="skip", name="with everything on", cliponaxis=False)
        )  # fmt: skip


def _add_cells(sketch: Sketch, columns: Sequence[StepColumn], rows: int) -> None:
    """Squares over the cells that say what they are, and that a click finds."""
    x, y, said, clicks = [], [], [], []
    for place, column in enumerate(columns):
        for row, (label, value) in enumerate(zip(column.labels, column.shares, strict=True)):
            for part in (0.18, 0.5, 0.82):
                x.append(place + _CELL * part)
                y.append(row)
                word = (
                    "was taken" if row == column.chosen
                    else "click to take it" if column.chosen is None
                    else "click to branch off here"
                )  # fmt: skip
                then = f" ({share(column.before[row])} with everything on)" if column.before else ""
                said.append(
                    f"step {column.step + 1}: “{escaped(label)}” with {share(value)}{then}, {word}"
                )
                clicks.append(list(column.clicks[row]))
    sketch.trace(
        scatter(
            x=x, y=y, mode="none", hovertext=said, hoverinfo="text", customdata=clicks,
            name="candidates",
        )
    )  # fmt: skip
