"""Where a token stands: position vectors, learned and by formula, and what a place changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tokenjourney.analysis.attention import PredictionChange, prediction_change
from tokenjourney.analysis.neighbours import cosine_matrix, cosines_of_rows
from tokenjourney.journey import Journey, trace

Array = NDArray[np.float32]
_SEEN_AT_ONCE = 24


def sinusoidal_positions(n_positions: int, d_model: int) -> Array:
    """The fixed position vectors of the first transformer: (n_positions, d_model).

    PE[p, 2i] = sin(p / 10000^(2i / d_model)), PE[p, 2i + 1] = cos of the same: Vaswani et al.,
    "Attention Is All You Need" (2017), section 3.5. It has a row for every place there is.

    >>> sinusoidal_positions(2, 4).round(2)
    array([[0.  , 1.  , 0.  , 1.  ],
           [0.84, 0.54, 0.01, 1.  ]], dtype=float32)
    """
    places = np.arange(n_positions, dtype=np.float64)[:, None]
    pairs = np.arange(0, d_model, 2, dtype=np.float64)
    angles = places / 10000.0 ** (pairs / d_model)
    table = np.empty((n_positions, 2 * len(pairs)), np.float32)
    table[:, 0::2], table[:, 1::2] = np.sin(angles), np.cos(angles)
    return _read_only(table[:, :d_model])


def similarity_by_distance(rows: ArrayLike) -> tuple[Array, Array, Array]:
    """How alike two rows are on average, by how far apart they stand.

    Args:
        rows: (n, d), position vectors in order.

    Returns:
        Three arrays (n,): mean, smallest and largest cosine of all pairs 0, 1, 2 … places apart.
    """
    cosines = cosine_matrix(rows)
    n = len(cosines)
    mean, low, high = (np.empty(n, np.float32) for _ in range(3))
    for distance in range(n):
        pairs = np.diagonal(cosines, distance)
        mean[distance], low[distance], high[distance] = pairs.mean(), pairs.min(), pairs.max()
    return _read_only(mean), _read_only(low), _read_only(high)


def places_with(place: int, n: int, most: int) -> range:
    """At most so many of n positions, evenly spread and with this one among them.

    >>> places_with(7, 10, most=4)
    range(1, 10, 3)
    """
    step = -(-n // most)
    return range(place % step, n, step)


def occurrences(token_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The token IDs that stand at several positions, each with these positions, in reading order.

    >>> occurrences([404, 520, 622, 520])
    {520: (1, 3)}
    """
    places: dict[int, list[int]] = {}
    for position, token_id in enumerate(token_ids):
        places.setdefault(int(token_id), []).append(position)
    return {token_id: tuple(found) for token_id, found in places.items() if len(found) > 1}


def two_places(token_ids: Sequence[int], followed: int) -> tuple[int, int] | None:
    """Two positions of one token, the earlier first; None where no token stands twice.

    The followed token and its nearest double, if it has one; else the first token that has.

    >>> two_places([404, 520, 622, 520], followed=0)
    (1, 3)
    """
    repeated = occurrences(token_ids)
    own = [p for p in repeated.get(int(token_ids[followed]), ()) if p != followed]
    if own:
        nearest = min(own, key=lambda position: (abs(position - followed), position))
        return min(followed, nearest), max(followed, nearest)
    for places in repeated.values():
        return places[0], places[1]
    return None


def cosines_of_two(stations: Sequence[ArrayLike], first: int, second: int) -> Array:
    """The cosine of two rows at each of several stations: one number a station.

    Args:
        stations: Arrays (T, d), such as the token embeddings, what enters block 0, and what leaves
            each block.
        first: One row.
        second: The other.
    """
    pairs = np.stack([np.asarray(station, np.float32)[[first, second]] for station in stations])
    return cosines_of_rows(pairs[:, 0], pairs[:, 1])


