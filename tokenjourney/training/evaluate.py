"""How well a model predicts a held-out text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from tokenjourney.model.gpt2 import GPT2
from tokenjourney.tokenizer import Tokenizer
from tokenjourney.training.corpus import NOT_A_TARGET, end_of_text_id


def bits_per_byte(
    network: GPT2, tokenizer: Tokenizer, stories: Sequence[str], batch_size: int = 16
) -> float:
    """The bits that the model needs for one UTF-8 byte of the stories; lower is better.

    Each story stands alone after one end-of-text token, and its first n_ctx tokens count: the sum
    of −log₂ p(token | what came before) over the bytes of those tokens. Unlike a loss per token, it
    compares models with different vocabularies.
    """
    n_ctx = network.config.n_ctx
    end = end_of_text_id(tokenizer)
    # stories of like length side by side, so that little padding is computed
    rows = sorted((tokenizer.encode(story)[:n_ctx] for story in stories), key=len)
    n_bytes = sum(len(tokenizer.token_bytes(token)) for row in rows for token in row)
    was_training = network.training
    network.eval()
    nats = 0.0
    with torch.no_grad():
        for first in range(0, len(rows), batch_size):
            batch = rows[first : first + batch_size]
            longest = len(batch[-1])
            inputs = torch.tensor(
                [[end, *row[:-1], *[end] * (longest - len(row))] for row in batch]
            )
            targets = torch.tensor(
                [[*row, *[NOT_A_TARGET] * (longest - len(row))] for row in batch]
            )
            logits = network(inputs).flatten(0, 1)
            nats += F.cross_entropy(logits, targets.flatten(), reduction="sum").item()
    network.train(was_training)
    return nats / math.log(2) / n_bytes
