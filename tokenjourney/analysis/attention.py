"""One head, step by step: the match of a query and a key, its share, and what the head writes.

Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1:
softmax(Q Kᵀ / √d_head) V. The journey's scores are scaled and masked already; what comes before is
computed here from its queries and keys.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokenjourney.errors import HookError
from tokenjourney.model.sampling import probabilities, ranking

Array = NDArray[np.float32]


def dot_products(q: Array, k: Array) -> Array:
    """(T, T): every query times every key of one head, neither scaled nor masked.

    Args:
        q: (T, d_head), the queries.
        k: (T, d_head), the keys.

    >>> dot_products(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]))
    array([[11.]], dtype=float32)
    """
    return np.asarray(q, np.float32) @ np.asarray(k, np.float32).T


def scaled_scores(products: Array, d_head: int) -> Array:
    """(T, T): the dot products divided by √d_head, which keeps them small for any d_head."""
    return products / np.float32(math.sqrt(d_head))


def log_totals(scaled: Array) -> Array:
    """(T,): for each query the logarithm of its softmax's denominator, Σ e^scaled over its past.

    Args:
        scaled: (T, T), the dot products divided by √d_head, not masked.

    >>> log_totals(np.zeros((2, 2))).round(3)  # one key to look at, then two: log 1, log 2
    array([0.   , 0.693], dtype=float32)
    """
    past = np.where(np.tri(len(scaled), dtype=bool), np.asarray(scaled, np.float64), -np.inf)
    largest = past.max(axis=-1, keepdims=True)
    totals = largest[:, 0] + np.log(np.exp(past - largest).sum(axis=-1))
    return np.asarray(totals, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class CellSteps:
    """How one cell of an attention pattern came about.

    Attributes:
        products: (d_head,), query times key, dimension by dimension.
        positive: Sum of the products above 0.
        negative: Sum of those below 0.
        dot_product: Sum of all of them: q · k.
        scaled: The dot product divided by √d_head.
        is_masked: Whether the key comes after the query, and is excluded.
        log_total: Logarithm of the denominator of the softmax: of Σ e^scaled over the row.
        share: e^scaled divided by that denominator, or 0 for a masked key.
    """

    products: Array
    positive: float
    negative: float
    dot_product: float
    scaled: float
    is_masked: bool
    log_total: float
    share: float


def cell_steps(q: Array, k: Array, query: int, key: int) -> CellSteps:
    """The steps from the query at position `query` and the key at `key` to the share.

    Args:
        q: (T, d_head), the queries of one head.
        k: (T, d_head), its keys.
        query: Position that asks.
        key: Position that answers.

    Raises:
        HookError: there is no such position.
    """
    for name, position in (("query", query), ("key", key)):
        if not 0 <= position < len(q):
            raise HookError(
                f"There is no {name} position {position}: they run from 0 to {len(q) - 1}."
            )
    products = q[query] * k[key]
    row = (k[: query + 1].astype(np.float64) @ q[query].astype(np.float64)) / math.sqrt(q.shape[1])
    log_total = float(row.max() + np.log(np.exp(row - row.max()).sum()))
    dot_product = float(products.sum(dtype=np.float64))
    scaled = dot_product / math.sqrt(q.shape[1])
    is_masked = key > query
    return CellSteps(
        products=products,
        positive=float(products[products > 0].sum(dtype=np.float64)),
        negative=float(products[products < 0].sum(dtype=np.float64)),
        dot_product=dot_product,
        scaled=scaled,
        is_masked=is_masked,
        log_total=log_total,
        share=0.0 if is_masked else math.exp(scaled - log_total),
    )


def direct_effect(vectors: Array, scale: float, gain: Array, W_U: Array) -> Array:
    """(…, d_vocab): what vectors in the residual stream do to each token's score, by themselves.

    The final LayerNorm is kept as it was in the run (its scale frozen), so the effects of all
    parts of a residual vector add up to its logits. Only differences between tokens count in the
    softmax, so the mean over the vocabulary is taken off. Elhage et al., "A Mathematical Framework
    for Transformer Circuits" (2021), direct path.

    Args:
        vectors: (…, d_model), added to the residual stream somewhere.
        scale: The final LayerNorm's scale at that position (`ln_final.hook_scale`).
        gain: (d_model,), the gain of the final LayerNorm.
        W_U: (d_model, d_vocab).
    """
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    effect = (centred / np.float32(scale) * gain) @ W_U
    return np.asarray(effect - effect.mean(axis=-1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Pushed:
    """Tokens that something pushes up or down most.

    Attributes:
        token_ids: Their IDs, the strongest push first.
        effects: (k,), by how much each score changes.
    """

    token_ids: tuple[int, ...]
    effects: Array

    @property
    def pairs(self) -> list[tuple[int, float]]:
        """Each token's ID with its effect."""
        return list(zip(self.token_ids, self.effects.tolist(), strict=True))


def promoted(effect: Array, k: int = 8) -> Pushed:
    """The `k` tokens pushed up most, of an effect over the vocabulary (d_vocab,).

    >>> promoted(np.array([0.0, 3.0, 1.0], np.float32), 2).token_ids
    (1, 2)
    """
    order = ranking(effect)[:k]
    return Pushed(tuple(int(i) for i in order), effect[order])


def suppressed(effect: Array, k: int = 8) -> Pushed:
    """The `k` tokens pushed down most.

    >>> suppressed(np.array([0.0, 3.0, -1.0], np.float32), 1).token_ids
    (2,)
    """
    order = ranking(-effect)[:k]
    return Pushed(tuple(int(i) for i in order), effect[order])


def strongest_pushes(effect: Array, k: int = 8) -> tuple[Pushed, Pushed]:
    """Both: the `k` tokens pushed up most, and the `k` pushed down most."""
    return promoted(effect, k), suppressed(effect, k)


@dataclass(frozen=True, eq=False)
class PredictionChange:
    """The next token's probabilities before and after an edit.

    Attributes:
        token_ids: The most probable before, then those that only the edit brought up.
        before: (n,), their probabilities.
        after: (n,), the same in the edited run.
        moved: Half the sum of all changes over the vocabulary (total variation): 0 to 1.
    """

    token_ids: tuple[int, ...]
    before: Array
    after: Array
    moved: float


def prediction_change(before: Array, after: Array, k: int = 6) -> PredictionChange:
    """What an edit does to a prediction: the top `k` of both runs, side by side.

    Args:
        before: (d_vocab,), logits without the edit.
        after: (d_vocab,), logits with it.
        k: How many of each run's most probable tokens.
    """
    first, second = probabilities(before), probabilities(after)
    top = [int(i) for i in ranking(before)[:k]]
    new = [int(i) for i in ranking(after)[:k]]
    ids = _in_order(top, new)
    moved = float(np.abs(first - second).sum() / 2)
    return PredictionChange(
        ids, first[list(ids)].astype(np.float32), second[list(ids)].astype(np.float32), moved
    )


def _in_order(*parts: Sequence[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(i for part in parts for i in part))
