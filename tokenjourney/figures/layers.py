"""The stack: lengths of the residual stream, and one token's rank through it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.depths import beside, depth_axis, depth_words, with_room
from tokenjourney.figures.drawing import Sketch, note
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, as_vector, require_same_length
from tokenjourney.figures.text import count, distinct_labels, escaped, number, share, shortened
from tokenjourney.figures.theme import LIGHT, Theme, as_theme
from tokenjourney.figures.written import scatter

_MOST_HOVERED = 1_500


def norms_figure(
    *, lengths: ArrayLike, labels: Sequence[str], followed: int, theme: Theme | str = LIGHT
) -> go.Figure:
    """The length of every token's residual vector before block 0 and after each block.

    The axis ends at the longest of positions from 1; the first token's vector may be much longer,
    and is then cut, with its length written.

    Args:
        lengths: (L + 1, T).
        labels: the visible texts of the T tokens.
        followed: the position with the accent.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    values = as_matrix(lengths, "lengths")
    depths, tokens = values.shape
    require_same_length(labels=labels, tokens=values.T)
    names = distinct_labels(labels)
    top = float(values[:, 1:].max()) if tokens > 1 else float(values.max())
    sketch = Sketch(theme, height=340, margin=(64, 24, 14, 54), hoverdistance=30)
    others = [t for t in range(tokens) if t != followed]
    _add_lengths(sketch, values, others, names, theme, is_followed=False)
    _add_lengths(sketch, values, [followed], names, theme, is_followed=True)
    longest = float(values[:, 0].max())
    if longest > top * 1.08 and tokens > 1:
        where = int(values[:, 0].argmax())
        sketch.notes(
            note(f"▲ “{escaped(shortened(names[0], 12))}” goes up to {number(longest, 1)}", where,
                 1, xref="x", anchor="center" if 0 < where < depths - 1 else "right",
                 valign="top", colour=theme.ink2, bgcolor=theme.bg, name="cut")
        )  # fmt: skip
    sketch.layout(
        xaxis=depth_axis(depths),
        yaxis={"range": [0, top * 1.08], "title": {"text": "length of the residual vector"},
               "nticks": 6},
    )  # fmt: skip
    return sketch.figure()


def norms_table(*, lengths: ArrayLike, labels: Sequence[str]) -> Table:
    """One row per token, one column per depth."""
    values = as_matrix(lengths, "lengths")
    columns = ["position", "token", *(depth_words(d) for d in range(len(values)))]
    return columns, [
        (row, name, *values[:, row].tolist()) for row, name in enumerate(distinct_labels(labels))
    ]


def rank_figure(
    *,
    ranks: ArrayLike,
    probabilities: ArrayLike,
    label: str,
    vocabulary: int,
    is_followed: bool = True,
    before: ArrayLike | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """One token's rank among the whole vocabulary at each depth; 1 is on top.

    Args:
        ranks: (L + 1,) from 1.
        probabilities: (L + 1,) its probability there.
        label: the token's visible text.
        vocabulary: how many tokens there are.
        is_followed: draw it in the accent, as what the followed token becomes.
        before: (L + 1,) its ranks in another run to compare with, as rings.
        theme: "light", "dark" or a `Theme`.
    """
    theme = as_theme(theme)
    places, shares = as_vector(ranks, "ranks"), as_vector(probabilities, "probabilities")
    require_same_length(ranks=places, probabilities=shares)
    colour = theme.accent if is_followed else theme.quantity
    sketch = Sketch(theme, height=340, margin=(78, 24, 24, 54), hoverdistance=40)
    dots: dict[str, Any] = {"size": 10, "color": theme.bg, "line": {"width": 2.5, "color": colour}}
    if before is not None:
        _add_ranks_before(sketch, as_vector(before, "before"), theme)
        dots = {"size": 10, "color": colour}
    heights = -np.log10(places) / np.log10(max(vocabulary, 2))
    sketch.trace(
        scatter(
            x=np.arange(len(places)), y=places, mode="lines+markers+text", cliponaxis=False,
            line={"color": colour, "width": 2.5}, name="rank", marker=dots,
            text=with_room([count(int(rank)) for rank in places], heights),
            textposition=beside(heights),
            textfont={"color": theme.ink, "size": 13},
            hovertext=[f"{depth_words(d)}, “{escaped(label)}” is number {count(int(p))} of "
                       f"{count(vocabulary)}, with {share(float(s))}"
                       for d, (p, s) in enumerate(zip(places, shares, strict=True))],
            hoverinfo="text",
        )
    )  # fmt: skip
    ticks = [t for t in (1, 10, 100, 1_000, 10_000, 100_000) if t <= vocabulary]
    sketch.layout(
        xaxis=depth_axis(len(places)),
        yaxis={"type": "log", "range": [float(np.log10(max(vocabulary, 2))) + 0.05, -0.12],
               "tickmode": "array", "tickvals": ticks, "ticktext": [count(t) for t in ticks],
               "title": {"text": f"rank of {count(vocabulary)}"}},
    )  # fmt: skip
    return sketch.figure()


def _add_ranks_before(sketch: Sketch, ranks: Array, theme: Theme) -> None:
    sketch.trace(
        scatter(
            x=np.arange(len(ranks)), y=ranks, mode="lines+markers", cliponaxis=False,
            line={"color": theme.curve, "width": 1.5, "dash": "dot"}, name="with everything on",
            marker={"size": 10, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
            hovertext=[f"with everything on, {depth_words(d)}: number {count(int(rank))}"
                       for d, rank in enumerate(ranks)],
            hoverinfo="text",
        )
    )  # fmt: skip


def _add_lengths(
    sketch: Sketch,
    values: Array,
    members: Sequence[int],
    names: list[str],
    theme: Theme,
    *,
    is_followed: bool,
) -> None:
    if not members:
        return
    depths = len(values)
    x = np.tile(np.append(np.arange(depths, dtype=np.float32), np.nan), len(members))
    y = np.concatenate([np.append(values[:, t], np.nan) for t in members]).astype(np.float32)
    said = None
    if len(x) <= _MOST_HOVERED:
        said = [text for t in members for text in _length_sentences(values[:, t], names[t])]
    colour = theme.accent if is_followed else theme.curve
    sketch.trace(
        scatter(
            x=x, y=y, mode="lines+markers" if is_followed else "lines", connectgaps=False,
            line={"color": colour, "width": 3 if is_followed else 1.2},
            opacity=1 if is_followed else 0.6, marker={"size": 8, "color": colour},
            hovertext=said, hoverinfo="text" if said else "skip",
            name="followed" if is_followed else "other tokens",
        )
    )  # fmt: skip


def _length_sentences(lengths: Array, name: str) -> list[str]:
    texts = [f"before block 0, “{escaped(name)}” has length {number(float(lengths[0]), 1)}"]
    texts += [
        f"{depth_words(d)}, “{escaped(name)}” has length {number(float(lengths[d]), 1)} "
        f"(was {number(float(lengths[d - 1]), 1)})"
        for d in range(1, len(lengths))
    ]
    return [*texts, ""]
