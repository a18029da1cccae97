"""The last column of the output figure: the kept tokens stacked to 1, and where the draw falls."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tokenjourney.figures.drawing import Sketch, note
from tokenjourney.figures.output_layout import Choice
from tokenjourney.figures.text import escaped, number, shortened
from tokenjourney.figures.written import bar, scatter

_MOST_SEGMENTS = 60


@dataclass(frozen=True)
class _Segment:
    """A piece of the column of height 1: one token, or the many small ones together."""

    label: str
    row: int | None
    start: float
    height: float
    is_chosen: bool


def add_choice(figure: Sketch, choice: Choice, draw: float | None) -> None:
    """The fifth column: the kept tokens stacked to a height of 1, linked to their rows."""
    theme, rows, segments = choice.theme, len(choice.rows) + 1, _segments(choice)
    column = choice.stack
    pixels = [segment.height * choice.height for segment in segments]
    figure.trace(
        bar(
            x=np.full(len(segments), column.at(0.74)),
            width=0.5 * column.scale,
            y=np.array([s.height * rows for s in segments]),
            base=np.array([s.start * rows - 0.5 for s in segments]),
            marker={
                "color": [theme.accent if s.is_chosen else theme.quantity for s in segments],
                "line": {
                    "color": theme.bg,
                    "width": [1 if p > 4 else 0.4 if p > 1.5 else 0 for p in pixels],
                },
            },
            text=[
                escaped(shortened(s.label, 8)) if p > 19 else ""
                for s, p in zip(segments, pixels, strict=True)
            ],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            textfont={
                "color": [theme.on_accent if s.is_chosen else theme.bg for s in segments],
                "size": 13,
            },
            hovertext=[
                f"{f'“{escaped(s.label)}”' if s.label else 'Another token'}: from "
                f"{number(s.start, 3)} to {number(s.start + s.height, 3)}"
                for s in segments
            ],
            hoverinfo="text",
            name="choice",
        )
    )
    _add_links(figure, segments, choice)
    end: dict[str, Any] = {"xref": "x", "yref": "y"}
    if draw is not None:
        figure.notes(
            note(
                f"◀ <b>{number(draw, 3)}</b>",
                1,
                draw * rows - 0.5,
                shift=(-2, 0),
                size=15,
                colour=theme.ink,
                name="draw",
                **end,
            )
        )
    for value in (0, 1):
        if draw is None or abs(draw - value) > 0.06:
            figure.notes(
                note(
                    str(value),
                    1,
                    value * rows - 0.5,
                    shift=(6, 0),
                    size=12.5,
                    colour=theme.ink3,
                    **end,
                )
            )


def _add_links(figure: Sketch, segments: list[_Segment], choice: Choice) -> None:
    """Curves from the kept rows to their segments of the column."""
    theme, rows = choice.theme, len(choice.rows) + 1
    step = np.linspace(0, 1, 24)
    across = choice.stack.at(step * 0.48).tolist()
    ease = step * step * (3 - 2 * step)
    curves: dict[bool, tuple[list[float | None], list[float | None]]] = {
        False: ([], []),
        True: ([], []),
    }
    for segment in segments:
        if segment.row is None:
            continue
        middle = (segment.start + segment.height / 2) * rows - 0.5
        x, y = curves[segment.is_chosen]
        x += [*across, None]
        y += [*(segment.row + (middle - segment.row) * ease).tolist(), None]
    for is_chosen, (x, y) in curves.items():
        style = {
            "color": theme.accent if is_chosen else theme.curve,
            "width": 2.5 if is_chosen else 0.8,
        }
        figure.trace(
            scatter(
                x=x,
                y=y,
                mode="lines",
                line=style,
                hoverinfo="skip",
                name="link of the chosen" if is_chosen else "links",
            )
        )


def _segments(choice: Choice) -> list[_Segment]:
    """The kept tokens from the most probable down; after the first, only the chosen stands out."""
    order = np.argsort(-choice.logits, kind="stable")
    order = order[choice.kept[order]]
    ends = np.cumsum(choice.renormalised[order], dtype=np.float64)
    starts = np.append(0, ends[:-1])
    others = len(choice.rows)
    row_of = {int(token): row for row, token in enumerate(choice.rows)}
    found: list[_Segment] = []
    gap = 0.0
    for index, token in enumerate(order.tolist()):
        is_chosen = token == choice.chosen
        if index >= _MOST_SEGMENTS and not is_chosen:
            continue
        start, end = float(starts[index]), float(ends[index])
        if start > gap + 1e-9:
            found.append(_Segment("the rest", None, gap, start - gap, False))
        row = row_of.get(token, others if is_chosen else None)
        label = choice.labels[row] if row is not None and row < others else ""
        found.append(_Segment(label, row, start, end - start, is_chosen))
        gap = end
    if float(ends[-1]) > gap + 1e-9:
        found.append(_Segment("the rest", None, gap, float(ends[-1]) - gap, False))
    return found
