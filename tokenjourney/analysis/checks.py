"""A check of ourselves: what must hold on every journey, measured on this one.

Errors are measured token by token: the largest difference, divided by the token's largest number
where that is over 1. Rounding grows with the numbers, and a first token's vector may be very long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.analysis.attribution import direct_logit_attribution, written
from tokenjourney.errors import CheckpointError, TokenJourneyError
from tokenjourney.model.hooks import Hook, Tap, block_of
from tokenjourney.source import edit_hooks

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model

Array = NDArray[np.float32]

_ADDED: Final = ("hook_resid_pre", "hook_attn_out", "hook_mlp_out")

TOLERANCES: Final = {
    "patterns": 1e-5,
    "blocks": 1e-5,
    "attribution": 1e-4,
    "capture": 1e-4,
    "embedding": 1e-6,
    "stream": 1e-4,
    "pattern": 1e-5,
    "logits": 1e-4,
}
"""How large an error may be that is only rounding, for each check."""

MOST_COMPARED: Final = 256
"""So many tokens are compared with transformers at most: the first ones, which later ones leave as
they are."""


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and how nearly it does.

    Attributes:
        name: A key of `TOLERANCES`.
        error: The largest error found; infinite where something is not a number.
        tolerance: The largest error that passes as rounding.
        block: The block that it is about, or in which the largest error was found.
    """

    name: str
    error: float
    tolerance: float
    block: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the error is within the tolerance."""
        return self.error <= self.tolerance


def difference(found: Array, expected: Array) -> float:
    """The largest difference of two arrays, row by row relative to numbers over 1.

    >>> difference(np.float32([[1000.0, 2.0]]), np.float32([[1000.1, 2.0]])) < 2e-4
    True
    >>> difference(np.float32([[0.5, np.nan]]), np.float32([[0.5, 1.0]]))
    inf
    """
    size = np.maximum(np.abs(expected).max(axis=-1, keepdims=True), 1.0)
    worst = float((np.abs(found - expected) / size).max(initial=0.0))
    return worst if np.isfinite(worst) else float("inf")


def worst(checks: Sequence[Check]) -> Check:
    """The check that is furthest beyond its tolerance, or nearest to it."""
    return max(checks, key=lambda check: check.error / check.tolerance)


def journey_checks(
    model: Model, journey: Journey, tell: Callable[[float], object] = lambda _: None
) -> tuple[Check, ...]:
    """The invariants of one journey.

    The embedding, each block and the unembedding run once more on what the first pass left behind
    before them, with a hook on every activation. So pages get their numbers, too.

    - patterns: every row of every attention pattern sums to 1.
    - blocks: resid_pre + attn_out + mlp_out, as the hooks see them, is what comes out of the block.
    - attribution: the parts of the best guess's logit sum to it (see `analysis.attribution`).
    - capture: what comes out of each part while everything is watched, logits included, is what
      the first pass, in which nothing was, left behind there.

    Args:
        model: The model that the journey went through.
        journey: The journey, edits included.
        tell: Told after each block which share of the work is done.

    Returns:
        One check for each, in this order.
    """
    watched = _Watched(model, journey)
    captured = [difference(watched.embedding(), journey.stream[0].numpy())]
    position = watched.seen.get("hook_pos_embed")  # a model that rotates positions adds none
    embedding = watched.seen["hook_embed"][-1]
    sums, added, wrote = [], [], []
    for block in range(journey.config.n_layers):
        out = watched.block(block)
        captured.append(difference(out, journey.stream[block + 1].numpy()))
        sums.append(_rows_off_one(watched.seen["attn.hook_pattern"]))
        resid_pre, attn_out, mlp_out = (watched.seen[name] for name in _ADDED)
        added.append(difference(resid_pre + attn_out + mlp_out, out))
        wrote.append((watched.seen["attn.hook_result"][-1], attn_out[-1], mlp_out[-1]))
        tell(0.9 * (block + 1) / journey.config.n_layers)
    captured.append(difference(watched.logits(), journey.logits_at()))
    writers = written(
        embedding=embedding,
        position=None if position is None else position[-1],
        blocks=wrote,
        scale=float(watched.seen["ln_final.hook_scale"][-1, 0]),
    )
    best = journey.next_tokens(k=1)[0].token_id
    found = direct_logit_attribution(model, journey, len(journey) - 1, best, wrote=writers)
    return (
        _worst_block("patterns", sums),
        _worst_block("blocks", added),
        _check("attribution", difference(_single(found.parts_sum), _single(found.total))),
        _check("capture", max(captured)),
    )


class _Watched:
    """The parts of the network, run again with a hook on every activation.

    Attributes:
        seen: What the hooks of the part that ran last saw, by name, without batch dimension.
    """

    def __init__(self, model: Model, journey: Journey) -> None:
        self._network, self._journey = model.network, journey
        self.seen: dict[str, Array] = {}
        hooks = edit_hooks(journey.edits)
        for name in journey.names:
            hooks.setdefault(name, []).append(self._watcher(name))
        self._tap = Tap(hooks)

    def _watcher(self, name: str) -> Hook:
        short = name if block_of(name) is None else name.split(".", 2)[2]

        def watch(value: Tensor) -> None:
            self.seen[short] = value[0].numpy()

        return watch

    def embedding(self) -> Array:
        """What enters the first block: (T, d_model)."""
        ids = torch.tensor([self._journey.token_ids])
        with torch.inference_mode():
            return self._network.embed(ids, 0, self._tap)[0].numpy()

    def block(self, index: int) -> Array:
        """What comes out of a block that is given what the first pass gave it: (T, d_model)."""
        self.seen.clear()
        tap = self._tap.at(f"blocks.{index}")
        with torch.inference_mode():
            out: Tensor = self._network.blocks[index](self._journey.stream[index][None], tap)
        return out[0].numpy()

    def logits(self) -> Array:
        """The scores after the last position: (d_vocab,)."""
        self.seen.clear()
        edited = any(edit.name.startswith("ln_final") for edit in self._journey.edits)
        rows = self._journey.stream[-1][0 if edited else -1 :]  # an edit may have a row for each
        with torch.inference_mode():
            return self._network.unembed(rows[None], self._tap)[0, -1].numpy()


def peer_checks(journey: Journey, folder: Path) -> tuple[Check, ...]:
    """The journey beside transformers' own GPT-2, with eager attention, on the same token IDs.

    The weights are read again, by transformers, from the checkpoint's folder. Nothing is fetched.

    Args:
        journey: A journey without edits; of a long one the first tokens are compared, at most
            `MOST_COMPARED`.
        folder: The checkpoint's folder.

    Returns:
        The embedding, the stream before each block and after the last, the pattern of each block,
        and the logits of every position, in the order of the forward pass.

    Raises:
        TokenJourneyError: transformers is not installed, or the journey has edits.
        CheckpointError: transformers cannot open the folder.
    """
    if journey.edits:
        raise TokenJourneyError("transformers runs without edits: compare an unedited journey.")
    journey = journey[: min(len(journey), MOST_COMPARED)]
    streams, patterns, logits = _peer_run(folder, journey.token_ids)
    checks = [_check("embedding", difference(journey["resid_pre", 0], streams[0]))]
    for block in range(journey.config.n_layers):
        pattern = difference(journey["pattern", block], patterns[block])
        stream = difference(journey["resid_post", block], streams[block + 1])
        checks += [_check("pattern", pattern, block), _check("stream", stream, block)]
    return (*checks, _check("logits", difference(journey.logits, logits)))


def _single(value: float) -> Array:
    return np.array([value], dtype=np.float32)


def _check(name: str, error: float, block: int | None = None) -> Check:
    return Check(name, error, TOLERANCES[name], block)


def _worst_block(name: str, errors: Sequence[float]) -> Check:
    block = int(np.argmax(errors))
    return _check(name, errors[block], block)


def _rows_off_one(pattern: Array) -> float:
    off = float(np.abs(pattern.sum(axis=-1, dtype=np.float64) - 1.0).max())
    return off if np.isfinite(off) else float("inf")


def _peer_run(folder: Path, token_ids: Sequence[int]) -> tuple[list[Array], list[Array], Array]:
    """The stream at each depth, the pattern of each block, and the logits, by transformers."""
    try:
        from transformers import GPT2LMHeadModel
        from transformers.utils import logging
    except ImportError as error:
        raise TokenJourneyError(
            "transformers is not installed, so there is nothing to compare with. It is part of "
            "requirements.txt: install that, or transformers alone, and start the server again."
        ) from error
    logging.disable_progress_bar()
    try:
        theirs = GPT2LMHeadModel.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", use_safetensors=True,
            local_files_only=True,
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"transformers cannot open {folder}: {error}") from error
    last: list[Tensor] = []

    def keep(_module: object, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        last.append(output[0] if isinstance(output, tuple) else output)

    theirs.transformer.h[-1].register_forward_hook(keep)  # hidden_states has it only normalised
    with torch.inference_mode():
        ran = theirs(
            torch.tensor([token_ids]), output_hidden_states=True, output_attentions=True,
            use_cache=False,
        )  # fmt: skip
    streams = [state[0].numpy() for state in (*ran.hidden_states[:-1], last[0])]
    return streams, [pattern[0].numpy() for pattern in ran.attentions], ran.logits[0].numpy()
