"""The columns of scores and shares of the output figure, each drawing what one choice holds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenjourney.figures.drawing import Sketch, hatched_area, hatching, line, note
from tokenjourney.figures.matrices import Array
from tokenjourney.figures.text import count, escaped, number, share
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.written import Trace, bar, scatter

LEFT, RIGHT, TOP, BOTTOM = 96, 62, 50, 10
ABOVE, BETWEEN, ROW = 90, 44, 27
# Where the columns lie, as shares of the plot's width.
LOGITS, SCALED, CUT, KEPT = (0, 0.183), (0.208, 0.391), (0.416, 0.647), (0.676, 0.84)
ROWS_END, CHOICE = 0.875, (0.875, 1.0)


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
    stays = choice.kept[choice.rows]
    shares = choice.probabilities[choice.rows]
    solid = np.append(np.where(stays, shares, 0), mass(choice, choice.others & choice.kept))
    cut = np.append(np.where(stays, 0, shares), mass(choice, choice.others & ~choice.kept))
    total = solid + cut
    said = [
        share(float(all_of_it)) + (f", {share(float(gone))} of it removed" if gone else "")
        for all_of_it, gone in zip(total, cut, strict=True)
    ]
    _add_bars(figure, choice, solid, said, "x6", name="kept")
    _add_bars(
        figure,
        choice,
        cut,
        said,
        "x6",
        name="removed",
        base=solid.astype(np.float32),
        marker={
            "pattern": hatching(choice.theme) | {"size": 5},
            "color": "rgba(0,0,0,0)",
            "line": {"color": choice.theme.curve, "width": np.where(cut > 0, 1, 0)},
        },
    )
    figure.trace(_bar_texts(total, [share(float(v)) for v in total], choice, "x6"))


def add_rings(figure: Sketch, choice: Choice, before: Array) -> None:
    """In the third column, what each row's share is in another run: a ring on every bar."""
    theme = choice.theme
    values = np.append(before[choice.rows], before[choice.others].sum(dtype=np.float64))
    figure.trace(
        scatter(
            x=values.astype(np.float32),
            y=np.arange(len(values)),
            mode="markers",
            marker={"size": 11, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
            cliponaxis=False,
            xaxis="x6",
            yaxis="y4",
            hoverinfo="text",
            hovertext=_read_aloud(
                choice, [f"{share(float(v))} with everything on" for v in values]
            ),
            name="with everything on",
        )
    )


def add_kept(figure: Sketch, choice: Choice) -> None:
    """The fourth column: what the kept ones have once the removed mass is shared out."""
    values = np.append(choice.renormalised[choice.rows], renormalised_others(choice))
    shares = [share(float(value)) for value in values]
    said = [f"{text} of the kept ones" for text in shares]
    _add_bars(figure, choice, values, said, "x7", name="probabilities")
    accent = f'<b><span style="color:{choice.theme.accent}">'
    texts = [
        f"{accent}{text}</span></b>"
        if row == choice.chosen_row != len(choice.rows)
        else text
        if values[row] > 0
        else "–"
        for row, text in enumerate(shares)
    ]
    figure.trace(_bar_texts(values, texts, choice, "x7"))


def _add_bars(
    figure: Sketch, choice: Choice, values: Array, said: list[str], xaxis: str, **more: Any
) -> None:
    """A bar in every row, the others' row included; hovering names the row and says `said`."""
    figure.trace(
        bar(
            x=values.astype(np.float32),
            y=np.arange(len(values)),
            orientation="h",
            width=0.5,
            xaxis=xaxis,
            yaxis="y4",
            hoverinfo="text",
            hovertext=_read_aloud(choice, said),
            **{"marker": {"color": choice.colours(len(values))}, **more},
        )
    )


def _read_aloud(choice: Choice, said: list[str]) -> list[str]:
    """What is said of every row, with the row's name before it."""
    names = [f"“{escaped(label)}”" for label in choice.labels] + ["All the others"]
    return [f"{name}: {text}" for name, text in zip(names, said, strict=True)]


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


def mass(choice: Choice, mask: NDArray[np.bool_]) -> float:
    """The probability of some tokens together."""
    return float(choice.probabilities[mask].sum(dtype=np.float64))


def renormalised_others(choice: Choice) -> float:
    """What the tokens without a row have after the cut."""
    return float(choice.renormalised[choice.others].sum(dtype=np.float64))
