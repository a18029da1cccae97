"""The five columns of the output figure, each drawing what one choice holds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenjourney.figures.drawing import Sketch, hatched_area, hatching, line, note
from tokenjourney.figures.matrices import Array
from tokenjourney.figures.text import count, escaped, number, share, shortened
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.written import Trace, bar, scatter

LEFT, RIGHT, TOP, BOTTOM = 96, 62, 50, 10
ABOVE, BETWEEN, ROW = 90, 44, 27
# Where the columns lie, as shares of the plot's width.
LOGITS, SCALED, CUT, KEPT = (0, 0.183), (0.208, 0.391), (0.416, 0.647), (0.676, 0.84)
ROWS_END, CHOICE = 0.875, (0.875, 1.0)
_MOST_SEGMENTS = 60


@dataclass(frozen=True, eq=False)
class Choice:
    """The arrays of one choice, checked, and what the columns share."""

    logits: Array
    scaled: Array | None
    probabilities: Array
    kept: NDArray[np.bool_]
    renormalised: Array
    rows: NDArray[np.intp]
    labels: list[str]
    chosen: int | None
    theme: Theme

    @property
    def height(self) -> int:
        """Pixels of the rows, the others' row included."""
        return ROW * (len(self.rows) + 1)

    @property
    def plot_height(self) -> int:
        """Pixels of everything between the margins."""
        return ABOVE + BETWEEN + self.height

    @property
    def others(self) -> NDArray[np.bool_]:
        """Which tokens of the vocabulary have no row of their own."""
        mask = np.ones(len(self.logits), dtype=bool)
        mask[self.rows] = False
        return mask

    @property
    def chosen_row(self) -> int | None:
        """The row of the chosen token; the last row if it is one of the others."""
        if self.chosen is None:
            return None
        found = np.flatnonzero(self.rows == self.chosen)
        return int(found[0]) if found.size else len(self.rows)

    def colours(self, count: int) -> list[str]:
        """The colour of the first `count` rows: the chosen one has the accent, the others never."""
        accent, plain, last = self.theme.accent, self.theme.quantity, len(self.rows)
        return [accent if row == self.chosen_row != last else plain for row in range(count)]


def add_scores(figure: Sketch, choice: Choice) -> None:
    """The first two columns: histogram of the vocabulary above, dots below, a band for the rest."""
    theme, rows = choice.theme, len(choice.rows)
    for index, (values, word) in enumerate(
        ((choice.logits, "logit"), (choice.scaled, "logit ÷ temperature"))
    ):
        axes = {"xaxis": f"x{index + 4}", "yaxis": "y4"}
        if values is None:
            middle = sum(SCALED) / 2
            text = "temperature 0:<br>no scaling, the highest<br>logit is taken"
            figure.notes(note(text, middle, 0.92, anchor="center", colour=theme.ink3))
            continue
        figure.trace(_vocabulary_histogram(values, word, index, theme))
        shown = values[choice.rows]
        figure.trace(
            scatter(
                x=shown,
                y=np.arange(rows),
                mode="markers+text",
                text=[number(v) for v in shown],
                textposition="middle left",
                cliponaxis=False,
                textfont={"color": theme.ink2, "size": 13.5},
                marker={"size": 11, "color": choice.colours(rows)},
                hovertext=[
                    f"“{escaped(label)}”: {word} {number(v)}"
                    for label, v in zip(choice.labels, shown, strict=True)
                ],
                hoverinfo="text",
                name=word,
                **axes,
            )
        )
        rest = values[choice.others]
        if rest.size:
            ends = [float(rest.min()), float(rest.max())]
            figure.trace(
                scatter(
                    x=ends,
                    y=[rows, rows],
                    mode="lines",
                    opacity=0.45,
                    hoverinfo="text",
                    line={"width": 8, "color": theme.quantity},
                    name=f"{word} of the others",
                    hovertext=f"The others lie between {number(ends[0])} and {number(ends[1])}",
                    **axes,
                )
            )


