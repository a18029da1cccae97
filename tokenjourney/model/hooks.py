"""Hook points: how a forward pass is watched and edited.

The network calls a `Tap` with the name and value of each activation. A tap is an argument of the
call and not state of the modules: nothing is ever registered, so nothing has to be removed after
an exception, and any number of threads can share one network. Names are TransformerLens's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from torch import Tensor

from tokenjourney.errors import HookError
from tokenjourney.model.config import GPT2Config

Hook = Callable[[Tensor], Tensor | None]
"""Sees an activation, with its batch dimension; a returned tensor takes its place."""


class Tap:
    """The hooks of one forward pass, seen from one place in the network.

    Args:
        hooks: For each full hook name, the hooks called there in order.
        prefix: Where in the network this tap stands, for example "blocks.3.attn.".
    """

    __slots__ = ("_hooks", "_prefix")

    def __init__(self, hooks: Mapping[str, Sequence[Hook]] | None = None, prefix: str = "") -> None:
        """Keeps the hooks; calls none."""
        self._hooks = hooks or {}
        self._prefix = prefix

    def at(self, part: str) -> Tap:
        """The same hooks, seen from `part` of the network."""
        return Tap(self._hooks, f"{self._prefix}{part}.") if self._hooks else self

    def also(self, other: Tap) -> Tap:
        """Both taps' hooks, both seen from the root; at the same activation these come first."""
        if not other._hooks:
            return self
        names = [*self._hooks, *(name for name in other._hooks if name not in self._hooks)]
        both = {n: [*self._hooks.get(n, ()), *other._hooks.get(n, ())] for n in names}
        return Tap(both)

    def touches(self, *names: str) -> bool:
        """Whether a hook watches or edits one of these activations."""
        return bool(self._hooks) and any(self._prefix + name in self._hooks for name in names)

    def __call__(self, name: str, value: Tensor) -> Tensor:
        """Passes `value` through the hooks of `name`; returns what goes on from here."""
        if not self._hooks:
            return value
        for hook in self._hooks.get(self._prefix + name, ()):
            edited = hook(value)
            if edited is not None:
                value = edited
        return value


NO_TAP = Tap()
"""Nobody watches."""


@lru_cache(maxsize=256)
def block_hook_names(config: GPT2Config, block: int) -> tuple[str, ...]:
    """The hook names of one block, in the order in which the forward pass reaches them."""
    return tuple(f"blocks.{block}.{name}" for name in config.block_shapes(block, 1))


@lru_cache(maxsize=256)
def hook_names(config: GPT2Config) -> tuple[str, ...]:
    """Every hook name of a model of these sizes, in forward order.

    Example:
        >>> sizes = GPT2Config(n_layers=1, n_heads=1, d_model=4, d_vocab=8, n_ctx=8)
        >>> hook_names(sizes)[:3]
        ('hook_embed', 'hook_pos_embed', 'blocks.0.hook_resid_pre')
    """
    blocks = (name for block in range(config.n_layers) for name in block_hook_names(config, block))
    embedding = ("hook_embed", "hook_pos_embed")[: 2 if config.learned_positions else 1]
    final = ("ln_final.hook_scale", "ln_final.hook_normalized")
    return (*embedding, *blocks, *final)


def block_of(name: str) -> int | None:
    """The block that a hook name belongs to; None for those before and after the stack."""
    return int(name.split(".")[1]) if name.startswith("blocks.") else None


def resolve_hook(config: GPT2Config, name: str, block: int | None = None) -> str:
    """The full hook name for a full or a short one.

    Args:
        config: Sizes of the model.
        name: A full name ("blocks.0.attn.hook_pattern"), or with `block` its last part, with or
            without "hook_" ("pattern", "resid_pre", "ln1.scale").
        block: The block that a short name is meant in.

    Raises:
        HookError: there is no such hook, or no such block.
    """
    if block is None:
        if name in hook_names(config):
            return name
        raise HookError(
            f"There is no hook {name!r} in a model of {config.n_layers} blocks. Names look like "
            "'blocks.0.attn.hook_pattern' or 'hook_embed'; journey.names lists them all."
        )
    check_index("block", block, config.n_layers)
    if (full := _by_short_name(config, block).get(name)) is not None:
        return full
    known = ", ".join(hook.replace("hook_", "") for hook in config.block_shapes(block, 1))
    raise HookError(f"A block has no hook {name!r}. It has: {known}.")


@lru_cache(maxsize=256)
def _by_short_name(config: GPT2Config, block: int) -> dict[str, str]:
    """The full hook names of a block, by each way of saying them shortly; the first one counts."""
    found: dict[str, str] = {}
    for full in block_hook_names(config, block):
        short = full.split(".", 2)[2]
        last = short.rpartition(".")[2].removeprefix("hook_")
        for said in (short, short.replace("hook_", ""), last):
            found.setdefault(said, full)
    return found


def check_index(what: str, value: object, size: int) -> int:
    """Refuses anything but a whole number from 0 to below `size`.

    Raises:
        HookError: naming the range that is there.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
        raise HookError(f"There is no {what} {value!r}: this model has {what}s 0 to {size - 1}.")
    return value
