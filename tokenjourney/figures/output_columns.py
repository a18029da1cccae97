"""The columns of scores and shares of the output figure, each drawing what one choice holds."""

import numpy as np

from tokenjourney.figures.cells import cells_to_click
from tokenjourney.figures.drawing import Sketch, boxes, hatched_area, hatching, line, note
from tokenjourney.figures.matrices import Array
from tokenjourney.figures.output_layout import ABOVE, Choice, Column, above
from tokenjourney.figures.text import count, escaped, number, share
from tokenjourney.figures.written import Trace, bar, scatter


def add_scores(figure: Sketch, choice: Choice) -> None:
    """The first two columns: histogram of the vocabulary above, dots below, a band for the rest."""
    for values, word, column in zip(
        (choice.logits, choice.scaled),
        ("logit", "logit ÷ temperature"),
        choice.score_columns,
        strict=True,
    ):
        if values is None:
            middle = (column.left + column.right) / 2
            text = "temperature 0:<br>no scaling, the highest<br>logit is taken"
            figure.notes(note(text, middle, 0.92, anchor="center", colour=choice.theme.ink3))
            continue
        _add_vocabulary(figure, values, word, column, choice)
        _add_dots(figure, values, word, column, choice)


def _add_dots(figure: Sketch, values: Array, word: str, column: Column, choice: Choice) -> None:
    """A dot in every row, and a band where the others lie."""
    rows, shown, rest = len(choice.rows), values[choice.rows], values[choice.others]
    places = column.at(shown)
    said = [
        f"“{escaped(label)}”: {word} {number(v)}"
        for label, v in zip(choice.labels, shown, strict=True)
    ]
    figure.trace(
        scatter(
            x=places, y=np.arange(rows), mode="markers", cliponaxis=False, name=word,
            marker={"size": 11, "color": choice.colours(rows)}, hovertext=said, hoverinfo="text",
        )
    )  # fmt: skip
    _add_numbers(figure, places, [number(v) for v in shown], choice, is_left=True)
    if rest.size:
        ends = [float(rest.min()), float(rest.max())]
        figure.trace(
            scatter(
                x=column.at(ends), y=[rows, rows], mode="lines", opacity=0.45, hoverinfo="text",
                line={"width": 8, "color": choice.theme.quantity}, name=f"{word} of the others",
                hovertext=f"The others lie between {number(ends[0])} and {number(ends[1])}",
            )
        )  # fmt: skip


def _add_vocabulary(
    figure: Sketch, values: Array, word: str, column: Column, choice: Choice
) -> None:
    """The histogram: its bars are one shape, and a row of points says what each of them holds."""
    sizes, edges = np.histogram(values[np.isfinite(values)], bins=44)
    said = [
        f"{count(size)} tokens have a {word} from {number(left)} to {number(right)}"
        for size, left, right in zip(sizes, edges[:-1], edges[1:], strict=True)
    ]
    middles = column.at((edges[:-1] + edges[1:]) / 2)
    half = 0.43 * (edges[1] - edges[0]) * column.scale
    tops = above(np.sqrt(sizes / sizes.max()) / 1.05)
    bars = zip(middles - half, middles + half, np.full(len(sizes), above(0)), tops, strict=True)
    figure.shapes(boxes(bars, choice.theme.quantity, opacity=0.55))
    heights = np.full(len(sizes), above(0.5))
    name = f"vocabulary by {word}"
    figure.trace(cells_to_click(middles, heights, said, hover="%{text}", name=name))


