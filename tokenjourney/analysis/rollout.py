"""What an answer rests on: two ways to follow attention to the prompt, and one that tries it out.

Attention says where vectors are mixed, not what follows from it (Jain and Wallace, "Attention is
not Explanation", 2019). So beside the mean attention and its rollout stands what happens to the
answer when a token's meaning is taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tokenjourney.edits import replace
from tokenjourney.errors import PromptError
from tokenjourney.model.sampling import probabilities

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model

Array = NDArray[np.float32]


def head_means(patterns: Iterable[Array]) -> Array:
    """(n_layers, T, T): for each block the mean of its heads' patterns.

    Args:
        patterns: For each block its patterns, (n_heads, T, T); one block is looked at at a time.
    """
    return np.stack([np.asarray(pattern, np.float32).mean(axis=0) for pattern in patterns])


def attention_rollout(means: Array, position: int | None = None) -> Array:
    """Attention followed through all blocks, down to the tokens of the prompt.

    In each block a token keeps half of itself, for the residual connection, and takes the other
    half as its heads look, on average: A = ½ · mean of heads + ½ · I. The products of these
    matrices, block after block, say how much of each token arrives (Abnar and Zuidema,
    "Quantifying Attention Flow in Transformers", 2020, section 3).

    Args:
        means: (n_layers, T, T), from `head_means`.
        position: The position that is asked about; all of them if None.

    Returns:
        (T,) shares that sum to 1, or (T, T) with one row for each position.

    Raises:
        PromptError: there is no such position.

    >>> attention_rollout(np.float32([[[1, 0], [1, 0]]]), 1)
    array([0.5, 0.5], dtype=float32)
    """
    n_tokens = means.shape[-1]
    rows: Array = np.eye(n_tokens, dtype=np.float32)
    if position is not None:
        rows = rows[_checked(position, n_tokens)]
    for mean in means[::-1]:  # from the answer back to the prompt
        rows = np.asarray(0.5 * (rows + rows @ mean), np.float32)
    return rows


def attention_shares(patterns: Iterable[Array]) -> tuple[Array, Array]:
    """Mean attention over all heads and blocks, and attention rollout, of every position.

    Args:
        patterns: For each block its patterns, (n_heads, T, T).

    Returns:
        Two arrays (T, T), query before key; their rows sum to 1.
    """
    means = head_means(patterns)
    return np.asarray(means.mean(axis=0), np.float32), attention_rollout(means)


@dataclass(frozen=True)
class Occlusion:
    """What becomes of an answer when one token of the prompt loses its meaning.

    Attributes:
        position: The position of that token.
        change: Its logit then, minus its logit in the untouched run: below 0 where it is missed.
        probability: The answer's probability then.
    """

    position: int
    change: float
    probability: float


def occlusion(
    model: Model, journey: Journey, position: int, token_id: int, tried: Iterable[int]
) -> Iterator[Occlusion]:
    """Takes away the meaning of one token after the other, and looks what becomes of the answer.

    The token's row of W_E is replaced by the mean of all rows; its position stays. Every token
    costs a run from its place to `position`: what comes before it stays as it was. Zeiler and
    Fergus ("Visualizing and Understanding Convolutional Networks", 2014, section 4.2) did so with
    parts of pictures.

    Args:
        model: The model that the journey went through.
        journey: The journey; its edits stay.
        position: The position after which the answer stands.
        token_id: The answer.
        tried: Positions of the tokens to take away, in any order.

    Yields:
        One result for each of `tried`, as it is found. A token behind `position` changes nothing,
        and is not run.

    Raises:
        PromptError: there is no such position.
    """
    _checked(position, len(journey))
    before = journey[: position + 1]
    mean = model.W_E.mean(axis=0)
    logit = float(before.logits_at()[token_id])
    share = float(probabilities(before.logits_at(), 1.0)[token_id])
    for one in tried:
        if _checked(one, len(journey)) > position:
            yield Occlusion(one, 0.0, share)
            continue
        rows = before["hook_embed"].copy()
        rows[one] = mean
        logits = before.retrace([replace("hook_embed", rows)], one).logits_at()
        shares = probabilities(logits, 1.0)
        yield Occlusion(one, float(logits[token_id]) - logit, float(shares[token_id]))


def _checked(position: int, n_tokens: int) -> int:
    if not 0 <= position < n_tokens:
        raise PromptError(f"There is no position {position}: they run from 0 to {n_tokens - 1}.")
    return position
