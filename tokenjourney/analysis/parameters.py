"""Where a model's numbers are: counted from its tensors, and by formula from its sizes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.beyond import DEEPSEEK_V3, query_numbers
from tokenjourney.beyond.config import BeyondConfig
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


def beyond_parameters(config: BeyondConfig, *, active: bool = False) -> dict[str, int]:
    """The same for a model with latent attention and a mixture of experts, as DeepSeek-V3 is.

    Attention per block (report, 2024, equations (1) to (11)): queries down to their latent and up
    to all heads; keys and values down to d_latent, with the rotated key beside it, and up to all
    heads; out; a gain for each latent. An expert is three matrices (section 2.1.2). The router's
    biases are set by balancing and are not counted, nor is multi-token prediction.

    Args:
        config: Its sizes.
        active: Count what one token goes through: its top_k routed experts, and one row of an
            embedding that is not the unembedding as well.

    Example:
        >>> [round(sum(beyond_parameters(DEEPSEEK_V3, active=a).values()) / 1e9) for a in (0, 1)]
        [671, 37]
    """
    d, heads = config.d_model, config.n_heads
    query, _ = query_numbers(config)
    attention = (
        query
        + config.d_query_latent
        + d * (config.d_latent + config.d_rope)
        + config.d_latent * (heads * (config.d_nope + config.d_value) + 1)
        + heads * config.d_value * d
    )
    gain = d if config.norm == "rms" else 2 * d
    routed = config.top_k if active else config.n_experts
    mixture = config.n_experts * d + (routed + config.n_shared) * 3 * d * config.d_expert
    dense = 3 * d * config.d_mlp
    counts = {
        "embedding": d if active and not config.tied else config.d_vocab * d,
        "attention": config.n_layers * attention,
        "feed_forward": config.n_dense * dense + (config.n_layers - config.n_dense) * mixture,
        "norms": (2 * config.n_layers + 1) * gain,
    }
    return counts if config.tied else counts | {"unembedding": config.d_vocab * d}


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
    active = sum(beyond_parameters(DEEPSEEK_V3, active=True).values())
    return (*gpts, Relative("DeepSeek-V3", beyond_parameters(DEEPSEEK_V3), active))


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
