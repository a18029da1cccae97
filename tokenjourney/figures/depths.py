"""Places along the stack: before block 0, and after each block."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from tokenjourney.figures.matrices import Array
from tokenjourney.figures.ticks import labelled_positions

_STEEP: Final = 0.05
"""A rise or fall of a line, in heights of the plot, from which on it crosses words above."""

_MOST_WRITTEN, _LETTERS_APART = 16, 44  # half a page holds so many letters side by side
_MOST_NAMED = 9  # from here on half a page has no room for "embedding"


def depth_names(blocks: int) -> list[str]:
    """The names of the places where the stream can be read: before block 0, then after each.

    >>> depth_names(2)
    ['embedding', '0', '1']
    """
    return ["embedding", *(str(block) for block in range(blocks))]


def depth_words(depth: int) -> str:
    """The same place in a sentence.

    >>> depth_words(0), depth_words(3)
    ('before block 0', 'after block 2')
    """
    return "before block 0" if depth == 0 else f"after block {depth - 1}"


def depth_axis(depths: int) -> dict[str, Any]:
    """An x axis from before block 0 to after the last block."""
    shown = labelled_positions(depths, 24)
    words = depth_names(depths - 1)
    if depths > _MOST_NAMED:
        words[0] = "emb."
    return {
        "range": [-0.4, depths - 0.6], "tickmode": "array", "tickvals": shown, "tickangle": 0,
        "ticktext": [words[d] for d in shown], "title": {"text": "after block"},
        "showgrid": False, "zeroline": False,
    }  # fmt: skip


def beside(heights: Array) -> list[str]:
    """Where the text of each point of a line has room: over it, unless the line is steep there.

    Args:
        heights: (n,) of the points, in heights of the plot.
    """
    rises = np.append(np.diff(heights) > _STEEP, False)
    falls = np.append(False, np.diff(heights) < -_STEEP)
    words = {
        (False, False): "top center",
        (True, False): "middle right",
        (False, True): "top right",
        (True, True): "bottom center",
    }
    return [words[bool(up), bool(down)] for up, down in zip(rises, falls, strict=True)]


def with_room(texts: Sequence[str], heights: Array) -> list[str] | None:
    """The texts of a line's points, bold; "" where the last one is in the way.

    Args:
        texts: n numbers in words, for half a page.
        heights: (n,) of the points, in heights of the plot.

    Returns:
        None of a long line, which has room for none.
    """
    if len(texts) > _MOST_WRITTEN:
        return None
    written: list[str] = []
    each = _LETTERS_APART / len(texts)
    last, end = -1, 0.0  # the last text written, and where it ends
    for here, (text, place) in enumerate(zip(texts, beside(heights), strict=True)):
        start = here * each - (0.0 if "right" in place else len(text) / 2)
        if last >= 0 and start < end and abs(heights[here] - heights[last]) < _STEEP:
            written.append("")
            continue
        written.append(f"\u00a0<b>{text}</b>\u00a0")
        last, end = here, start + len(text)
    return written
