"""What the pages beyond GPT-2 show of attention: what is kept, absorbed weights, small models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from tokenjourney.beyond.attention import LatentAttention, mixed_heads
from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.errors import CheckpointError, PromptError
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.hooks import NO_TAP
from tokenjourney.model.model import Model

if TYPE_CHECKING:
    from tokenjourney.journey import Journey

Array = NDArray[np.float32]

DEEPSEEK_V3 = BeyondConfig(
    n_layers=61,
    n_heads=128,
    d_model=7168,
    d_vocab=129_280,
    n_ctx=131_072,
    d_mlp=18_432,
    tied=False,
    attention="mla",
    d_latent=512,
    d_query_latent=1536,
    d_nope=128,
    d_rope=64,
    d_value=128,
    feed_forward="moe",
    n_experts=256,
    top_k=8,
    n_shared=1,
    d_expert=2048,
    n_groups=8,
    top_groups=4,
    gate_scale=2.5,
    n_dense=3,
    norm="rms",
)
"""The sizes of DeepSeek-V3 (2024), section 4.2."""


def kept_numbers(config: GPT2Config) -> dict[str, int]:
    """Numbers that a block keeps of one token, by kind of attention, at a model's sizes.

    Keys and values of every head, of groups of heads (8, or half of the heads where there are few),
    of one head; and the latent with its rotated key where the model has one. The keys and values
    that latent attention rebuilds are counted without the rotated part, as in DeepSeek-V2 (2024),
    table 1.

    Example:
        >>> kept_numbers(DEEPSEEK_V3)["mha"], kept_numbers(DEEPSEEK_V3)["mla"]
        (32768, 576)
    """
    is_latent = isinstance(config, BeyondConfig) and config.latent
    d_head = config.d_nope if is_latent and isinstance(config, BeyondConfig) else config.d_head
    groups = 8 if config.n_heads > 16 else max(1, config.n_heads // 2)
    kept = {"mha": 2 * config.n_heads * d_head, "gqa": 2 * groups * d_head, "mqa": 2 * d_head}
    if is_latent:
        kept["mla"] = sum(heads * each for heads, each in config.kept_shapes)
    return kept


def query_numbers(config: BeyondConfig) -> tuple[int, int]:
    """Trained numbers between a block's input and its queries: compressed, and were it not so.

    d_model · d_c′ down and d_c′ · n_heads · (d_nope + d_rope) up, against one matrix of
    d_model · n_heads · (d_nope + d_rope) (DeepSeek-V3, 2024, equations (6) to (9)).

    Example:
        >>> query_numbers(DEEPSEEK_V3)
        (48758784, 176160768)
    """
    made = config.n_heads * config.d_head
    whole = config.d_model * made
    if not config.d_query_latent:
        return whole, whole
    return config.d_query_latent * (config.d_model + made), whole


def absorbed_scores(q: Array, latent: Array, k_rot: Array, w_up_k: Array) -> Array:
    """(T,): the scores of one head's query against all tokens, without a single key.

    The query is taken down to the latent, q W_UKᵀ, and multiplied with what is kept (DeepSeek-V2,
    2024, section 2.1.2). The model's own scores are computed with keys: the two must be equal.

    Args:
        q: (d_nope + d_rope,), the query.
        latent: (T, d_latent).
        k_rot: (T, d_rope).
        w_up_k: (d_latent, d_nope), this head's part of W_UK.
    """
    d_nope = w_up_k.shape[1]
    asked = w_up_k @ q[:d_nope]
    scores = (latent @ asked + k_rot @ q[d_nope:]) / np.float32(np.sqrt(len(q)))
    return np.asarray(scores, np.float32)


def absorbed_output(model: Model, journey: Journey, block: int) -> tuple[Array, Array]:
    """What a block's attention writes into the stream, with keys and values and without them.

    Returns:
        (T, d_model) twice: as the model computed it, every key and value rebuilt; and from the
        latents alone, W_UK and W_UV absorbed into query and output (DeepSeek-V2, 2024, section
        2.1.2), by the code that generation runs.

    Raises:
        PromptError: this block's attention has no latent.
    """
    attention = model.network.blocks[block].attn
    if not isinstance(attention, LatentAttention):
        raise PromptError(f"Block {block} of {model.name} has no latent attention.")
    q, latent, k_rot = (
        torch.tensor(journey[name, block])[None] for name in ("q", "latent", "k_rot")
    )
    with torch.inference_mode():
        z = attention.absorbed(q, latent, k_rot)
        without = mixed_heads(z, attention.out.weight, None, NO_TAP)[0].numpy()
    return journey["attn_out", block], without


def stored_result(folder: Path) -> tuple[float, int]:
    """Bits per byte on the held-out text, and after how many steps, from training.jsonl.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        lines = (folder / "training.jsonl").read_text(encoding="utf-8").splitlines()
        found = [(float(log["bits_per_byte"]), int(log["step"])) for log in map(json.loads, lines)]
        return min(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder} does not say how it was trained ({error}).") from error


def by_head(values: Array) -> Array:
    """(T, n_heads, d) → (T, n_heads · d): the heads of each token side by side."""
    return values.reshape(len(values), -1)


def largest_difference(left: Array, right: Array) -> float:
    """The largest absolute difference of two arrays."""
    return float(np.abs(left - right).max())


def largest(values: Array) -> float:
    """The largest absolute value."""
    return float(np.abs(values).max())
