"""From scores to one chosen token, and how well each position predicted the token that came.

All arithmetic of sampling is that of `tokenjourney.model.sampling`, by which the model generates:
this module only keeps every intermediate of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokenjourney.model.sampling import draw, kept, probabilities, random_point, ranking

Array = NDArray[np.float32]
Floats = NDArray[np.floating]
IDs = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class SampledChoice:
    """One choice of a next token, with everything that happened on the way. V is d_vocab.

    Attributes:
        logits: (V,) scores.
        scaled: (V,) logits ÷ temperature; None at temperature 0, which scales nothing.
        plain: (V,) probabilities at temperature 1.
        probabilities: (V,) at the temperature chosen.
        order: (V,) token IDs from the largest logit down.
        kept: (V,) True for what top-k and top-p leave.
        renormalised: (V,) probabilities of the kept ones, summing to 1; 0 for the others.
        removed_by_k: How many tokens top-k removes, and their probability.
        removed_by_p: How many of the rest top-p removes, and their probability.
        point: The random number in [0, 1) that makes the choice.
        chosen: The token ID it falls on.
        entropies: In bits: of `plain`, of `probabilities`, of `renormalised`.
    """

    logits: Array
    scaled: Array | None
    plain: Floats
    probabilities: Floats
    order: IDs
    kept: NDArray[np.bool_]
    renormalised: Floats
    removed_by_k: tuple[int, float]
    removed_by_p: tuple[int, float]
    point: float
    chosen: int
    entropies: tuple[float, float, float]

    @property
    def greedy(self) -> int:
        """The token ID with the largest logit."""
        return int(self.order[0])


def sampled_choice(
    logits: Array,
    position: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> SampledChoice:
    """The choice of the token after a position, as `tokenjourney.generate` makes it.

    Args:
        logits: (V,) scores after that position.
        position: The position, from 0: the draw depends on the seed and on it.
        temperature: From 0 (greedy) up.
        top_k: Draw from the k most probable only; None from all.
        top_p: Draw from the fewest that reach this probability; None from all.
        seed: Of the draw.

    Raises:
        PromptError: an argument is out of range.

    Example:
        >>> sampled_choice(np.array([0.0, 2.0, 1.0], np.float32), 0, top_k=1).chosen
        1
    """
    order = ranking(logits)
    shares = probabilities(logits, temperature)
    plain = probabilities(logits)
    after_k = kept(shares, order, top_k)
    stays = kept(shares, order, top_k, top_p)
    point = random_point(seed, position + 1)
    left = renormalised(shares, stays)
    cut_by_p = after_k & ~stays
    return SampledChoice(
        logits=logits,
        scaled=np.asarray(logits / temperature, np.float32) if temperature else None,
        plain=plain,
        probabilities=shares,
        order=order,
        kept=stays,
        renormalised=left,
        removed_by_k=(int((~after_k).sum()), float(shares[~after_k].sum())),
        removed_by_p=(int(cut_by_p.sum()), float(shares[cut_by_p].sum())),
        point=point,
        chosen=draw(shares, order, stays, point),
        entropies=(entropy_bits(plain), entropy_bits(shares), entropy_bits(left)),
    )


def renormalised(shares: Floats, mask: NDArray[np.bool_]) -> Floats:
    """(V,): what was kept, divided by its sum, so that it sums to 1; 0 for the others."""
    left = np.where(mask, shares, 0.0)
    return np.asarray(left / left.sum())


def entropy_bits(shares: Floats) -> float:
    """−Σ p log₂ p: how many yes/no questions are left on average (Shannon, 1948, section 6).

    >>> entropy_bits(np.full(8, 1 / 8))
    3.0
    """
    some = np.asarray(shares, np.float64)
    some = some[some > 0]
    return float(-(some * np.log2(some)).sum()) + 0.0


@dataclass(frozen=True, eq=False)
class Tally:
    """How often each token was drawn.

    Attributes:
        token_ids: The tokens, the most often drawn first; of equally often drawn the more probable.
        counts: How often each was drawn.
        expected: How often to expect: its probability times the number of draws.
        n_draws: How many draws there were.
    """

    token_ids: tuple[int, ...]
    counts: tuple[int, ...]
    expected: tuple[float, ...]
    n_draws: int


def draw_tally(choice: SampledChoice, position: int, seed: int, n_draws: int = 100) -> Tally:
    """The same choice drawn with the seeds `seed` to `seed + n_draws − 1`.

    Args:
        choice: What `sampled_choice` returned.
        position: The position it was made for.
        seed: The first seed.
        n_draws: How many.
    """
    points = [random_point(seed + i, position + 1) for i in range(n_draws)]
    counts = Counter(
        draw(choice.probabilities, choice.order, choice.kept, point) for point in points
    )
    ids = sorted(counts, key=lambda i: (-counts[i], -choice.renormalised[i], i))
    return Tally(
        token_ids=tuple(ids),
        counts=tuple(counts[i] for i in ids),
        expected=tuple(float(choice.renormalised[i]) * n_draws for i in ids),
        n_draws=n_draws,
    )


@dataclass(frozen=True, eq=False)
class PositionPredictions:
    """What each position predicted, and what really came. T positions.

    Attributes:
        best: (T,) ID of the most probable next token.
        best_probability: (T,).
        true_probability: (T − 1,) probability of the token that really comes next.
        true_rank: (T − 1,) its rank, from 1.
        loss: (T − 1,) −ln of that probability, in nats: what training makes small.
    """

    best: IDs
    best_probability: Array
    true_probability: Array
    true_rank: IDs
    loss: Array

    @property
    def mean_loss(self) -> float:
        """Mean of the losses, in nats; NaN for a single token, which has no next one."""
        return float(self.loss.mean()) if self.loss.size else float("nan")

    @property
    def perplexity(self) -> float:
        """The exponential of the mean loss: as uncertain as among so many equally likely tokens."""
        return float(np.exp(self.mean_loss))


def position_predictions(logits: Iterable[Array], token_ids: Sequence[int]) -> PositionPredictions:
    """Every position's own prediction beside the token that comes next.

    A causal model answers all positions in one pass, and training compares all of them at once
    (Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018,
    section 3.1).

    Args:
        logits: The scores, in pieces (t, V) of any length t, T rows together.
        token_ids: The T tokens of the prompt.
    """
    best: list[IDs] = []
    top: list[Array] = []
    true: list[Floats] = []
    ranks: list[IDs] = []
    start = 0
    for rows in logits:
        following = np.asarray(token_ids[start + 1 : start + len(rows) + 1], np.intp)
        shares = probabilities(rows)
        first = rows.argmax(-1)
        best.append(first)
        top.append(np.take_along_axis(shares, first[:, None], 1)[:, 0].astype(np.float32))
        asked = rows[: len(following)]
        true.append(np.take_along_axis(shares[: len(following)], following[:, None], 1)[:, 0])
        ranks.append(token_ranks(asked, following))
        start += len(rows)
    chance = np.concatenate(true)
    with np.errstate(divide="ignore"):
        loss = -np.log(chance)
    return PositionPredictions(
        best=np.concatenate(best),
        best_probability=np.concatenate(top),
        true_probability=chance.astype(np.float32),
        true_rank=np.concatenate(ranks),
        loss=loss.astype(np.float32),
    )


def token_ranks(logits: Array, token_ids: IDs) -> IDs:
    """(n,): the rank, from 1, of one token in each row of logits (n, V), as `ranking` orders them.

    >>> token_ranks(np.array([[0.0, 3.0, 3.0]]), np.array([2]))
    array([2])
    """
    own = np.take_along_axis(logits, token_ids[:, None], 1)
    before = np.arange(logits.shape[1]) < token_ids[:, None]
    return np.asarray((logits > own).sum(1) + ((logits == own) & before).sum(1) + 1, np.intp)


def token_shares(logits: Array, token_ids: Sequence[int]) -> list[float]:
    """The probabilities of some tokens, from the scores of all: (d_vocab,) → one for each ID."""
    return [float(one) for one in probabilities(logits)[list(token_ids)]]
