"""What a network of the same sizes does before any training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from tokenjourney.journey import trace
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model


def untrained_patterns(
    config: GPT2Config, token_ids: Sequence[int], block: int, seed: int = 0
) -> NDArray[np.float32]:
    """The attention patterns of one block of a random network: (n_heads, T, T), read-only.

    The network has the sizes of `config`, but no blocks above this one and rows of W_E and W_pos
    only for this prompt: nothing else would be looked at, and all is drawn independently.

    Args:
        config: The sizes.
        token_ids: The prompt.
        block: Which block, from 0.
        seed: Of the weights.
    """
    rows = {token_id: row for row, token_id in enumerate(dict.fromkeys(token_ids))}
    sizes = replace(config, d_vocab=len(rows), n_ctx=len(token_ids), n_layers=block + 1)
    network = GPT2(sizes).eval()
    network.initialise(torch.Generator().manual_seed(seed))
    with torch.no_grad():  # what writes into the stream is drawn smaller, the more blocks there are
        for name, weight in network.named_parameters():
            if name.endswith((".out.weight", ".down.weight")):
                weight.mul_(math.sqrt(sizes.n_layers / config.n_layers))
    journey = trace(Model("untrained", network), [rows[token_id] for token_id in token_ids])
    return journey.passing(block, "pattern")[0]


def evenness(pattern: NDArray[np.float32]) -> float:
    """How evenly a head looks around: mean entropy of its rows over that of even rows, 0 to 1.

    The first row, which has itself alone to look at, is left out; NaN where there is no other.

    Example:
        >>> evenness(np.array([[1.0, 0.0], [0.5, 0.5]], np.float32))
        1.0
    """
    rows = np.asarray(pattern, np.float64)[1:]
    if not len(rows):
        return float("nan")
    logs = np.log(np.where(rows > 0, rows, 1.0))
    even = np.log(np.arange(2, len(rows) + 2))
    return float((-(rows * logs).sum(-1) / even).mean())
