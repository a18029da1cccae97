"""Bars: quantities from 0 in one colour, pushes up and down in two, with the number written."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, ground, heading, note
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.text import escaped, number, share, shortened, signed, token_markup
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import share_ticks
from tokenjourney.figures.written import bar, scatter

_ROW = 26


def bars_figure(
    *,
    labels: Sequence[str],
    values: ArrayLike,
    axis: str,
    texts: Sequence[str] | None = None,
    hovers: Sequence[str] | None = None,
    highlight: Sequence[int] = (),
    strong: Sequence[int] = (),
    limit: float | None = None,
    as_share: bool = False,
    groove: bool = False,
    marks: ArrayLike | None = None,
    click: Sequence[int] | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Horizontal bars of single quantities from 0, one row each, in the order given.

    Args:
        labels: what is measured, such as token texts.
        values: (n,) quantities; a negative one gets a bar to the left, NaN none.
        axis: what is measured, with its unit: the axis title.
        texts: what is written behind each bar; the number or the share if None.
        hovers: the sentence of each row, plain text; label and number if None.
        highlight: rows in the accent: the followed token and what becomes of it.
        strong: rows that stand out otherwise: in bold, the bar with an outline in ink.
        limit: where the axis ends; the largest value if None.
        as_share: values are shares of 1 and written in percent.
        groove: draw the empty rest of each bar up to `limit`.
        marks: (n,) a second quantity of each row, drawn as a mark across its bar; NaN as none.
        click: what each row reports as `customdata`, such as its token ID.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: labels and values differ in number.
    """
    theme = as_theme(theme)
    sizes = as_vector(values)
    require_same_length(labels=labels, values=sizes)
    rows = len(labels)
    write = share if as_share else number
    shown = list(texts) if texts else ["–" if np.isnan(v) else write(v) for v in sizes.tolist()]
    sizes = np.nan_to_num(sizes)
    low, high = min(0.0, float(sizes.min())), limit or max(float(sizes.max()), 1e-9)
    said = hovers or [f"“{label}”: {text}" for label, text in zip(labels, shown, strict=True)]
    sketch = Sketch(theme, height=_ROW * rows + 54, margin=(128, 70, 6, 48), bargap=0.4,
                    hoverdistance=30)  # fmt: skip
    if groove:
        sketch.shapes(*(ground(0, high, r - 0.27, r + 0.27, theme.line) for r in range(rows)))
    sketch.trace(
        bar(
            x=sizes, y=np.arange(rows), orientation="h", hoverinfo="text", name=axis,
            marker={
                "color": [theme.accent if r in highlight else theme.quantity for r in range(rows)],
                "line": {"color": theme.ink, "width": [2 * (r in strong) for r in range(rows)]},
            },
            hovertext=[escaped(text) for text in said],
            customdata=None if click is None else np.asarray(click)[:, None],
        )
    )  # fmt: skip
    if marks is not None:
        sketch.trace(
            scatter(x=as_vector(marks), y=np.arange(rows), mode="markers", name="marks",
                       hoverinfo="text", hovertext=[escaped(text) for text in said],
                       marker={"symbol": "line-ns", "size": 17,
                               "line": {"width": 2.5, "color": theme.ink}})
        )  # fmt: skip
    for row, text in enumerate(shown):
        is_followed, is_strong = row in highlight, row in strong
        where = high if groove else max(float(sizes[row]), 0.0)
        ink = theme.accent if is_followed else theme.ink if is_strong else theme.ink2
        sketch.notes(
            _left_label(labels[row], row, is_followed, is_strong, theme),
            note(f"<b>{text}</b>" if is_followed or is_strong else text, where, row, xref="x",
                 yref="y", shift=(8, 0), size=13.5, colour=ink),
        )  # fmt: skip
    sketch.layout(
        xaxis={"range": [low * 1.05, high * (1.0 if groove else 1.05)], "title": {"text": axis},
               **(share_ticks(high) if as_share else {"nticks": 6}),
               "zerolinecolor": theme.curve},
        yaxis={"range": [rows - 0.5, -0.5], "showticklabels": False, "ticks": "",
               "showgrid": False, "zeroline": False},
    )  # fmt: skip
    return sketch.figure()


