"""A generation as a tree: every branch that was tried, from where it left the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from tokenjourney.figures.drawing import NO_TICKS, Sketch, ground, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.text import count, escaped, number, share, shortened
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.written import scatter

_ROW, _TOP, _BOTTOM, _LEFT = 40, 30, 10, 146
_CELL = 0.93


@dataclass(frozen=True)
class TreeRow:
    """One branch.

    Attributes:
        name: What it is called.
        labels: Visible texts of all its tokens, from the first step on.
        shares: The probability that each of them had.
        start: The step from which on it is its own; before it is drawn in another row.
        parent: The row that it leaves there; −1 for the prompt.
        loss: Mean −ln of the probabilities, in nats.
        click: What a click on it reports.
    """

    name: str
    labels: Sequence[str]
    shares: Sequence[float]
    start: int
    parent: int
    loss: float
    click: Sequence[str | None]


def tree_figure(rows: Sequence[TreeRow], *, steps: range, theme: Theme | str = LIGHT) -> go.Figure:
    """A row per branch with its tokens, hung on the row that it leaves; the first row is taken.

    The bar under a token is its probability. The trace "branches" reports `click` of its row.

    Args:
        rows: the branches; a parent comes before its children.
        steps: the steps to show.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: no rows, or a parent that does not come before.
    """
    theme = as_theme(theme)
    if not rows or any(row.parent >= index for index, row in enumerate(rows)):
        raise FigureError("Pass at least one row, and every parent before the rows that leave it.")
    sketch = Sketch(theme, height=_TOP + _ROW * len(rows) + _BOTTOM,
                    margin=(_LEFT, 8, _TOP, _BOTTOM), hoverdistance=40)  # fmt: skip
    for step in steps:
        sketch.notes(note(f"step {step + 1}", step + 0.04, 1, xref="x", valign="bottom",
                          shift=(0, 6), size=12.5, colour=theme.ink3))  # fmt: skip
    for index, row in enumerate(rows):
        _add_row(sketch, row, index, steps, theme)
    _add_joints(sketch, rows, steps, theme)
    _add_targets(sketch, rows, steps)
    sketch.layout(
        xaxis={"range": [steps.start - 0.12, steps.stop], **NO_TICKS},
        yaxis={"range": [len(rows) - 0.5, -0.5], **NO_TICKS},
    )
    return sketch.figure()


def tree_table(rows: Sequence[TreeRow]) -> Table:
    """A row per branch and token of its own: branch, step, token, probability."""
    return ["branch", "step", "token", "probability"], [
        (row.name, step + 1, row.labels[step], float(row.shares[step]))
        for row in rows
        for step in range(row.start, len(row.labels))
    ]


def _own(row: TreeRow, steps: range) -> range:
    """The steps of a row that are its own and in sight."""
    return range(max(row.start, steps.start), min(len(row.labels), steps.stop))


def _add_row(sketch: Sketch, row: TreeRow, index: int, steps: range, theme: Theme) -> None:
    taken = index == 0
    tokens = f"{count(len(row.labels))} tokens, {number(row.loss)} nats each"
    place: dict[str, Any] = {"x": 0, "y": index, "yref": "y"}
    sketch.notes(
        note(f"<b>{escaped(row.name)}</b>", shift=(8 - _LEFT, 8), size=14,
             colour=theme.accent if taken else theme.ink2, **place),
        note(tokens, shift=(8 - _LEFT, -8), size=12, colour=theme.ink3, **place),
    )  # fmt: skip
    bar = theme.accent if taken else theme.quantity
    for step in _own(row, steps):
        ink = theme.accent if taken else theme.ink
        said = escaped(shortened(row.labels[step], 9))
        sketch.notes(note(f"<b>{said}</b>" if taken else said, step, index, xref="x", yref="y",
                          shift=(2, 4), size=14, colour=ink))  # fmt: skip
        low, high = index + 0.2, index + 0.3
        sketch.shapes(
            ground(step, step + _CELL, low, high, theme.line),
            ground(step, step + _CELL * float(row.shares[step]), low, high, bar),
        )
    if len(row.labels) <= steps.start:
        sketch.notes(note("… ends before these steps", steps.start, index, xref="x", yref="y",
                          size=12.5, colour=theme.ink3))  # fmt: skip


def _add_joints(sketch: Sketch, rows: Sequence[TreeRow], steps: range, theme: Theme) -> None:
    """From the row that a branch leaves down to its own first token."""
    x: list[float | None] = []
    y: list[float | None] = []
    for index, row in enumerate(rows):
        if index and row.start in steps:
            above = max(row.parent, 0)
            x += [row.start - 0.06, row.start - 0.06, row.start - 0.02, None]
            y += [above + 0.25, index + 0.25, index + 0.25, None]
    sketch.trace(
        scatter(x=x, y=y, mode="lines", line={"color": theme.curve, "width": 1.5},
                   hoverinfo="skip", name="joints")
    )  # fmt: skip


def _add_targets(sketch: Sketch, rows: Sequence[TreeRow], steps: range) -> None:
    x, y, said, clicks = [], [], [], []
    for index, row in enumerate(rows):
        does = "This branch is open." if index == 0 else "Click to go back to this branch."
        for step in _own(row, steps):
            for part in (0.2, 0.5, 0.8):
                x.append(step + part)
                y.append(index)
                said.append(
                    f"{escaped(row.name)}, step {step + 1}: “{escaped(row.labels[step])}” with "
                    f"{share(row.shares[step])}. {does}"
                )
                clicks.append(list(row.click))
    sketch.trace(
        scatter(x=x, y=y, mode="none", hovertext=said, hoverinfo="text", customdata=clicks,
                name="branches")
    )  # fmt: skip