def swapped_order(sizes: Sequence[int], first: int, second: int) -> tuple[int, ...]:
    """The positions of a prompt's tokens in the order that they have when two words are swapped.

    Args:
        sizes: How many tokens each word has, in order.
        first: Number of a word, from 0.
        second: Number of the other.

    Returns:
        Old positions in their new order: token `order[i]` of the prompt now stands at place i.

    >>> swapped_order([1, 2, 1], 0, 1)
    (1, 2, 0, 3)
    """
    ends = np.cumsum(sizes).tolist()
    words = [list(range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]
    words[first], words[second] = words[second], words[first]
    return tuple(position for word in words for position in word)


def seen_around(places: Sequence[int], n: int, around: int = 10) -> tuple[range, ...]:
    """The stretches of n positions that lie near to some places, all of them where n is small.

    >>> seen_around([3, 200], 300, around=2), seen_around([3], 20)
    ((range(1, 6), range(198, 203)), (range(0, 20),))
    """
    if n <= 4 * around:
        return (range(n),)
    found: list[range] = []
    for place in sorted(places):
        start, end = max(0, place - around), min(n, place + around + 1)
        if found and start <= found[-1].stop:
            start = found.pop().start
        found.append(range(start, end))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Word:
    """A word of a prompt, as the tokenizer's regex cuts it, its space in front included.

    Attributes:
        label: Its visible text.
        first: Position of its first token.
        size: How many tokens it has.
    """

    label: str
    first: int
    size: int


def words_of(journey: Journey) -> tuple[Word, ...]:
    """The words of a prompt; for a model without tokenizer every token is one."""
    model = journey.model
    if model is None or model.tokenizer is None:
        return tuple(Word(str(i), place, 1) for place, i in enumerate(journey.token_ids))
    found: list[Word] = []
    for piece in model.tokenizer.merges(journey.text):
        ids = piece.token_ids
        label = "".join(map(model.tokenizer.visible, ids))
        found.append(Word(label, found[-1].first + found[-1].size if found else 0, len(ids)))
    return tuple(found)


def two_words(words: Sequence[Word]) -> tuple[int, int]:
    """Numbers of two words that are worth swapping: different, of letters, and apart.

    The second word of the prompt and the last, or what comes nearest to that, both early enough to
    be seen at once.
    """
    early = [word for word in words if word.first < _SEEN_AT_ONCE]
    spoken = [i for i, word in enumerate(early) if any(map(str.isalnum, word.label))]
    spoken = spoken if len(spoken) > 1 else list(range(len(early)))
    for first in spoken[1:-1] + spoken[:1]:
        for second in reversed(spoken):
            if second > first and words[second].label != words[first].label:
                return first, second
    return 0, len(early) - 1


def way_up(journey: Journey) -> tuple[Array, ...]:
    """What becomes of the tokens, station by station: (T, d_model) each.

    The token vectors, the sums with their positions that enter block 0, and what leaves each block.
    """
    n_layers = journey.config.n_layers
    entering = (journey[f"blocks.{block}.hook_resid_pre"] for block in range(n_layers))
    return (journey["hook_embed"], *entering, journey[f"blocks.{n_layers - 1}.hook_resid_post"])


@dataclass(frozen=True, eq=False)
class SwapEffect:
    """What changes when a prompt's tokens stand in another order.

    Attributes:
        token_ids: The IDs in the new order.
        cosines: (T, n_layers + 2), rows in the new order, stations as in `way_up`: the cosine of a
            token's vector with its own vector in the prompt as it was.
        prediction: How the prediction after the last token changes.
    """

    token_ids: tuple[int, ...]
    cosines: Array
    prediction: PredictionChange


def swap_effect(journey: Journey, order: Sequence[int], k: int = 6) -> SwapEffect:
    """Traces the tokens of a prompt in another order and compares.

    Args:
        journey: The prompt as it is, with its model; edits that switch something off stay.
        order: For each new place the old place of its token.
        k: How many of the most probable next tokens of either are compared.
    """
    assert journey.model is not None
    moved = list(order)
    ids = [journey.token_ids[old] for old in moved]
    other = trace(journey.model, ids, edits=journey.edits)
    pairs = zip(way_up(other), way_up(journey), strict=True)
    cosines = np.stack([cosines_of_rows(new, old[moved]) for new, old in pairs], axis=1)
    prediction = prediction_change(journey.logits_at(), other.logits_at(), k)
    return SwapEffect(other.token_ids, _read_only(cosines), prediction)


def padded_rows(rows: ArrayLike, n_rows: int) -> Array:
    """The same rows, and behind them rows of NaN up to `n_rows`: where there is no vector."""
    matrix = np.asarray(rows, np.float32)
    padded = np.full((max(n_rows, len(matrix)), matrix.shape[1]), np.nan, np.float32)
    padded[: len(matrix)] = matrix
    return _read_only(padded)


def _read_only(array: Array) -> Array:
    array.setflags(write=False)
    return array
