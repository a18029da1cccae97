"""The engines that are compared: one set of weights of GPT-2 small's size, opened by each."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

import tokenjourney as tj
from tokenjourney.model.loading import BUNDLED_MODEL, MODELS_FOLDER

Run = Callable[[Sequence[int]], Any]
"""Sends token IDs through an engine, to the logits."""


def make_weights(folder: Path) -> tuple[Path, str]:
    """A checkpoint of GPT-2 small's size with random weights and a tokenizer, for all to open.

    Returns:
        The folder, and in words which vocabulary lies in it.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    if not (folder / "model.safetensors").exists():
        torch.manual_seed(0)
        GPT2LMHeadModel(GPT2Config()).save_pretrained(folder)
    if (folder / "vocab.json").exists():
        return folder, "the vocabulary in the given folder"
    data = Path(os.environ.get("TOKENJOURNEY_DATA", ".")) / "gpt2_bpe"
    if (data / "encoder.json").exists():
        shutil.copy(data / "encoder.json", folder / "vocab.json")
        shutil.copy(data / "vocab.bpe", folder / "merges.txt")
        return folder, "GPT-2's vocabulary"
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(MODELS_FOLDER / BUNDLED_MODEL / name, folder)
    return folder, (
        "the bundled model's vocabulary of 2,048 tokens (for GPT-2's own, set TOKENJOURNEY_DATA "
        "to a folder with gpt2_bpe/encoder.json and gpt2_bpe/vocab.bpe)"
    )


def token_journey(folder: Path) -> Run:
    """`trace`: everything can be looked at afterwards."""
    model = tj.load_model(folder)
    return lambda ids: tj.trace(model, ids).logits_at()


def _transformers(folder: Path, attention: str) -> Any:
    from transformers import GPT2LMHeadModel

    return GPT2LMHeadModel.from_pretrained(folder, attn_implementation=attention).eval()


def transformers_capturing(folder: Path) -> Run:
    """`transformers`, eager, with every attention pattern and hidden state."""
    model = _transformers(folder, "eager")

    @torch.inference_mode()
    def run(ids: Sequence[int]) -> Any:
        return model(torch.tensor([ids]), output_attentions=True, output_hidden_states=True)

    return run


def transformers_plain(folder: Path) -> Run:
    """`transformers`, fused attention, nothing captured."""
    model = _transformers(folder, "sdpa")

    @torch.inference_mode()
    def run(ids: Sequence[int]) -> Any:
        return model(torch.tensor([ids]))

    return run


def transformer_lens(folder: Path) -> Run:
    """TransformerLens, `run_with_cache`.

    Raises:
        ImportError: it is not installed.
    """
    from transformer_lens.model_bridge import TransformerBridge

    model: Any = TransformerBridge.boot_transformers(
        str(folder), hf_model=_transformers(folder, "eager")
    )

    @torch.inference_mode()
    def run(ids: Sequence[int]) -> Any:
        return model.run_with_cache(torch.tensor([ids]))

    return run


def bare_products(folder: Path) -> Run:
    """Nothing but the matrix products and the softmax: what no engine can do without."""
    model = tj.load_model(folder)
    config, network = model.config, model.network
    shape = (config.n_heads, config.d_head)

    @torch.inference_mode()
    def run(ids: Sequence[int]) -> Any:
        x = network.W_E[torch.tensor(ids)]
        for block in network.blocks:
            qkv = x @ block.attn.qkv.weight
            q, k, v = (part.view(-1, *shape).transpose(0, 1) for part in qkv.chunk(3, -1))
            pattern = (q @ k.transpose(-1, -2) / math.sqrt(config.d_head)).softmax(-1)
            x = (pattern @ v).transpose(0, 1).reshape(len(ids), -1) @ block.attn.out.weight
            x = x @ block.mlp.up.weight @ block.mlp.down.weight
        return x @ network.W_U

    return run


CONTENDERS: dict[str, Callable[[Path], Run]] = {
    "Token Journey": token_journey,
    "transformers, capturing": transformers_capturing,
    "transformers, plain": transformers_plain,
    "TransformerLens": transformer_lens,
    "bare products": bare_products,
}
