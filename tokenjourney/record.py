"""The growing memory behind a Journey: residual stream, keys and values."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from tokenjourney.model.config import GPT2Config


class Record:
    """Buffers for up to `capacity` tokens, shared by Journeys that grow out of each other.

    A longer Journey writes behind the tokens of the shorter one, which never looks there: nothing
    is copied. Where two Journeys grow out of the same one, the second gets a copy.

    Attributes:
        stream: (n_layers + 1, capacity, d_model), what enters each block, and what leaves the last.
        keys: (n_layers, n_heads, capacity, d_head); what else a block keeps instead, and of which
            shape, says `config.kept_shapes`.
        values: The same for the values.
    """

    def __init__(self, config: GPT2Config, capacity: int) -> None:
        """Allocates; nothing is filled."""
        self.config = config
        self.capacity = capacity
        self.stream = torch.empty(config.n_layers + 1, capacity, config.d_model)
        self.keys, self.values = (
            torch.empty(config.n_layers, n_heads, capacity, d_each)
            for n_heads, d_each in config.kept_shapes
        )
        self._used = 0
        self._lock = threading.Lock()

    @property
    def n_bytes(self) -> int:
        """Size of the buffers."""
        return sum(part.nbytes for part in (self.stream, self.keys, self.values))

    def claim(self, length: int, n_new: int) -> Record:
        """A record whose first `length` tokens are those here, with `n_new` free places behind.

        It is this one where those places are free and nobody took them, otherwise a copy.
        """
        with self._lock:
            if self._used == length and length + n_new <= self.capacity:
                self._used += n_new
                return self
        roomy = min(max(2 * length, length + n_new), self.config.n_ctx)
        copy = Record(self.config, max(roomy, length + n_new))
        copy.stream[:, :length] = self.stream[:, :length]
        copy.keys[:, :, :length] = self.keys[:, :, :length]
        copy.values[:, :, :length] = self.values[:, :, :length]
        copy._used = length + n_new
        return copy


class BlockStore:
    """One block's keys and values in a record, as the attention of that block sees them."""

    def __init__(self, record: Record, block: int, length: int) -> None:
        """The tokens before `length` are there already."""
        self._keys, self._values = record.keys[block], record.values[block]
        self.length = length

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores those of new tokens (1, t, n_heads, d_head); returns those of all so far."""
        end = self.length + keys.shape[1]
        self._keys[:, self.length : end] = keys[0].transpose(0, 1)
        self._values[:, self.length : end] = values[0].transpose(0, 1)
        return self._until(end)

    def _until(self, end: int) -> tuple[Tensor, Tensor]:
        """(1, end, n_heads, d_head) each: those of the tokens before `end`."""
        return self._keys[None, :, :end].transpose(1, 2), self._values[None, :, :end].transpose(
            1, 2
        )


class SeenStore(BlockStore):
    """The same for who runs a block once more over tokens that are in the record already."""

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores nothing; returns those of all tokens up to the last of the new ones."""
        return self._until(self.length + keys.shape[1])


class ForkedStore(BlockStore):
    """The same for several tokens that each stand alone behind the same others."""

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Takes those of n tokens (n, 1, n_heads, d_head); returns n times those of all so far.

        Stores nothing.
        """
        before = (part.expand(len(keys), -1, -1, -1) for part in self._until(self.length))
        k, v = (torch.cat(pair, dim=1) for pair in zip(before, (keys, values), strict=True))
        return k, v
