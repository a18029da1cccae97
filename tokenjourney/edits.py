"""Changes to a run: one activation, replaced by name while the prompt goes through.

An edit is a value. `trace` applies it in the first pass, and a Journey applies it again whenever it
derives an activation, so that everything it shows belongs to the edited run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from tokenjourney.errors import HookError
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.hooks import Hook, block_of, check_index, resolve_hook

SQUARE = ("hook_attn_scores", "hook_pattern")
"""Activations with a row per query in each head; all others have one per position first."""


@dataclass(frozen=True, eq=False)
class Edit:
    """One change. Made by `ablate_head`, `ablate_mlp`, `scale` and `replace`.

    Attributes:
        name: The hook whose activation is changed.
        kind: What is done to it.
        head: The head that is switched off, where one is.
        factor: What the activation is multiplied with, where it is.
        array: What stands in its place, where something does; without a batch dimension.
    """

    name: str
    kind: Literal["ablate_head", "ablate_mlp", "scale", "replace"]
    head: int | None = None
    factor: float | None = None
    array: NDArray[np.float32] | None = None

    @property
    def per_position(self) -> bool:
        """Whether the edit means something at a position that did not exist when it was made."""
        return self.kind != "replace"

    def check(self, config: GPT2Config, n_tokens: int) -> None:
        """Refuses an edit that this model or prompt has no place for.

        Raises:
            HookError: unknown hook, block or head, or an array of the wrong shape.
        """
        resolve_hook(config, self.name)
        if self.head is not None:
            check_index("head", self.head, config.n_heads)
        if self.array is not None:
            expected = hook_shape(config, self.name, n_tokens)
            if self.array.shape != expected:
                raise HookError(
                    f"The array for {self.name} has the shape {self.array.shape}, but this prompt "
                    f"of {n_tokens} tokens needs {expected}."
                )

    def first(self, n_tokens: int) -> Edit:
        """The same edit for the first `n_tokens` tokens of its prompt."""
        if self.array is None:
            return self
        square = self.name.endswith(SQUARE)
        cut = self.array[:, :n_tokens, :n_tokens] if square else self.array[:n_tokens]
        return Edit(self.name, self.kind, self.head, self.factor, cut)

    def rest(self, start: int) -> Edit:
        """The same edit for the tokens from `start` on, while those before are only looked at."""
        if self.array is None:
            return self
        square = self.name.endswith(SQUARE)
        cut = self.array[:, start:] if square else self.array[start:]
        return Edit(self.name, self.kind, self.head, self.factor, cut)

    def hook(self) -> Hook:
        """The hook that carries the edit out on a tensor with a batch dimension."""
        if self.kind == "replace":
            replacement = torch.from_numpy(np.array(self.array, np.float32))

            def put(value: Tensor) -> Tensor:
                return replacement.expand_as(value)

            return put
        if self.kind == "ablate_head":

            def switch_off(z: Tensor) -> Tensor:
                z = z.clone()
                z[..., self.head, :] = 0.0
                return z

            return switch_off
        factor = self.factor or 0.0  # ablate_mlp has none: nothing is left
        # masked scores are −∞ and stay so: −∞ · 0 would be no number
        return lambda value: torch.where(value.isinf(), value, value * factor)


def ablate_head(block: int, head: int) -> Edit:
    """Switches one attention head off: its z becomes 0. W_O's bias, which no head owns, stays."""
    _whole("block", block)
    _whole("head", head)
    return Edit(f"blocks.{block}.attn.hook_z", "ablate_head", head=head)


def ablate_mlp(block: int) -> Edit:
    """Switches one feed-forward part off: what it would add becomes 0, its bias included."""
    _whole("block", block)
    return Edit(f"blocks.{block}.hook_mlp_out", "ablate_mlp")


def scale(name: str, factor: float) -> Edit:
    """Multiplies the activation `name` with `factor`, at every position.

    Raises:
        HookError: the factor is not a finite number.
    """
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not math.isfinite(factor):
        raise HookError(f"The factor for {name} is {factor!r}; give a finite number.")
    return Edit(name, "scale", factor=float(factor))


def replace(name: str, array: ArrayLike) -> Edit:
    """Puts `array` in the place of the activation `name`.

    Args:
        name: A hook name.
        array: The whole activation, without a batch dimension.

    Raises:
        HookError: the array does not hold numbers, or holds some that are not finite (scores may
            hold −∞ for what is masked).
    """
    try:
        values = np.array(array, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise HookError(f"The array for {name} does not hold numbers: {error}.") from error
    masked = np.isneginf(values) if name.endswith("hook_attn_scores") else False
    if not np.all(np.isfinite(values) | masked):
        raise HookError(f"The array for {name} holds numbers that are not finite.")
    values.setflags(write=False)
    return Edit(name, "replace", array=values)


def hook_shape(config: GPT2Config, name: str, n_tokens: int) -> tuple[int, ...]:
    """The shape that an activation has for a prompt of `n_tokens` tokens, without batch dimension.

    Example:
        >>> sizes = GPT2Config(n_layers=1, n_heads=2, d_model=8, d_vocab=9, n_ctx=16)
        >>> hook_shape(sizes, "blocks.0.attn.hook_pattern", 3)
        (2, 3, 3)
    """
    full = resolve_hook(config, name)
    block = block_of(full)
    if block is not None:
        return config.block_shapes(block, n_tokens)[full.split(".", 2)[2]]
    return (n_tokens, 1 if full.endswith("hook_scale") else config.d_model)


def _whole(what: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise HookError(f"There is no {what} {value!r}: {what}s are counted from 0.")