def add_cut(figure: Sketch, choice: Choice) -> None:
    """The third column: the mass up to each rank, where it is cut, and the shares of the rows."""
    theme, size, column = choice.theme, len(choice.logits), choice.ranks
    cumulative = np.cumsum(np.sort(choice.probabilities)[::-1], dtype=np.float64)
    ranks = np.unique(np.rint(np.geomspace(1, size, 160)).astype(int))
    stay = int(choice.kept.sum())
    cut, floor, ceiling = float(column.at(np.log10(stay + 0.5))), *above([0, 1 / 1.02])
    if stay < size:
        x, y = [cut, column.right, column.right, cut], [floor, floor, ceiling, ceiling]
        figure.trace(hatched_area(x, y, theme=theme))
    figure.trace(
        scatter(
            x=column.at(np.log10(ranks)),
            y=above(cumulative[ranks - 1] / 1.02),
            mode="lines",
            line={"color": theme.ink, "width": 2},
            hoverinfo="text",
            hovertext=[
                f"The {count(r)} best together: {share(float(cumulative[r - 1]))}" for r in ranks
            ],
            name="mass up to each rank",
        )
    )
    if stay < size:
        figure.shapes(line(cut, cut, float(floor), float(above(1)), theme.ink, width=2))
        removed = float(choice.probabilities[~choice.kept].sum())
        figure.notes(
            note(
                f"<b>removed {share(removed)}</b><br>{count(size - stay)} tokens",
                column.right,
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
    column, kept = choice.shares, choice.kept
    total = choice.of_rows(choice.probabilities)
    cut = choice.of_rows(np.where(kept, np.float32(0), choice.probabilities))
    said = [
        share(float(all_of_it)) + (f", {share(float(gone))} of it removed" if gone else "")
        for all_of_it, gone in zip(total, cut, strict=True)
    ]
    figure.trace(
        _bars(choice, column, total - cut, name="kept"),
        _bars(
            choice,
            column,
            cut,
            name="removed",
            base=column.at(total - cut),
            marker={
                "pattern": hatching(choice.theme) | {"size": 5},
                "color": "rgba(0,0,0,0)",
                "line": {"color": choice.theme.curve, "width": np.where(cut > 0, 1, 0)},
            },
        ),
        _read_aloud(choice, column, said, 3, name="said of the shares"),
    )
    _add_numbers(figure, column.at(total), [share(float(v)) for v in total], choice)


def add_rings(figure: Sketch, choice: Choice, before: Array) -> None:
    """In the third column, what each row's share is in another run: a ring on every bar."""
    theme = choice.theme
    values = choice.of_rows(before)
    said = [f"{share(float(v))} with everything on" for v in values]
    figure.trace(
        scatter(
            x=choice.shares.at(values),
            y=np.arange(len(values)),
            mode="markers",
            marker={"size": 11, "color": theme.bg, "line": {"width": 2, "color": theme.ink2}},
            cliponaxis=False,
            hoverinfo="text",
            hovertext=[f"{name}: {text}" for name, text in zip(_names(choice), said, strict=True)],
            name="with everything on",
        )
    )


def add_kept(figure: Sketch, choice: Choice) -> None:
    """The fourth column: what the kept ones have once the removed mass is shared out."""
    values, column = choice.of_rows(choice.renormalised), choice.kept_shares
    shares = [share(float(value)) for value in values]
    accent = f'<b><span style="color:{choice.theme.accent}">'
    texts = [
        f"{accent}{text}</span></b>"
        if row == choice.chosen_row != len(choice.rows)
        else text
        if values[row] > 0
        else "–"
        for row, text in enumerate(shares)
    ]
    said = [f"{text} of the kept ones" for text in shares]
    figure.trace(
        _bars(choice, column, values, name="probabilities"),
        _read_aloud(choice, column, said, 2, name="said of the probabilities"),
    )
    _add_numbers(figure, column.at(values), texts, choice)


def _bars(choice: Choice, column: Column, values: Array, **more: object) -> Trace:
    """A bar in every row, the others' row included."""
    look = {"base": column.left, "marker": {"color": choice.colours(len(values))}}
    return bar(
        x=(values * column.scale).astype(np.float32), y=np.arange(len(values)), orientation="h",
        width=0.5, hoverinfo="skip", **look | more,
    )  # fmt: skip


def _read_aloud(choice: Choice, column: Column, said: list[str], places: int, name: str) -> Trace:
    """What is said of every row, wherever in the column one points at it."""
    x = np.linspace(column.left, column.right, 2 * places + 1, dtype=np.float32)[1::2]
    texts = [f"{one}: {text}" for one, text in zip(_names(choice), said, strict=True)]
    return cells_to_click(
        np.tile(x, len(said)), np.arange(len(said)).repeat(places),
        [text for text in texts for _ in range(places)], hover="%{text}", name=name,
    )  # fmt: skip


def _names(choice: Choice) -> list[str]:
    return [f"“{escaped(label)}”" for label in choice.labels] + ["All the others"]


def _add_numbers(
    figure: Sketch, x: Array, texts: list[str], choice: Choice, is_left: bool = False
) -> None:
    """A number in every row, right of its mark or left."""
    anchor, shift, colour = ("right", -7, "ink2") if is_left else ("left", 3, "ink")
    figure.notes(
        *(note(text, float(at), row, xref="x", yref="y", anchor=anchor, size=13.5,
               shift=(shift, 0), colour=getattr(choice.theme, colour))
          for row, (at, text) in enumerate(zip(x, texts, strict=True)))
    )  # fmt: skip
