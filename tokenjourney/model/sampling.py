"""From logits to one chosen token: temperature, top-k, top-p and the draw."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tokenjourney.errors import PromptError

Floats = NDArray[np.floating]


def probabilities(logits: Floats, temperature: float = 1.0) -> NDArray[np.float64]:
    """softmax(logits / temperature) over the last axis; 0 puts everything on the largest.

    Args:
        logits: (…, d_vocab).
        temperature: From 0 up. Below 1 sharpens, above 1 flattens.

    Raises:
        PromptError: the temperature is negative or not finite.

    Example:
        >>> probabilities(np.array([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    check_temperature(temperature)
    if temperature == 0:
        chosen = np.zeros(logits.shape, np.float64)
        np.put_along_axis(chosen, logits.argmax(-1)[..., None], 1.0, axis=-1)
        return chosen
    shifted = (logits - logits.max(-1, keepdims=True)).astype(np.float64)
    with np.errstate(
        over="ignore"
    ):  # at a tiny temperature −∞, whose exponential is 0 as it should
        powers = np.exp(shifted / temperature)
    result: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return result


def ranking(logits: Floats) -> NDArray[np.intp]:
    """Token IDs from the largest logit down; of equal ones the lower ID first. (d_vocab,).

    Sorts whole numbers, which is many times quicker than a stable sort of floats: the bits of a
    float32 in the high half, in an order that agrees with the floats', and the ID in the low one.
    """
    if logits.dtype != np.float32:
        return np.argsort(-logits, kind="stable")
    bits = (0 - logits).view(np.int32)  # 0 − x: no −0, whose bits differ from those of 0
    ascending = np.where(bits < 0, bits ^ np.int32(2**31 - 1), bits).astype(np.int64)
    keys = ascending << 32 | np.arange(len(logits))
    keys.sort()
    return keys & (2**32 - 1)


def kept(
    shares: Floats, order: NDArray[np.intp], top_k: int | None = None, top_p: float | None = None
) -> NDArray[np.bool_]:
    """Which tokens stay in the draw.

    Top-k keeps the k most probable (Fan et al., 2018, section 5.4). Of what that leaves, shared out
    anew, top-p keeps the fewest that reach the mass p (nucleus sampling: Holtzman et al., 2020,
    section 3.1); one always stays.

    Args:
        shares: (d_vocab,) probabilities.
        order: Token IDs from the most probable down, as `ranking` gives them.
        top_k: From 1 up; None keeps all.
        top_p: Above 0, at most 1; None keeps all.

    Returns:
        (d_vocab,) True for what stays.

    Raises:
        PromptError: top_k or top_p is out of range.
    """
    check_cut(top_k, top_p)
    n_kept = len(order) if top_k is None else min(top_k, len(order))
    if top_p is not None and top_p < 1:
        mass = np.cumsum(shares[order[:n_kept]])
        n_kept = int(np.searchsorted(mass, top_p * mass[-1])) + 1
    mask = np.zeros(len(order), bool)
    mask[order[:n_kept]] = True
    return mask


def draw(shares: Floats, order: NDArray[np.intp], mask: NDArray[np.bool_], point: float) -> int:
    """The token on which `point` falls when the kept ones are stacked to a height of 1.

    Args:
        shares: (d_vocab,) probabilities.
        order: Token IDs from the most probable down: the order of the stack.
        mask: (d_vocab,) what was kept.
        point: From 0 to below 1.
    """
    stack = order[mask[order]]
    heights = np.cumsum(shares[stack])
    index = int(np.searchsorted(heights, point * heights[-1], side="right"))
    return int(stack[min(index, len(stack) - 1)])


def random_point(seed: int, position: int) -> float:
    """The point in [0, 1) for the draw at a position: the same for the same seed, wherever."""
    return float(np.random.default_rng((seed, position)).random())


def check_temperature(temperature: float) -> None:
    """Raises PromptError where `temperature` is not a finite number from 0 up."""
    number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not number or not math.isfinite(temperature) or temperature < 0:
        raise PromptError(
            f"temperature is {temperature!r}; give a number from 0 (always the most probable) up."
        )


def check_cut(top_k: int | None, top_p: float | None) -> None:
    """Raises PromptError where top_k or top_p is out of range."""
    if top_k is not None and (isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1):
        raise PromptError(f"top_k is {top_k!r}; give a whole number from 1 up, or None for all.")
    number = isinstance(top_p, int | float) and not isinstance(top_p, bool)
    if top_p is not None and (not number or not 0 < top_p <= 1):
        raise PromptError(f"top_p is {top_p!r}; give a number above 0 and at most 1, or None.")