def pushes_figure(
    *,
    promoted_labels: Sequence[str],
    promoted: ArrayLike,
    suppressed_labels: Sequence[str],
    suppressed: ArrayLike,
    axis: str = "change of the logit",
    by: str = "This",
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """What something pushes up and what it pushes down, the strongest first, on one scale.

    Args:
        promoted_labels: texts of the tokens pushed up most.
        promoted: (n,), by how much, the largest first.
        suppressed_labels: texts of the tokens pushed down most.
        suppressed: (m,), by how much, the most negative first.
        axis: what is pushed, with its unit.
        by: who pushes, as the subject of the hover sentence ("Head 5").
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    up, down = as_vector(promoted, "promoted"), as_vector(suppressed, "suppressed")
    require_same_length(promoted=up, promoted_labels=promoted_labels)
    require_same_length(suppressed=down, suppressed_labels=suppressed_labels)
    rows = max(len(up), len(down))
    largest = [float(np.abs(values).max()) for values in (up, down)]
    limit = max(*largest, 1e-9)
    digits = 2 if min(largest) >= 0.05 else 4  # the same in both halves: one looks across
    sketch = Sketch(theme, height=_ROW * rows + 100, margin=(88, 56, 48, 52), bargap=0.4,
                    hoverdistance=30)  # fmt: skip
    halves = (
        ("pushed up", up, promoted_labels, theme.up, "", (0.0, 0.32)),
        ("pushed down", down, suppressed_labels, theme.down, "2", (0.68, 1.0)),
    )
    for name, values, labels, colour, suffix, domain in halves:
        sketch.notes(*heading(name, "", domain[0], 1, theme=theme))
        _add_half(sketch, values, labels, colour, suffix, name, by, digits, theme)
        sketch.layout(
            **{
                f"xaxis{suffix}": {
                    "domain": domain, "anchor": f"y{suffix}", "range": [0, limit * 1.02],
                    "nticks": 4, "zerolinecolor": theme.curve,
                    "title": {"text": f"{'−' if suffix else '+'} {axis}"},
                },
                f"yaxis{suffix}": {
                    "anchor": f"x{suffix}", "range": [rows - 0.5, -0.5], "ticks": "",
                    "showticklabels": False, "showgrid": False, "zeroline": False,
                },
            }
        )  # fmt: skip
    return sketch.figure()


def _add_half(
    sketch: Sketch,
    values: Array,
    labels: Sequence[str],
    colour: str,
    suffix: str,
    name: str,
    by: str,
    digits: int,
    theme: Theme,
) -> None:
    verb = "up" if name == "pushed up" else "down"
    sketch.trace(
        bar(
            x=np.abs(values), y=np.arange(len(values)), orientation="h", hoverinfo="text",
            marker={"color": colour}, name=name, xaxis=f"x{suffix}", yaxis=f"y{suffix}",
            customdata=values[:, None],
            hovertext=[f"{escaped(by)} pushes “{escaped(label)}” {verb} by {signed(value, digits)}"
                       for label, value in zip(labels, values, strict=True)],
        )
    )  # fmt: skip
    for row, (label, value) in enumerate(zip(labels, values, strict=True)):
        refs = {"xref": f"x{suffix}", "yref": f"y{suffix}"}
        sketch.notes(
            note(token_markup(shortened(label, 9), theme=theme), 0, row, anchor="right",
                 shift=(-8, 0), size=14, colour=theme.ink, **refs),
            note(signed(value, digits), abs(float(value)), row, shift=(7, 0), size=13.5,
                 colour=colour, **refs),
        )  # fmt: skip


def _left_label(
    label: str, row: int, is_followed: bool, is_strong: bool, theme: Theme
) -> dict[str, object]:
    text = token_markup(shortened(label, 16), followed=is_followed, strong=is_strong, theme=theme)
    return note(text, 0, row, yref="y", anchor="right", shift=(-8, 0), size=14, colour=theme.ink)
