"""Where a model's numbers are: counted from its tensors, and by formula from its sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tokenjourney.beyond.network import active_parameters
from tokenjourney.model import Model
from tokenjourney.model.config import GPT2Config

PARTS: Final = ("embedding", "positions", "attention", "feed_forward", "norms", "unembedding")
BYTES_EACH: Final = {"fp32": 4, "fp16": 2, "int8": 1}
_BLOCK: Final = re.compile(r"blocks\.([0-9]+)\.")


@dataclass(frozen=True)
class TensorInfo:
    """One trained tensor of a model.

    Attributes:
        name: Its name in the network.
        shape: Its shape.
        part: Which of `PARTS` it belongs to.
        block: The block that it is in, from 0; None outside of them.
    """

    name: str
    shape: tuple[int, ...]
    part: str
    block: int | None

    @property
    def n(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


def tensors_of(model: Model) -> tuple[TensorInfo, ...]:
    """Every trained tensor, in the order of the forward pass; a tied unembedding is none."""
    return tuple(
        TensorInfo(name, tuple(parameter.shape), _part(name), _block(name))
        for name, parameter in model.network.named_parameters()
    )


def active_of(model: Model) -> int:
    """How many of a model's parameters one token goes through; all but the experts left out."""
    return active_parameters(model.network)


def _block(name: str) -> int | None:
    found = _BLOCK.match(name)
    return int(found[1]) if found else None


def _part(name: str) -> str:
    if ".attn." in name:
        return "attention"
    if ".mlp." in name:
        return "feed_forward"
    first = name.partition(".")[0]
    if first.startswith("W_U"):
        return "unembedding"
    return {"W_E": "embedding", "W_pos": "positions"}.get(first, "norms")


def by_part(tensors: Iterable[TensorInfo]) -> dict[str, int]:
    """How many numbers each part has; parts without any are left out."""
    counts = dict.fromkeys(PARTS, 0)
    for tensor in tensors:
        counts[tensor.part] += tensor.n
    return {part: n for part, n in counts.items() if n}


def gpt2_parameters(config: GPT2Config) -> dict[str, int]:
    """The same by formula, for any GPT-2: weights and biases as in Radford et al. (2019).

    Example:
        >>> small = GPT2Config(n_layers=12, n_heads=12, d_model=768, d_vocab=50257, n_ctx=1024)
        >>> sum(gpt2_parameters(small).values())
        124439808
    """
    d, m, n_layers = config.d_model, config.d_mlp, config.n_layers
    counts = {
        "embedding": config.d_vocab * d,
        "positions": config.n_ctx * d,
        "attention": n_layers * (4 * d * d + 4 * d),
        "feed_forward": n_layers * (2 * d * m + m + d),
        "norms": (2 * n_layers + 1) * 2 * d,
    }
    return counts if config.tied else counts | {"unembedding": config.d_vocab * d}


@dataclass(frozen=True)
class LatentExpertSizes:
    """Sizes of a model with latent attention and a mixture of experts: those of DeepSeek-V3.

    DeepSeek-AI, "DeepSeek-V3 Technical Report" (2024), section 4.2.

    Attributes:
        n_layers: Blocks.
        n_dense: The first of them, which have no experts.
        d_model: Width of the residual stream.
        n_heads: Heads.
        d_head: Length of a head's query and key without position, and of its value.
        d_rope: Length of the part that carries the position; the key's is shared by all heads.
        d_query: Latent of the queries.
        d_latent: Latent of keys and values, which is what is cached.
        d_dense: Width of the feed-forward part of the first blocks.
        d_expert: Width of one expert.
        n_experts: Routed experts.
        n_shared: Experts that every token goes through.
        n_active: Routed experts that a token goes through.
        d_vocab: Tokens; embedding and unembedding are two matrices.
    """

    n_layers: int = 61
    n_dense: int = 3
    d_model: int = 7168
    n_heads: int = 128
    d_head: int = 128
    d_rope: int = 64
    d_query: int = 1536
    d_latent: int = 512
    d_dense: int = 18432
    d_expert: int = 2048
    n_experts: int = 256
    n_shared: int = 1
    n_active: int = 8
    d_vocab: int = 129280


