"""What an answer rests on, token by token of the prompt: shares of attention, and trying it out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.drawing import Sketch, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_vector, require_same_length
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import count, distinct_labels, escaped, share, signed
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.ticks import labelled_positions, share_ticks, tick_texts
from tokenjourney.figures.written import bar

_MOST_WRITTEN = 16
_FLAT = 12


def rollout_figure(
    *,
    mean: ArrayLike,
    rollout: ArrayLike,
    labels: Sequence[str],
    followed: int,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Two bars for each token: the mean attention it gets, and its share by attention rollout.

    Above 60 tokens a window around the followed one is shown, and the caption says so.

    Args:
        mean: (T,) the mean over all heads and blocks of the attention that the followed token pays.
        rollout: (T,) its attention rollout.
        labels: the visible texts of the T tokens.
        followed: the position with the accent.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: shares and labels differ in number.
    """
    theme = as_theme(theme)
    shares = as_vector(mean, "mean"), as_vector(rollout, "rollout")
    require_same_length(labels=labels, mean=shares[0], rollout=shares[1])
    names = distinct_labels(labels)
    start, end = window(len(names), followed)
    largest, outside = _most_outside(np.maximum(*shares), start, end)
    said = "" if largest < 0 else f"Outside, “{names[largest]}” gets most, up to {share(outside)}."
    sketch = Sketch(theme, height=300, margin=_margin(end - start),
                    caption=_caption(start, end, len(names), said),
                    barmode="group", bargap=0.25, bargroupgap=0.06, hoverdistance=30,
                    showlegend=True, legend={"orientation": "h", "x": 0, "y": 1.02,
                                             "yanchor": "bottom"})  # fmt: skip
    for name, values, colour in (
        ("mean attention", shares[0], theme.curve),
        ("attention rollout", shares[1], theme.quantity),
    ):
        sketch.trace(
            bar(
                x=np.arange(start, end), y=values[start:end], name=name, hoverinfo="text",
                marker={"color": colour}, customdata=np.arange(start, end)[:, None],
                hovertext=[f"“{escaped(names[p])}” gets {share(float(values[p]))} by {name}"
                           for p in range(start, end)],
            )
        )  # fmt: skip
    top = max(*(float(s[start:end].max()) for s in shares), 1e-9) * 1.08
    sketch.layout(
        xaxis=_tokens_axis(names, start, end, followed),
        yaxis={"range": [0, top], **share_ticks(top), "title": {"text": "share of attention"}},
    )  # fmt: skip
    return sketch.figure()


def occlusion_figure(
    *,
    changes: ArrayLike,
    probabilities: ArrayLike,
    labels: Sequence[str],
    answer: str,
    followed: int,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """One bar for each token: how the answer's logit changes when the token loses its meaning.

    Above 60 tokens a window around the followed one is shown, and the caption says so.

    Args:
        changes: (T,) logit without the token minus logit with it; NaN where it was not tried.
        probabilities: (T,) the answer's probability without the token; NaN likewise.
        labels: the visible texts of the T tokens.
        answer: the visible text of the answer.
        followed: the position after which the answer stands.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: numbers and labels differ in number.
    """
    theme = as_theme(theme)
    sizes, shares = as_vector(changes, "changes"), as_vector(probabilities, "probabilities")
    require_same_length(labels=labels, changes=sizes, probabilities=shares)
    names = distinct_labels(labels)
    start, end = window(len(names), followed)
    moved = np.nan_to_num(np.abs(sizes))
    limit = max(float(moved[start:end].max()), 1e-6) * 1.2
    largest, _ = _most_outside(moved, start, end)
    said = "" if largest < 0 else (
        f"Outside, “{names[largest]}” counts most, with {signed(float(sizes[largest]))}."
    )  # fmt: skip
    sketch = Sketch(theme, height=300, margin=_margin(end - start),
                    caption=_caption(start, end, len(names), said),
                    bargap=0.3, hoverdistance=30)  # fmt: skip
    sketch.trace(
        bar(
            x=np.arange(start, end), y=sizes[start:end], name="change of the logit",
            hoverinfo="text", customdata=np.arange(start, end)[:, None],
            marker={"color": [theme.up if s > 0 else theme.down for s in sizes[start:end]]},
            hovertext=[_sentence(names[p], answer, float(sizes[p]), float(shares[p]))
                       for p in range(start, end)],
        )
    )  # fmt: skip
    if end - start <= _MOST_WRITTEN:
        sketch.notes(
            *(note(signed(float(sizes[p])), p, float(sizes[p]), xref="x", yref="y",
                   anchor="center", valign="bottom" if sizes[p] > 0 else "top", colour=theme.ink2,
                   shift=(0, 2 if sizes[p] > 0 else -2))
              for p in range(start, end) if not np.isnan(sizes[p]))
        )  # fmt: skip
    sketch.layout(
        xaxis=_tokens_axis(names, start, end, followed),
        yaxis={"range": [-limit, limit], "nticks": 5, "zerolinecolor": theme.curve,
               "title": {"text": "change of the logit"}},
    )  # fmt: skip
    return sketch.figure()


def rollout_table(
    *,
    mean: ArrayLike,
    rollout: ArrayLike,
    changes: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
    labels: Sequence[str],
) -> Table:
    """One row per token: its shares, and what happens without it, where that was tried."""
    columns = ["position", "token", "mean attention", "attention rollout"]
    parts: list[list[float]] = [as_vector(values).tolist() for values in (mean, rollout)]
    if changes is not None and probabilities is not None:
        columns += ["change of the logit without it", "probability without it"]
        parts += [as_vector(values).tolist() for values in (changes, probabilities)]
    rows = zip(range(len(labels)), distinct_labels(labels), *parts, strict=True)
    return columns, [tuple(row) for row in rows]


def _sentence(name: str, answer: str, change: float, probability: float) -> str:
    if np.isnan(change):
        return f"without “{escaped(name)}”: not tried yet"
    return (
        f"without “{escaped(name)}” the logit of “{escaped(answer)}” changes by {signed(change)}, "
        f"and its probability is {share(probability)}"
    )


def _margin(shown: int) -> tuple[int, int, int, int]:
    """Room for the labels of the tokens, which stand aslant where there are many."""
    return 64, 24, 30, 54 if shown <= _FLAT else 96


def _caption(start: int, end: int, tokens: int, more: str) -> str:
    if end - start == tokens:
        return ""
    return f"Tokens {start}–{end - 1} of {count(tokens)}. {more}".rstrip()


def _most_outside(values: Array, start: int, end: int) -> tuple[int, float]:
    """Where the largest number stands, and the number; −1 where the window has none smaller."""
    place = int(values.argmax())
    return (-1, 0.0) if values[start:end].max() >= values[place] else (place, float(values[place]))


def _tokens_axis(names: Sequence[str], start: int, end: int, followed: int) -> dict[str, Any]:
    shown = [start + p for p in labelled_positions(end - start, 30, [followed - start])]
    texts = tick_texts([names[p] for p in shown], shown.index(followed))
    return {
        "range": [start - 0.6, end - 0.4], "tickmode": "array", "tickvals": shown,
        "ticktext": texts, "tickangle": 0 if end - start <= _FLAT else -60, "showgrid": False,
        "zeroline": False, "title": {"text": "token of the prompt"},
    }  # fmt: skip
