"""What a KV cache keeps of a text, for the loaded model and for the large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.beyond import DEEPSEEK_V3, kept_numbers
from tokenjourney.analysis.counts import cache_bytes, products_for
from tokenjourney.analysis.parameters import PUBLISHED
from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.model.config import GPT2Config

if TYPE_CHECKING:
    from tokenjourney.journey import Journey

Array = NDArray[np.float32]


def kept_of_head(journey: Journey, block: int, head: int) -> tuple[Array, Array]:
    """What a block keeps of every token, that one head reads.

    Returns:
        (T, d_head) twice, keys and values; heads that share them read the same ones. Latent
        attention: (T, d_latent) and (T, d_rope), which all heads read.
    """
    config = journey.config
    if isinstance(config, BeyondConfig) and config.latent:
        return journey["latent", block], journey["k_rot", block]
    keys, values = journey["k", block], journey["v", block]
    shared = head * keys.shape[1] // config.n_heads
    return keys[:, shared], values[:, shared]


def kept_by_kind(config: GPT2Config) -> dict[str, int]:
    """Numbers kept of one token in one block, by kind of attention, at a model's sizes.

    Where the model has no latent, it is one in the proportions of DeepSeek-V2 (2024), section
    2.1.4: 4 · d_head numbers, and half of d_head for the rotated key.

    Example:
        >>> kept_by_kind(GPT2Config(n_layers=1, n_heads=6, d_model=192, d_vocab=3, n_ctx=8))
        {'mha': 384, 'gqa': 192, 'mqa': 64, 'mla': 144}
    """
    kept = kept_numbers(config)
    return kept if "mla" in kept else kept | {"mla": 4 * config.d_head + config.d_head // 2}


def family_caches(n_tokens: int, bytes_each: int) -> dict[str, int]:
    """Bytes that GPT-2, GPT-3 and DeepSeek-V3 keep of a text, the last in two ways.

    DeepSeek-V3 with multi-head attention (MHA) would keep keys and values of all its heads; with
    latent attention (MLA), as it is, a latent and a rotated key.

    Args:
        n_tokens: Length of the text; by formula it may be longer than a model's context.
        bytes_each: 4 for fp32, 2 for fp16.
    """
    gpts = {name: cache_bytes(size, n_tokens, bytes_each) for name, size in PUBLISHED.items()}
    numbers = DEEPSEEK_V3.n_layers * n_tokens * bytes_each
    return gpts | {
        "DeepSeek-V3, MHA": kept_numbers(DEEPSEEK_V3)["mha"] * numbers,
        "DeepSeek-V3, MLA": cache_bytes(DEEPSEEK_V3, n_tokens, bytes_each),
    }


def work_of_step(config: GPT2Config, n_tokens: int) -> tuple[int, int]:
    """Multiplications for the next token, with a cache and without it.

    Args:
        config: Sizes of a GPT-2.
        n_tokens: Tokens of the text whose next one is asked for; with a cache all but the last of
            them are kept.
    """
    return products_for(config, 1, n_tokens - 1), products_for(config, n_tokens)