def latent_expert_parameters(sizes: LatentExpertSizes, *, active: bool = False) -> dict[str, int]:
    """Parameters of such a model, by formula, with neither biases nor multi-token prediction.

    Attention per block (report, section 2.1.1): queries down to d_query and up to all heads; keys
    and values down to d_latent, with the rotary key beside it, and up to all heads; out. An expert
    is three matrices (section 2.1.2: gate, up, down). Norms have gains only.

    Args:
        sizes: Its sizes.
        active: Count what one token goes through: its n_active experts, and of the embedding one
            row.
    """
    d, heads = sizes.d_model, sizes.n_heads
    attention = (
        d * sizes.d_query
        + sizes.d_query * heads * (sizes.d_head + sizes.d_rope)
        + d * (sizes.d_latent + sizes.d_rope)
        + sizes.d_latent * heads * 2 * sizes.d_head
        + heads * sizes.d_head * d
    )
    routed = sizes.n_active if active else sizes.n_experts
    sparse = 3 * d * sizes.d_expert * (routed + sizes.n_shared) + d * sizes.n_experts
    dense = 3 * d * sizes.d_dense
    return {
        "embedding": d if active else sizes.d_vocab * d,
        "attention": sizes.n_layers * attention,
        "feed_forward": sizes.n_dense * dense + (sizes.n_layers - sizes.n_dense) * sparse,
        "norms": sizes.n_layers * (2 * d + sizes.d_query + sizes.d_latent) + d,
        "unembedding": sizes.d_vocab * d,
    }


@dataclass(frozen=True)
class Relative:
    """A model of the family: its parameters by part, and those that one token goes through."""

    name: str
    parts: Mapping[str, int]
    active: int

    @property
    def total(self) -> int:
        """All its parameters."""
        return sum(self.parts.values())


PUBLISHED: Final = {
    "GPT-2 small": GPT2Config(12, 12, 768, 50257, 1024),
    "GPT-2 medium": GPT2Config(24, 16, 1024, 50257, 1024),
    "GPT-2 large": GPT2Config(36, 20, 1280, 50257, 1024),
    "GPT-2 XL": GPT2Config(48, 25, 1600, 50257, 1024),
    "GPT-3": GPT2Config(96, 96, 12288, 50257, 2048),
}
"""Sizes of GPT-2 (Radford et al., 2019) and of GPT-3 (Brown et al., 2020, table 2.1)."""


def family() -> tuple[Relative, ...]:
    """GPT-2 in its four sizes, GPT-3 (Brown et al., 2020, table 2.1) and DeepSeek-V3."""
    gpts = (
        Relative(name, parts := gpt2_parameters(config), sum(parts.values()))
        for name, config in PUBLISHED.items()
    )
    sizes = LatentExpertSizes()
    active = sum(latent_expert_parameters(sizes, active=True).values())
    return (*gpts, Relative("DeepSeek-V3", latent_expert_parameters(sizes), active))


def work_per_token(config: GPT2Config, position: int) -> dict[str, int]:
    """Floating-point operations for the token at a position, those before it being kept.

    Two, a multiplication and an addition, per number of the matrices that it goes through, and per
    token looked at 4 · d_model in each block: for the score, and for its value (Kaplan et al.,
    "Scaling Laws for Neural Language Models", 2020, section 2.1, which leaves out biases, norms,
    GELU and softmax).

    Args:
        config: Sizes of a GPT-2.
        position: From 0; it looks at itself and the `position` tokens before it.

    Example:
        >>> sizes = GPT2Config(n_layers=1, n_heads=1, d_model=2, d_vocab=3, n_ctx=8)
        >>> work_per_token(sizes, 0)
        {'attention': 32, 'looking': 8, 'feed_forward': 64, 'unembedding': 12}
    """
    d, n_layers = config.d_model, config.n_layers
    return {
        "attention": 2 * n_layers * 4 * d * d,
        "looking": n_layers * 4 * d * (position + 1),
        "feed_forward": 2 * n_layers * 2 * d * config.d_mlp,
        "unembedding": 2 * d * config.d_vocab,
    }


@dataclass(frozen=True, eq=False)
class Values:
    """How the numbers of a tensor are distributed.

    Attributes:
        edges: (bins + 1,) where the bins begin and end.
        counts: (bins,) how many numbers lie in each.
        mean: Their mean.
        deviation: Their standard deviation.
        low: The smallest.
        high: The largest.
    """

    edges: NDArray[np.float32]
    counts: NDArray[np.int64]
    mean: float
    deviation: float
    low: float
    high: float


def values_of(tensor: NDArray[np.float32], bins: int = 61) -> Values:
    """The distribution of a tensor's numbers in bins of equal width, from the smallest up."""
    low, high = float(tensor.min()), float(tensor.max())
    if high <= low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(tensor, bins, (low, high))
    return Values(
        edges.astype(np.float32),
        counts.astype(np.int64),
        float(tensor.mean(dtype=np.float64)),
        float(tensor.std(dtype=np.float64)),
        float(tensor.min()),
        float(tensor.max()),
    )
