"""Backward passes: from a prompt's losses to the rows of W_E, and from one loss through the blocks.

Nothing is trained here, and the model's own parameters are left alone: gradients are asked for at
activations, so that any number of threads can share the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.edits import Edit
from tokenjourney.errors import PromptError
from tokenjourney.model.hooks import Tap
from tokenjourney.model.model import Model, read_only
from tokenjourney.model.sampling import probabilities
from tokenjourney.source import edit_hooks

Array = NDArray[np.float32]
IDs = NDArray[np.intp]

MOST_TOKENS = 256
"""So many tokens of a prompt take part at most, the first ones: the rest of the work grows with
the vocabulary."""
_ROWS_AT_ONCE = 8192


def logit_gradient(logits: Array, target: int) -> NDArray[np.float64]:
    """∂loss/∂logits at one position: the probabilities, less 1 for the token that came. (V,).

    For the loss −ln softmax(ℓ)[target]: ∂/∂ℓ_i = p_i − 1[i = target] (Bishop, "Pattern Recognition
    and Machine Learning", 2006, equation 4.109). It sums to 0.

    Args:
        logits: (V,) scores at the position.
        target: The token that really comes next.

    Example:
        >>> logit_gradient(np.array([0.0, 0.0], np.float32), 1).tolist()
        [0.5, -0.5]
    """
    gradient = probabilities(logits)
    gradient[target] -= 1.0
    return gradient


def strongest_pulls(gradient: NDArray[np.float64], target: int, k: int = 6) -> list[int]:
    """The k tokens, other than the one that came, whose logits are pushed down most."""
    order = np.argsort(-gradient, kind="stable")
    return [int(i) for i in order[: k + 1] if i != target][:k]


@dataclass(frozen=True, eq=False)
class BackwardPass:
    """What the mean loss of a prompt asks of the model. T tokens, V is d_vocab.

    Attributes:
        token_ids: (T,) the tokens that took part.
        loss: The mean of the T − 1 losses, in nats.
        lookup: (V,) length of the gradient that reaches each row of W_E because it was looked up.
        unembedding: (V,) length of the one that reaches each row (or column of W_U) because it was
            scored against.
        total: (V,) length of the two together, where W_E and W_U are one matrix; else of `lookup`.
        tied: Whether they are.
    """

    token_ids: IDs
    loss: float
    lookup: Array
    unembedding: Array
    total: Array
    tied: bool

    @property
    def used(self) -> IDs:
        """The rows that were looked up, each once, in the order of the prompt."""
        return np.array(list(dict.fromkeys(self.token_ids.tolist())), np.intp)

    def mean_of_others(self, lengths: Array, shown: Sequence[int]) -> float:
        """The mean of (V,) lengths over all rows but those shown; 0 where there is no other."""
        others = np.delete(lengths, list(shown))
        return float(others.mean()) if others.size else 0.0


def backward_pass(
    model: Model, token_ids: Sequence[int], edits: Sequence[Edit] = ()
) -> BackwardPass:
    """Runs a prompt forward and its mean loss backward.

    Args:
        model: Its parameters are read only.
        token_ids: At least two; of more than `MOST_TOKENS` the first ones.
        edits: Changes to the run, such as `ablate_head`.

    Raises:
        PromptError: a single token has no next one to be compared with.
    """
    if len(token_ids) < 2:
        raise PromptError("A single token has no next one: there is nothing to compare with.")
    network, ids = model.network, torch.tensor([list(token_ids[:MOST_TOKENS])])
    watched: dict[str, Tensor] = {}

    def start(value: Tensor) -> Tensor:
        watched["embed"] = value.detach().requires_grad_()
        return watched["embed"]

    def keep(value: Tensor) -> None:
        watched["normalised"] = value

    hooks = edit_hooks(edits)
    hooks.setdefault("hook_embed", []).append(start)
    hooks.setdefault("ln_final.hook_normalized", []).append(keep)
    tap = Tap(hooks)
    with torch.enable_grad():
        *_, last = network.residual_stream(ids, tap)
        logits = network.unembed(last, tap)[:, :-1]
        loss = F.cross_entropy(logits.flatten(0, 1), ids[0, 1:])
        embed, d_logits = torch.autograd.grad(loss, [watched["embed"], logits])
    rows = watched["normalised"][0, :-1].detach()
    lookup = torch.zeros(model.config.d_vocab, embed.shape[-1])
    lookup.index_add_(0, ids[0], embed[0])
    unembedding, total = _row_lengths(d_logits[0], rows, lookup, model.config.tied)
    return BackwardPass(
        token_ids=np.asarray(ids[0], np.intp),
        loss=loss.item(),
        lookup=read_only(lookup.norm(dim=-1)),
        unembedding=unembedding,
        total=total,
        tied=model.config.tied,
    )


def error_path(
    model: Model, token_ids: Sequence[int], position: int, edits: Sequence[Edit] = ()
) -> Array:
    """Where the error of one prediction goes on its way back: (n_layers + 1, position + 1).

    The length of the gradient of that position's loss at the residual stream of each token before
    block 0 and after each block. After the last block it is at the position alone; attention takes
    it to earlier tokens, never to later ones.

    Args:
        model: Its parameters are read only.
        token_ids: The prompt.
        position: Whose loss; a next token must stand behind it.
        edits: Changes to the run, such as `ablate_head`.

    Raises:
        PromptError: no token comes after the position.
    """
    if not 0 <= position < len(token_ids) - 1:
        raise PromptError("No token comes after this position: there is nothing to compare with.")
    network, ids = model.network, torch.tensor([list(token_ids[: position + 1])])
    hooks = edit_hooks(edits)
    hooks.setdefault("hook_embed", []).append(lambda value: value.detach().requires_grad_())
    tap = Tap(hooks)
    with torch.enable_grad():
        stream = list(network.residual_stream(ids, tap))
        logits = network.unembed(stream[-1][:, -1:], tap)[:, 0]
        loss = F.cross_entropy(logits, torch.tensor([token_ids[position + 1]]))
        arrived = torch.autograd.grad(loss, stream)
    return read_only(torch.stack([one[0].norm(dim=-1) for one in arrived]))


def _row_lengths(
    d_logits: Tensor, normalised: Tensor, lookup: Tensor, tied: bool
) -> tuple[Array, Array]:
    """Lengths of the gradient's rows through the unembedding, and of both ways together.

    logits = normalised · W_U, so the gradient of W_U's column i is Σ_t d_logits[t, i] ·
    normalised[t]. The matrix of all of them is never whole in memory.
    """
    alone, both = [], []
    for first in range(0, len(lookup), _ROWS_AT_ONCE):
        part = slice(first, first + _ROWS_AT_ONCE)
        rows = d_logits[:, part].T @ normalised
        alone.append(rows.norm(dim=-1))
        both.append((rows + lookup[part] if tied else lookup[part]).norm(dim=-1))
    return read_only(torch.cat(alone)), read_only(torch.cat(both))