def _vocabulary_histogram(values: Array, word: str, index: int, theme: Theme) -> Trace:
    sizes, edges = np.histogram(values[np.isfinite(values)], bins=44)
    said = [
        f"{count(size)} tokens have a {word} from {number(left)} to {number(right)}"
        for size, left, right in zip(sizes, edges[:-1], edges[1:], strict=True)
    ]
    suffix = "" if index == 0 else "2"
    return bar(
        x=((edges[:-1] + edges[1:]) / 2).astype(np.float32),
        y=np.sqrt(sizes).astype(np.float32),
        width=float(edges[1] - edges[0]) * 0.86,
        marker={"color": theme.quantity, "opacity": 0.55},
        hovertext=said,
        hoverinfo="text",
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        name=f"vocabulary by {word}",
    )


def add_cut(figure: Sketch, choice: Choice) -> None:
    """The third column: the mass up to each rank, where it is cut, and the shares of the rows."""
    theme, size = choice.theme, len(choice.logits)
    cumulative = np.cumsum(np.sort(choice.probabilities)[::-1], dtype=np.float64)
    ranks = np.unique(np.rint(np.geomspace(1, size, 160)).astype(int))
    stay = int(choice.kept.sum())
    if stay < size:
        cut = stay + 0.5
        figure.trace(
            hatched_area([cut, size, size, cut], [0, 0, 1, 1], theme=theme, xaxis="x3", yaxis="y3")
        )
    figure.trace(
        scatter(
            x=ranks,
            y=cumulative[ranks - 1].astype(np.float32),
            mode="lines",
            line={"color": theme.ink, "width": 2},
            hoverinfo="text",
            xaxis="x3",
            yaxis="y3",
            hovertext=[
                f"The {count(r)} best together: {share(float(cumulative[r - 1]))}" for r in ranks
            ],
            name="mass up to each rank",
        )
    )
    if stay < size:
        figure.shapes(line(cut, cut, 0, 1.02, theme.ink, xref="x3", yref="y3", width=2))
        removed = float(choice.probabilities[~choice.kept].sum())
        figure.notes(
            note(
                f"<b>removed {share(removed)}</b><br>{count(size - stay)} tokens",
                CUT[1],
                1 - (ABOVE - 10) / choice.plot_height,
                anchor="right",
                valign="bottom",
                colour=theme.ink,
                bgcolor=theme.bg,
                borderpad=4,
                shift=(-4, 0),
                name="removed",
            )
        )
    _add_shares(figure, choice)


def _add_shares(figure: Sketch, choice: Choice) -> None:
    theme, rows = choice.theme, len(choice.rows)
    shares = choice.probabilities[choice.rows]
    stays = choice.kept[choice.rows]
    others_kept = mass(choice, choice.others & choice.kept)
    others_cut = mass(choice, choice.others & ~choice.kept)
    solid = np.append(np.where(stays, shares, 0), others_kept).astype(np.float32)
    cut = np.append(np.where(stays, 0, shares), others_cut).astype(np.float32)
    total = solid + cut
    names = [f"“{escaped(label)}”" for label in choice.labels] + ["All the others"]
    said = [
        f"{name}: {share(float(all_of_it))}"
        + (f", {share(float(gone))} of it removed" if gone else "")
        for name, all_of_it, gone in zip(names, total, cut, strict=True)
    ]
    where = np.arange(rows + 1)
    common: dict[str, Any] = {
        "y": where,
        "orientation": "h",
        "width": 0.5,
        "xaxis": "x6",
        "yaxis": "y4",
        "hovertext": said,
        "hoverinfo": "text",
    }
    figure.trace(bar(x=solid, marker={"color": choice.colours(rows + 1)}, name="kept", **common))
    figure.trace(
        bar(
            x=cut,
            base=solid,
            name="removed",
            marker={
                "pattern": hatching(theme) | {"size": 5},
                "color": "rgba(0,0,0,0)",
                "line": {"color": theme.curve, "width": np.where(cut > 0, 1, 0)},
            },
            **common,
        )
    )
    figure.trace(_bar_texts(total, [share(float(v)) for v in total], choice, "x6"))


