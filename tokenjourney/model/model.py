"""A loaded model: the network, its sizes and its tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.errors import HookError
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.tokenizer import Tokenizer


@dataclass(frozen=True, eq=False)
class Model:
    """What `load_model` returns. Holds nothing of a run, so any number of threads can share it.

    Attributes:
        name: Its name: that of the bundled model, a Hub id, or a folder's name.
        network: The weights, and the one forward pass.
        tokenizer: Text to token IDs and back; None where the checkpoint has none that fits.
        tokenizer_problem: Why there is no tokenizer; empty where there is one.
    """

    name: str
    network: GPT2
    tokenizer: Tokenizer | None = None
    tokenizer_problem: str = ""

    @property
    def config(self) -> GPT2Config:
        """The sizes: n_layers, n_heads, d_model, d_head, d_mlp, d_vocab, n_ctx."""
        return self.network.config

    @cached_property
    def n_parameters(self) -> int:
        """Number of trained numbers; a tied unembedding counts once."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def n_bytes(self) -> int:
        """Memory that it holds: all parameters, and their packed or rounded copies.

        Large weights are packed when they are met for the second time, and once more when a single
        token comes for the second time; the copies count from then on.
        """
        return self.n_parameters * self.network.W_E.itemsize + self.network.packed_bytes

    @property
    def W_E(self) -> NDArray[np.float32]:
        """The embedding matrix (d_vocab, d_model), read-only: row i belongs to token i."""
        return read_only(self.network.W_E)

    @property
    def W_pos(self) -> NDArray[np.float32]:
        """The position matrix (n_ctx, d_model), read-only.

        Raises:
            HookError: this model knows positions by rotation and has no such matrix.
        """
        if not self.config.learned_positions:
            raise HookError(f"{self.name} rotates its keys by position and has no W_pos.")
        return read_only(self.network.W_pos)

    @property
    def W_U(self) -> NDArray[np.float32]:
        """The unembedding (d_model, d_vocab), read-only; tied models share it with W_E."""
        return read_only(self.network.W_U)

    def parameter(self, name: str) -> NDArray[np.float32]:
        """Any trained tensor by its name in the network, read-only: "blocks.0.mlp.down.weight".

        Raises:
            HookError: there is no such parameter.
        """
        try:
            found = self.network.get_parameter(name)
        except AttributeError:
            names = ", ".join(own for own, _ in self.network.named_parameters())
            raise HookError(f"There is no parameter {name!r}. There are: {names}.") from None
        return read_only(found)


def read_only(value: Tensor) -> NDArray[np.float32]:
    """A tensor's numbers as a NumPy array that cannot be written to; nothing is copied."""
    array: NDArray[np.float32] = value.detach().numpy()
    array.setflags(write=False)
    return array
