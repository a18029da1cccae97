"""How well a model predicts a held-out text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from tokenjourney.errors import PromptError
from tokenjourney.journey import trace
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model
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
    # stories of like length side by side, so that little padding is computed
    rows = sorted((tokenizer.encode(story)[: network.config.n_ctx] for story in stories), key=len)
    n_bytes = sum(len(tokenizer.token_bytes(token)) for row in rows for token in row)
    end = end_of_text_id(tokenizer)
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


def greedy_agreement(model: Model, other: Model, stories: Sequence[str]) -> float:
    """How often two models find the same token the most probable one, walking through stories.

    Both take one token after another, as in generation.

    Returns:
        The share of all tokens, from 0 to 1.
    """
    tokenizer = need_tokenizer(model)
    end = end_of_text_id(tokenizer)
    same: list[bool] = []
    for story in stories:
        journeys = trace(model, [end]), trace(other, [end])
        for token_id in tokenizer.encode(story)[: model.config.n_ctx - 1]:
            journeys = journeys[0].extend(token_id), journeys[1].extend(token_id)
            best = [int(journey.logits_at().argmax()) for journey in journeys]
            same.append(best[0] == best[1])
    return sum(same) / len(same)


def need_tokenizer(model: Model) -> Tokenizer:
    """The model's tokenizer.

    Raises:
        PromptError: it has none.
    """
    if model.tokenizer is None:
        raise PromptError(f"{model.name} has no tokenizer: {model.tokenizer_problem}")
    return model.tokenizer
