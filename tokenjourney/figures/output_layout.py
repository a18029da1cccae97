"""Where everything of the output figure lies: its columns, its rows, the scales over them.

All columns share one pair of axes, since a pair each would take the browser twice as long: across
it goes from 0 to 1, down by rows, and the whole vocabulary stands above the first row.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.drawing import NO_TICKS, Sketch, boxes, note, rules
from tokenjourney.figures.matrices import Array
from tokenjourney.figures.text import count, number
from tokenjourney.figures.theme import Theme
from tokenjourney.figures.ticks import round_ticks, row_label

LEFT, RIGHT, TOP, BOTTOM = 96, 62, 50, 10
ABOVE, BETWEEN, ROW = 90, 44, 27
ROWS_END = 0.875
FLOOR = -0.5 - BETWEEN / ROW
"""Where the vocabulary above stands, in rows."""


@dataclass(frozen=True)
class Column:
    """A column: its edges, as shares of the width, and the values that stand there."""

    left: float
    right: float
    low: float = 0.0
    high: float = 1.0

    @property
    def scale(self) -> float:
        """How far apart two values lie that differ by 1."""
        return (self.right - self.left) / (self.high - self.low)

    def at(self, values: ArrayLike) -> Array:
        """Where values lie on the axis that all columns share."""
        found = self.left + (np.asarray(values, np.float64) - self.low) * self.scale
        return found.astype(np.float32)


def above(shares: ArrayLike) -> Array:
    """Heights over the floor of the vocabulary, from 0 to 1, on the axis of the rows."""
    return (FLOOR - np.asarray(shares, np.float64) * ABOVE / ROW).astype(np.float32)


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
    before: Array | None
    theme: Theme

    @property
    def height(self) -> int:
        """Pixels of the rows, the others' row included."""
        return ROW * (len(self.rows) + 1)

    @property
    def plot_height(self) -> int:
        """Pixels of everything between the margins."""
        return ABOVE + BETWEEN + self.height

    @cached_property
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

    def of_rows(self, shares: Array) -> Array:
        """What the rows have of the shares of all tokens; last the others together."""
        return np.append(shares[self.rows], shares[self.others].sum(dtype=np.float64))

    @cached_property
    def score_columns(self) -> tuple[Column, Column]:
        """The first two columns, on one scale."""
        every = [self.logits] if self.scaled is None else [self.logits, self.scaled]
        low, high = (float(f(f(part) for part in every)) for f in (min, max))
        room = 0.05 * (high - low) or 1.0
        return Column(0, 0.183, low - room, high + room), Column(
            0.208, 0.391, low - room, high + room
        )

    @property
    def ranks(self) -> Column:
        """The third column above, by the logarithm of the rank."""
        return Column(0.416, 0.647, 0, float(np.log10(max(len(self.logits), 2))))

    @cached_property
    def shares(self) -> Column:
        """The third column below."""
        drawn = [part for part in (self.probabilities, self.before) if part is not None]
        most = max(float(self.of_rows(part).max()) for part in drawn)
        return Column(0.416, 0.647, 0, 1.5 * max(most, 1e-9))

    @cached_property
    def kept_shares(self) -> Column:
        """The fourth column."""
        most = float(self.of_rows(self.renormalised).max())
        return Column(0.676, 0.84, 0, 1.35 * max(most, float(self.renormalised.max()), 1e-9))

    @property
    def stack(self) -> Column:
        """The last column."""
        return Column(ROWS_END, 1)


def lay_out(figure: Sketch, choice: Choice) -> None:
    """The axes, the lines of the scales and their ticks."""
    theme, rows = choice.theme, len(choice.rows) + 1
    figure.layout(
        xaxis={"range": [0, 1], **NO_TICKS},
        yaxis={"range": [rows - 0.5, float(above(1))], **NO_TICKS},
    )
    _add_rows(figure, choice)
    grid = []
    scores = choice.score_columns[: 1 if choice.scaled is None else 2]
    for column in scores:
        for value, text in round_ticks(column.low, column.high, 6):
            x = float(column.at(value))
            grid.append((x, x, -0.5, rows - 0.5))
            _add_tick(figure, text, x, theme)
    for power in range(int(choice.ranks.high + 0.05) + 1):
        _add_tick(figure, number(10**power, 0), float(choice.ranks.at(power)), theme)
    floors = [(c.left, c.right, FLOOR, FLOOR) for c in (*scores, choice.ranks)]
    figure.shapes(rules(grid, theme.line), rules(floors, theme.curve))


def _add_tick(figure: Sketch, text: str, x: float, theme: Theme) -> None:
    figure.notes(note(text, x, FLOOR, xref="x", yref="y", anchor="center", valign="top",
                      shift=(0, -4), size=12.5, colour=theme.ink3))  # fmt: skip


def _add_rows(figure: Sketch, choice: Choice) -> None:
    """Every other row has a ground, the chosen one its own; left of it stands the token."""
    theme, others = choice.theme, len(choice.rows)
    plain = [row for row in range(0, others + 1, 2) if row != choice.chosen_row]
    chosen = [] if choice.chosen_row is None else [choice.chosen_row]
    for rows, colour in ((plain, theme.surface), (chosen, theme.accent_soft)):
        for start, end, mode in ((0, ROWS_END, "scaled"), (6 - LEFT, 0, "pixel")):
            edges = [(start, end, row - 0.5, row + 0.5) for row in rows]
            figure.shapes(boxes(edges, colour, xref="paper", xsizemode=mode, xanchor=0))
    for row in range(others + 1):
        if row < others:
            is_chosen = row == choice.chosen_row
            text = row_label(choice.labels[row], followed=is_chosen, theme=theme, length=11)
        else:
            text = f"{count(int(choice.others.sum()))} others"
        colour = theme.ink if row < others else theme.ink2
        figure.notes(note(text, 0, row, yref="y", shift=(-LEFT + 12, 0), colour=colour,
                          size=14.5 if row < others else 13.5))  # fmt: skip
