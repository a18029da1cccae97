"""Token texts along the rows and axes of a figure, and which of them have room."""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Any

from tokenjourney.figures.text import escaped, number, shortened, token_markup
from tokenjourney.figures.theme import Theme

_STEPS = (1, 2, 3, 4, 5, 10, 20, 25, 50, 100, 200, 250, 500)


def tick_step(tokens: int, most: int) -> int:
    """Every how many-th token is labelled, so that at most `most` are: a number easy to count by.

    >>> tick_step(8, 12), tick_step(256, 24), tick_step(1024, 24)
    (1, 20, 50)
    """
    least = -(-tokens // most)
    return next((step for step in _STEPS if step >= least), least)


def labelled_positions(tokens: int, most: int, always: Sequence[int] = ()) -> list[int]:
    """The positions that get a label: evenly spread, and those in `always`."""
    step = tick_step(tokens, most)
    kept = [
        p for p in range(0, tokens, step) if step == 1 or all(abs(p - a) >= step for a in always)
    ]
    return sorted({*kept, *(a for a in always if 0 <= a < tokens)})


def round_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round values from `low` to `high` in at most so many steps, and how they are written.

    >>> round_ticks(-15.6, 13.2, 6)
    [(-15.0, '−15'), (-10.0, '−10'), (-5.0, '−5'), (0.0, '0'), (5.0, '5'), (10.0, '10')]
    """
    power = floor(log10((high - low) / most))
    size = next(s * 10.0**power for s in (1, 2, 5, 10) if s * 10.0**power * most >= high - low)
    first, last = ceil(low / size), floor(high / size)
    return [
        (i * size, number(i * size, max(0, -floor(log10(size))))) for i in range(first, last + 1)
    ]


def share_ticks(top: float, most: int = 5) -> dict[str, Any]:
    """The ticks of an axis of shares from 0 to `top`: round steps of percent, at most so many.

    >>> share_ticks(0.62)["ticktext"], share_ticks(0.0031)["ticktext"]
    (['0 %', '20 %', '40 %', '60 %'], ['0 %', '0.1 %', '0.2 %', '0.3 %'])
    """
    power = floor(log10(top / most))
    step = next(s for s in (1, 2, 5, 10, 20) if s * 10.0**power * most >= top * (1 - 1e-9))
    power, step = (power + 1, step // 10) if step >= 10 else (power, step)
    size = step * 10.0**power
    values = [i * size for i in range(floor(top / size * (1 + 1e-9)) + 1)]
    digits = max(0, -power - 2)
    texts = [f"{100 * value:.{digits if value else 0}f} %" for value in values]
    return {"tickmode": "array", "tickvals": values, "ticktext": texts}


def row_label(label: str, *, followed: bool, theme: Theme, length: int = 14) -> str:
    """A token's label for the left of its row."""
    return token_markup(shortened(label, length), followed=followed, theme=theme)


def tick_texts(labels: Sequence[str], strong: int | None = None, length: int = 12) -> list[str]:
    """Token labels for the ticks of an axis, escaped; one of them may be bold.

    They carry no colour, because Plotly repeats them in hover labels of another ground.
    """
    texts = [escaped(shortened(label, length)) for label in labels]
    if strong is not None:
        texts[strong] = f"<b>{texts[strong]}</b>"
    return texts


def side_by_side(
    labels: Sequence[str],
    starts: Sequence[float],
    most: int,
    *,
    marked: int | None = None,
    length: int = 9,
) -> dict[str, Any]:
    """One x axis for matrices side by side: one each would take a browser several times as long.

    Args:
        labels: of the tokens along each of them.
        starts: where each of them begins.
        most: so many labels have room below one of them.
        marked: the position whose label is bold and always there.
        length: letters of a label.
    """
    shown = labelled_positions(len(labels), most, () if marked is None else (marked,))
    texts = tick_texts(labels, strong=marked, length=length)
    return {
        "range": [-0.5, starts[-1] + len(labels) - 0.5],
        "tickmode": "array",
        "tickvals": [start + position for start in starts for position in shown],
        "ticktext": [texts[position] for _ in starts for position in shown],
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
    }