def add_rings(figure: Sketch, choice: Choice, before: Array) -> None:
    """In the third column, what each row's share is in another run: a ring on every bar."""
    theme, rows = choice.theme, len(choice.rows)
    values = np.append(before[choice.rows], before[choice.others].sum(dtype=np.float64))
    names = [f"“{escaped(label)}”" for label in choice.labels] + ["All the others"]
    figure.trace(
        scatter(
            x=values.astype(np.float32),
            y=np.arange(rows + 1),
            mode="markers",
            marker={"size": 11, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
            cliponaxis=False,
            xaxis="x6",
            yaxis="y4",
            hoverinfo="text",
            hovertext=[
                f"{name}: {share(float(v))} with everything on"
                for name, v in zip(names, values, strict=True)
            ],
            name="with everything on",
        )
    )


def add_kept(figure: Sketch, choice: Choice) -> None:
    """The fourth column: what the kept ones have once the removed mass is shared out."""
    theme, rows = choice.theme, len(choice.rows)
    values = np.append(choice.renormalised[choice.rows], renormalised_others(choice))
    names = [f"“{escaped(label)}”" for label in choice.labels] + ["All the others"]
    figure.trace(
        bar(
            x=values.astype(np.float32),
            y=np.arange(rows + 1),
            orientation="h",
            width=0.5,
            marker={"color": choice.colours(rows + 1)},
            xaxis="x7",
            yaxis="y4",
            hoverinfo="text",
            hovertext=[
                f"{name}: {share(v)} of the kept ones"
                for name, v in zip(names, values, strict=True)
            ],
            name="probabilities",
        )
    )
    texts = [
        f'<b><span style="color:{theme.accent}">{share(value)}</span></b>'
        if row == choice.chosen_row != rows
        else share(value)
        if value > 0
        else "–"
        for row, value in enumerate(values)
    ]
    figure.trace(_bar_texts(values, texts, choice, "x7"))


def _bar_texts(values: Array, texts: list[str], choice: Choice, xaxis: str) -> Trace:
    return scatter(
        x=values,
        y=np.arange(len(values)),
        mode="text",
        text=[f" {t}" for t in texts],
        textposition="middle right",
        textfont={"size": 13.5, "color": choice.theme.ink},
        cliponaxis=False,
        hoverinfo="skip",
        xaxis=xaxis,
        yaxis="y4",
        name="shares",
    )


@dataclass(frozen=True)
class _Segment:
    """A piece of the column of height 1: one token, or the many small ones together."""

    label: str
    row: int | None
    start: float
    height: float
    is_chosen: bool


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


def add_choice(figure: Sketch, choice: Choice, draw: float | None) -> None:
    """The fifth column: the kept tokens stacked to a height of 1, linked to their rows."""
    theme, rows, segments = choice.theme, len(choice.rows) + 1, _segments(choice)
    pixels = [segment.height * choice.height for segment in segments]
    figure.trace(
        bar(
            x=np.full(len(segments), 0.74),
            width=0.5,
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
                escaped(shortened(s.label, 12)) if p > 19 else ""
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
            xaxis="x8",
            yaxis="y4",
            name="choice",
        )
    )
    _add_links(figure, segments, rows, theme)
    end: dict[str, Any] = {"xref": "x8", "yref": "y4"}
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


def _add_links(figure: Sketch, segments: list[_Segment], rows: int, theme: Theme) -> None:
    """Curves from the kept rows to their segments of the column."""
    step = np.linspace(0, 1, 24)
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
        x += [*(step * 0.48).tolist(), None]
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
                xaxis="x8",
                yaxis="y4",
                name="link of the chosen" if is_chosen else "links",
            )
        )


def mass(choice: Choice, mask: NDArray[np.bool_]) -> float:
    """The probability of some tokens together."""
    return float(choice.probabilities[mask].sum(dtype=np.float64))


def renormalised_others(choice: Choice) -> float:
    """What the tokens without a row have after the cut."""
    return float(choice.renormalised[choice.others].sum(dtype=np.float64))
