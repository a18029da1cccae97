"""The parts of a network: how long the gradient of each is, and a network without skips."""

from __future__ import annotations

import math

from torch import Tensor

from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.hooks import Hook, Tap


def part_names(config: GPT2Config) -> tuple[str, ...]:
    """The parts, from the input up: embedding, positions, two of each block, the last LayerNorm.

    Example:
        >>> part_names(GPT2Config(n_layers=1, n_heads=1, d_model=4, d_vocab=8, n_ctx=8))
        ('embedding', 'positions', 'B0 attention', 'B0 feed-forward', 'final LayerNorm')
    """
    blocks = (f"B{b} {part}" for b in range(config.n_layers) for part in _BLOCK_PARTS)
    return ("embedding", "positions", *blocks, "final LayerNorm")


_BLOCK_PARTS = ("attention", "feed-forward")


def part_of(parameter: str) -> str:
    """The part that a parameter belongs to, a LayerNorm to what it stands in front of.

    Example:
        >>> part_of("blocks.3.ln2.gain"), part_of("W_E")
        ('B3 feed-forward', 'embedding')
    """
    first, *rest = parameter.split(".")
    if first == "blocks":
        return f"B{rest[0]} {_BLOCK_PARTS[rest[1] in ('ln2', 'mlp')]}"
    if first == "ln_final":
        return "final LayerNorm"
    return "positions" if first == "W_pos" else "embedding"  # an untied unembedding with its twin


def gradient_norms(network: GPT2) -> tuple[float, ...]:
    """The length of each part's gradient, in the order of `part_names`; 0 where there is none.

    The length is the root of the sum of squares over all parameters of the part, so the squares of
    all parts add up to that of the whole gradient.
    """
    squares = dict.fromkeys(part_names(network.config), 0.0)
    for name, parameter in network.named_parameters():
        if parameter.grad is not None:
            squares[part_of(name)] += parameter.grad.square().sum().item()
    return tuple(map(math.sqrt, squares.values()))


def without_skips(n_layers: int) -> Tap:
    """A tap under which a GPT-2 has no skip connections: each part hands on what it wrote, alone.

    x + attn(x) becomes attn(x), and x + mlp(x) becomes mlp(x), in every block (He et al., "Deep
    Residual Learning for Image Recognition", 2016, section 3.2, compare with and without). All else
    runs as it is. The tap keeps the pass that it watches: use one in one thread at a time.
    """
    hooks: dict[str, list[Hook]] = {}
    for block in range(n_layers):
        for written, added in (("attn_out", "resid_mid"), ("mlp_out", "resid_post")):
            latest: list[Tensor] = []

            def keep(value: Tensor, latest: list[Tensor] = latest) -> None:
                latest[:] = [value]

            def alone(_: Tensor, latest: list[Tensor] = latest) -> Tensor:
                return latest.pop()

            hooks[f"blocks.{block}.hook_{written}"] = [keep]
            hooks[f"blocks.{block}.hook_{added}"] = [alone]
    return Tap(hooks)
