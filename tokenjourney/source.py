"""Where a Journey gets what it does not keep: from its model, or from the file it was saved in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from tokenjourney.derived import Array
from tokenjourney.edits import Edit
from tokenjourney.errors import HookError
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.hooks import Hook, Tap
from tokenjourney.model.model import read_only

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model


class Source:
    """Where a Journey gets what it does not keep: from its model."""

    def __init__(self, name: str, model: Model | None) -> None:
        """A Journey of this model."""
        self.name = name
        self.model = model

    def need_model(self, purpose: str) -> Model:
        """The model.

        Raises:
            HookError: the Journey was loaded without it.
        """
        if self.model is None:
            raise HookError(
                f"To {purpose}, the model {self.name!r} is needed, and this Journey was loaded "
                "without it. Load it with tokenjourney.Journey.load(path, model=...)."
            )
        return self.model

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of a token; without a tokenizer its number in angle quotes."""
        tokenizer = self.model.tokenizer if self.model else None
        return tokenizer.token_bytes(token_id) if tokenizer else f"‹{token_id}›".encode()

    def text(self, token_id: int) -> str:
        """The text of a token, invalid UTF-8 replaced."""
        return self.token_bytes(token_id).decode("utf-8", errors="replace")

    def stored(self, name: str) -> Array | None:
        """An activation that was saved."""
        return None

    def first(self, n_tokens: int) -> Source:
        """The source for the first tokens."""
        return self

    def logits(self, journey: Journey, position: int | None = None) -> Array:
        """Logits at one position (d_vocab,), or at all (T, d_vocab)."""
        network = self.need_model("compute logits").network
        return unembedded(network, journey.stream[-1], journey.edits, position)


def unembedded(
    network: GPT2, final: Tensor, edits: Sequence[Edit], position: int | None = None
) -> Array:
    """Logits from what leaves the last block: at one position (d_vocab,), or all (T, d_vocab)."""
    replaced = any(e.name.startswith("ln_final") and not e.per_position for e in edits)
    alone = position is not None and not replaced  # a replaced activation has rows for all
    rows = final[position] if alone else final
    with torch.inference_mode():
        logits = read_only(network.unembed(rows, Tap(edit_hooks(edits))))
    return logits if alone or position is None else logits[position]


def edit_hooks(edits: Sequence[Edit]) -> dict[str, list[Hook]]:
    """The hooks that carry out these edits, by name, in order."""
    hooks: dict[str, list[Hook]] = {}
    for edit in edits:
        hooks.setdefault(edit.name, []).append(edit.hook())
    return hooks
