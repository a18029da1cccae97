"""Why a stack of blocks works so well, tried out on one prompt: context, and generalisation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from tokenjourney.analysis.attention import PredictionChange, prediction_change
from tokenjourney.analysis.neighbours import nearest_others, nearest_rows
from tokenjourney.errors import PromptError
from tokenjourney.journey import trace
from tokenjourney.model.hooks import Tap
from tokenjourney.model.sampling import probabilities
from tokenjourney.source import edit_hooks

if TYPE_CHECKING:
    from tokenjourney.edits import Edit
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model

_COMPARED = 4
"""How many of the most probable next tokens of either run are compared."""


@dataclass(frozen=True, eq=False)
class WordSwap:
    """An earlier token replaced by another, and what that does to a later prediction.

    Attributes:
        at: Its position.
        token_id: What stands there instead.
        prediction: The prediction before and after.
    """

    at: int
    token_id: int
    prediction: PredictionChange


def word_swap(
    model: Model, journey: Journey, position: int, at: int, token_id: int, k: int = _COMPARED
) -> WordSwap:
    """Puts another token in the place of an earlier one and looks what comes after `position`.

    Args:
        model: The model that the journey went through.
        journey: The journey; its edits stay.
        position: The position whose prediction is looked at.
        at: The place of the token that is replaced, up to `position`.
        token_id: What stands there instead.
        k: How many of the most probable next tokens of either run are compared.

    Raises:
        PromptError: `at` lies behind `position`.
    """
    if not 0 <= at <= position < len(journey):
        raise PromptError(f"No token at {at} comes before position {position}.")
    ids = list(journey.token_ids[: position + 1])
    ids[at] = token_id
    if at and all(edit.per_position for edit in journey.edits):
        other = journey[:at].extend(*ids[at:])  # what comes before stays as it was
    else:
        other = trace(model, ids, edits=journey.edits)
    change = prediction_change(journey.logits_at(position), other.logits_at(), k)
    return WordSwap(at, token_id, change)


def strongest_swap(
    model: Model,
    journey: Journey,
    position: int,
    tried: Iterable[int],
    lengths: ArrayLike | None = None,
) -> WordSwap | None:
    """Of some earlier tokens, each replaced by its nearest, the one that moves most; None of none.

    Args:
        model: The model that the journey went through.
        journey: The journey; its edits stay.
        position: The position whose prediction is looked at.
        tried: Places up to `position`; all go through the model together, as one batch.
        lengths: Of all rows of W_E, where they are known already.
    """
    places = list(tried)
    if not places:
        return None
    prompts = np.tile(journey.token_ids[: position + 1], (len(places), 1))
    nearest = nearest_others(model.W_E, [journey.token_ids[at] for at in places], lengths)
    prompts[np.arange(len(places)), places] = nearest
    before = journey.logits_at(position)
    swaps = [
        WordSwap(at, int(ids[at]), prediction_change(before, logits, _COMPARED))
        for at, ids, logits in zip(
            places, prompts, _after(model, prompts, journey.edits), strict=True
        )
    ]
    return max(swaps, key=lambda swap: swap.prediction.moved)


def _after(model: Model, prompts: NDArray[np.intp], edits: Sequence[Edit]) -> NDArray[np.float32]:
    """(n, d_vocab): the scores after the last token of each of the prompts (n, T)."""
    tap = Tap(edit_hooks(edits))
    with torch.inference_mode():
        *_, final = model.network.residual_stream(torch.from_numpy(prompts), tap)
        logits: NDArray[np.float32] = model.network.unembed(final[:, -1:], tap)[:, 0].numpy()
    return logits


@dataclass(frozen=True)
class Substitute:
    """A token near to another in W_E, put in its place.

    Attributes:
        token_id: Its ID.
        cosine: With the row of the token it replaces.
        beside: The probability that the model gives it to come right after that token.
        overlap: How much of the next token's distribution is the same with it in the place: the
            sum of the smaller of both probabilities, 1 minus the total variation distance.
    """

    token_id: int
    cosine: float
    beside: float
    overlap: float


def substitutes(
    model: Model, journey: Journey, position: int, k: int, lengths: ArrayLike | None = None
) -> tuple[Substitute, ...]:
    """The nearest tokens of the one at a position, and what the model expects after each.

    Args:
        model: The model that the journey went through.
        journey: The journey; its edits stay.
        position: From 0.
        k: How many.
        lengths: Of all rows of W_E, where they are known already.

    Returns:
        The nearest in W_E first. All together cost one position, not a run each.
    """
    shares = probabilities(journey.logits_at(position))
    own = journey.token_ids[position]
    near = nearest_rows(model.W_E, model.W_E[own], k, lengths=lengths, without=(own,))
    token_ids = near.rows.tolist()
    logits = journey.logits_instead(position, token_ids)
    return tuple(
        Substitute(
            token_id,
            cosine,
            beside=float(shares[token_id]),
            overlap=float(np.minimum(shares, probabilities(theirs)).sum()),
        )
        for token_id, cosine, theirs in zip(token_ids, near.cosines.tolist(), logits, strict=True)
    )
