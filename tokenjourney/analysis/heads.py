"""What heads do on a prompt, measured from their attention patterns.

The four scores are the usual ones: previous and first token, duplicate token (Wang et al.,
"Interpretability in the Wild", 2022, section 3) and induction (Olsson et al., "In-context Learning
and Induction Heads", 2022). Each is a share of attention from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tokenjourney.errors import PromptError

Array = NDArray[np.float32]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

KINDS: Final = ("previous", "first", "same", "induction")
"""The things a head may do, in the order of `HeadScores.values`."""

LABEL_FROM: Final = 0.5
"""From this score on a head is labelled: most of its attention, on average, does this."""


@dataclass(frozen=True, eq=False)
class HeadScores:
    """How much of its attention each head spends on four things.

    Attributes:
        values: (4, …), one row for each of `KINDS`; NaN where the prompt gives no occasion.
        occasions: (4,) int, the number of queries each score is a mean over.
    """

    values: Array
    occasions: NDArray[np.int64]

    def kind(self, *head: int, at_least: float = LABEL_FROM) -> str:
        """The name of the strongest score of a head, or "" if none reaches `at_least`."""
        where: tuple[slice | int, ...] = (slice(None), *head)
        scores = self.values[where]
        scores = np.where(np.isnan(scores), -1.0, scores)
        best = int(np.argmax(scores))
        return KINDS[best] if scores[best] >= at_least else ""


@dataclass(frozen=True, eq=False)
class HeadSurvey:
    """All heads of all blocks on one prompt.

    Attributes:
        scores: The scores, as (4, n_layers, n_heads).
        thumbnails: (n_layers, n_heads, t, t): the patterns, where they are larger than the size
            asked for merged: what `side` queries give to `side` keys together, as their mean.
        side: How many tokens one cell of a thumbnail spans.
    """

    scores: HeadScores
    thumbnails: Array
    side: int


def occasions(token_ids: Sequence[int]) -> tuple[Pairs, ...]:
    """For each of `KINDS`, the pairs of query and key that count, as two arrays of positions.

    - previous: the token before; from position 2 on, where it is not the first token as well.
    - first: position 0; from position 2 on.
    - same: earlier positions that hold the same token.
    - induction: positions that follow an earlier one of the same token, up to the query itself.

    >>> queries, keys = occasions([7, 8, 7])[2]  # the third token stood there before, at 0
    >>> queries.tolist(), keys.tolist()
    ([2], [0])
    """
    ids = np.asarray(token_ids, dtype=np.int64)
    late = np.arange(2, max(2, len(ids)))
    queries, keys = np.nonzero(np.tril(ids[:, None] == ids[None, :], -1))
    follows = keys + 1 < queries
    return (
        (late, late - 1),
        (late, np.zeros_like(late)),
        (queries, keys),
        (queries[follows], keys[follows] + 1),
    )


def head_scores(patterns: Array, token_ids: Sequence[int]) -> HeadScores:
    """The four scores of each head: the mean over queries of the attention on the keys that count.

    Args:
        patterns: (…, T, T), query before key, rows summing to 1.
        token_ids: The T tokens.

    Raises:
        PromptError: the patterns are not of T tokens.

    >>> always_back = np.eye(4, k=-1, dtype=np.float32)
    >>> always_back[0, 0] = 1.0
    >>> head_scores(always_back, [5, 6, 7, 8]).kind()
    'previous'
    """
    patterns = np.asarray(patterns, dtype=np.float32)
    _check(patterns, len(token_ids))
    return _scores(patterns, occasions(token_ids))


def _check(patterns: Array, n: int) -> None:
    if patterns.shape[-2:] != (n, n):
        raise PromptError(
            f"Patterns of shape {patterns.shape} do not belong to {n} tokens: their last two axes "
            f"must be ({n}, {n})."
        )


def _scores(patterns: Array, counted: Sequence[Pairs]) -> HeadScores:
    """The scores of each head: only the cells that count are read."""
    found = np.array([len(np.unique(queries)) for queries, _ in counted], dtype=np.int64)
    values = np.full((len(KINDS), *patterns.shape[:-2]), np.nan, dtype=np.float32)
    for row, (queries, keys) in enumerate(counted):
        if found[row]:
            values[row] = patterns[..., queries, keys].sum(axis=-1, dtype=np.float64) / found[row]
    values.setflags(write=False)
    return HeadScores(values, found)


def head_survey(
    patterns: Iterable[Array], token_ids: Sequence[int], *, most: int = 48
) -> HeadSurvey:
    """Scores and thumbnails of all heads, block after block: only one block's patterns at a time.

    Args:
        patterns: For each block its patterns, (n_heads, T, T).
        token_ids: The T tokens.
        most: Most cells along a side of a thumbnail.
    """
    side = max(1, -(-len(token_ids) // most))
    counted = occasions(token_ids)
    scores, small = [], []
    for block in patterns:
        _check(block, len(token_ids))
        scores.append(_scores(block, counted))
        small.append(block if side == 1 else _merged(block, side))
    values = np.stack([found.values for found in scores], axis=1)
    return HeadSurvey(HeadScores(values, scores[0].occasions), np.stack(small), side)


def repeated_random_tokens(d_vocab: int, n_ctx: int, *, seed: int = 0) -> tuple[int, ...]:
    """Random tokens, all different, and then the same again: what induction is measured on.

    No meaning helps here: whoever finds what followed the last time has found it by looking back.

    >>> ids = repeated_random_tokens(1000, 64)
    >>> len(ids), ids[:32] == ids[32:]
    (64, True)
    """
    half = max(1, min(48, n_ctx // 2, d_vocab))
    drawn = np.random.default_rng(seed).choice(d_vocab, half, replace=False)
    return tuple(int(i) for i in drawn) * 2


def _merged(patterns: Array, side: int) -> Array:
    """What `side` queries give to `side` keys together, as the mean over the queries.

    So every row still sums to 1, and a long prompt's pattern is as dark as a short one's; with the
    mean over the keys as well it would fade away. At the edge there may be fewer of both.
    """
    group = np.arange(patterns.shape[-1]) // side
    member = (group[:, None] == np.arange(group[-1] + 1)).astype(np.float32)
    mean = member / member.sum(axis=0)  # a column per cell: its tokens, each with its part
    return np.asarray(mean.T @ patterns @ member, dtype=np.float32)
