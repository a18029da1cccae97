"""The GPT-2 family by its sizes, and how many parameters such sizes make."""

from __future__ import annotations

from typing import Final

from tokenjourney.model.config import GPT2Config


def parameters_by_formula(config: GPT2Config) -> int:
    """How many parameters a GPT-2 of these sizes has; the unembedding shares those of W_E.

    W_E and W_pos; in each block four square matrices and two of 4 · d_model with their biases, and
    two LayerNorms; the final LayerNorm. With d = d_model:
    d · (d_vocab + n_ctx) + n_layers · (4d² + 2 · d · d_mlp + 9d + d_mlp) + 2d.

    >>> parameters_by_formula(FAMILY["GPT-2 small"])
    124439808
    """
    d, wide = config.d_model, config.d_mlp
    block = 4 * d * d + 2 * d * wide + 9 * d + wide
    return d * (config.d_vocab + config.n_ctx) + config.n_layers * block + 2 * d


def _gpt2(n_layers: int, n_heads: int, d_model: int, n_ctx: int = 1024) -> GPT2Config:
    return GPT2Config(
        n_layers=n_layers, n_heads=n_heads, d_model=d_model, d_vocab=50_257, n_ctx=n_ctx
    )


FAMILY: Final = {
    "GPT-2 small": _gpt2(12, 12, 768),
    "GPT-2 medium": _gpt2(24, 16, 1024),
    "GPT-2 large": _gpt2(36, 20, 1280),
    "GPT-2 XL": _gpt2(48, 25, 1600),
    "GPT-3": _gpt2(96, 96, 12_288, 2048),
}
"""Sizes as published (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019,
table 2; Brown et al., "Language Models are Few-Shot Learners", 2020, table 2.1)."""
