"""The logit lens: what the model would say if it stopped early.

nostalgebraist, "interpreting GPT: the logit lens" (LessWrong, 2020): the residual stream after any
block goes through the final LayerNorm and the unembedding, as it does after the last.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from tokenjourney.analysis.output import token_ranks
from tokenjourney.model.sampling import probabilities

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model

Array = NDArray[np.float32]
IDs = NDArray[np.intp]
_LOGITS_AT_ONCE = 2**23
"""How many logits are held at a time: 32 MB."""


@dataclass(frozen=True, eq=False)
class Lens:
    """Best guesses by depth and position. L blocks, n positions.

    Attributes:
        positions: (n,) the positions looked at.
        best: (L + 1, n) ID of the best guess before block 0 and after each block.
        probability: (L + 1, n) its probability.
        loss: (L + 1, n) −ln of the probability of the token that really comes next, in nats; NaN
            at the last position of the prompt, which has none.
    """

    positions: IDs
    best: IDs
    probability: Array
    loss: Array

    @property
    def mean_loss(self) -> Array:
        """(L + 1,): the mean loss at each depth, over the positions that have a next token."""
        known = ~np.isnan(self.loss[0])
        none = np.full(len(self.loss), np.nan, np.float32)
        return np.asarray(self.loss[:, known].mean(axis=1), np.float32) if known.any() else none

    @property
    def cells(self) -> IDs:
        """(n · (L + 1), 2): position and best guess of each cell, position by position."""
        depths = len(self.best)
        return np.stack([np.repeat(self.positions, depths), self.best.T.ravel()], axis=1)

    def settled(self, position: int) -> int:
        """From which depth on the best guess is the final one; 0 is before block 0.

        Args:
            position: One of `positions`.
        """
        guesses = self.best[:, int(np.flatnonzero(self.positions == position)[0])]
        others = np.flatnonzero(guesses != guesses[-1])
        return int(others[-1]) + 1 if others.size else 0


@dataclass(frozen=True, eq=False)
class TokenDepths:
    """One token's standing at one position through the blocks: before block 0, then after each.

    Attributes:
        logit: (L + 1,).
        probability: (L + 1,).
        rank: (L + 1,) from 1.
    """

    logit: Array
    probability: Array
    rank: IDs


def residual_stack(journey: Journey, positions: slice = slice(None)) -> Array:
    """(L + 1, n, d_model): the residual stream before block 0 and after each block."""
    n_layers = journey.config.n_layers
    parts = [journey["resid_pre", block][positions] for block in range(n_layers)]
    return np.stack([*parts, journey["resid_post", n_layers - 1][positions]])


def residual_norms(journey: Journey) -> Array:
    """(L + 1, T): the length of the residual vector before block 0 and after each block."""
    return np.asarray(np.linalg.norm(residual_stack(journey), axis=-1), np.float32)


def unembedded(model: Model, rows: Array) -> Iterator[Array]:
    """The logits of residual vectors (n, d_model), in pieces (t, d_vocab) of bounded size.

    By the model's own final LayerNorm and unembedding.
    """
    step = max(1, _LOGITS_AT_ONCE // model.config.d_vocab)
    for start in range(0, len(rows), step):
        piece = torch.from_numpy(np.array(rows[start : start + step]))
        with torch.inference_mode():
            yield model.network.unembed(piece).numpy()


def logit_lens(model: Model, journey: Journey, positions: slice = slice(None)) -> Lens:
    """The best guess at each depth and position.

    Args:
        model: The model that the journey went through.
        journey: The journey.
        positions: Which positions; all unless given.
    """
    stack = residual_stack(journey, positions)
    depths, n, d_model = stack.shape
    chosen = np.arange(len(journey))[positions]
    ids = np.append(np.asarray(journey.token_ids, np.intp), 0)
    following = np.tile(ids[chosen + 1], depths)
    best: list[IDs] = []
    share: list[Array] = []
    losses: list[Array] = []
    for logits in unembedded(model, stack.reshape(-1, d_model)):
        first = logits.argmax(-1)
        # a share is e^(logit − total), and its loss total − logit
        total = torch.logsumexp(torch.from_numpy(logits), -1).numpy()
        best.append(first)
        share.append(np.exp(_picked(logits, first) - total))
        start = sum(map(len, losses))
        losses.append(total - _picked(logits, following[start : start + len(first)]))
    loss = np.concatenate(losses).reshape(depths, n)
    loss[:, chosen == len(journey) - 1] = np.nan
    return Lens(
        positions=chosen,
        best=np.concatenate(best).reshape(depths, n),
        probability=np.concatenate(share).reshape(depths, n),
        loss=loss,
    )


def blind_loss(d_vocab: int) -> float:
    """The loss, in nats, of whoever gives every token the same probability: ln d_vocab."""
    return math.log(d_vocab)


def _picked(shares: NDArray[np.floating], ids: IDs) -> Array:
    """(n,): of each row of shares (n, V) the one of its token."""
    return np.take_along_axis(shares, ids[:, None], 1)[:, 0].astype(np.float32)


def token_depths(model: Model, journey: Journey, position: int, token_id: int) -> TokenDepths:
    """How one token fares at one position, from the embedding to the last block.

    Args:
        model: The model that the journey went through.
        journey: The journey.
        position: From 0.
        token_id: The token to watch.
    """
    rows = residual_stack(journey, slice(position, position + 1))[:, 0]
    logit: list[Array] = []
    share: list[Array] = []
    rank: list[IDs] = []
    for logits in unembedded(model, rows):
        logit.append(logits[:, token_id])
        share.append(probabilities(logits)[:, token_id].astype(np.float32))
        rank.append(token_ranks(logits, np.full(len(logits), token_id, np.intp)))
    return TokenDepths(np.concatenate(logit), np.concatenate(share), np.concatenate(rank))
