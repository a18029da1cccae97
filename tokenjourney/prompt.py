"""What counts as a prompt: a text, or token IDs, checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.errors import PromptError
from tokenjourney.model.config import GPT2Config

if TYPE_CHECKING:
    from tokenjourney.model import Model


def prompt_ids(model: Model, prompt: str | Sequence[int] | NDArray[np.integer]) -> tuple[int, ...]:
    """The token IDs of a prompt, checked.

    Raises:
        PromptError: as `trace` says.
    """
    if isinstance(prompt, str):
        if model.tokenizer is None:
            raise PromptError(
                f"{model.name} takes token IDs only, not text: {model.tokenizer_problem}"
            )
        ids = tuple(model.tokenizer.encode(prompt))
    else:
        ids = check_ids(model.config, prompt)
    if not ids:
        raise PromptError("The prompt is empty. Give at least one token.")
    if len(ids) > model.config.n_ctx:
        raise PromptError(
            f"The prompt has {len(ids):,} tokens, and {model.name} takes {model.config.n_ctx:,} at "
            f"most. Shorten it by {len(ids) - model.config.n_ctx:,}."
        )
    return ids


def check_ids(config: GPT2Config, prompt: Sequence[int] | NDArray[np.integer]) -> tuple[int, ...]:
    """Token IDs as a tuple of int.

    Raises:
        PromptError: not a flat sequence of whole numbers, or some are not in the vocabulary.
    """
    wanted = "Give a text, or a sequence of token IDs (whole numbers)."
    if isinstance(prompt, bytes | bytearray | memoryview) or not hasattr(prompt, "__len__"):
        raise PromptError(f"A prompt cannot be of type {type(prompt).__name__}. {wanted}")
    if isinstance(prompt, np.ndarray | Tensor):
        if prompt.ndim != 1:
            raise PromptError(f"The token IDs have {prompt.ndim} dimensions, not one. {wanted}")
        prompt = prompt.tolist()
    for token_id in prompt:
        if isinstance(token_id, bool | np.bool_) or not isinstance(token_id, int | np.integer):
            raise PromptError(f"{token_id!r} is no token ID. {wanted}")
        if not 0 <= token_id < config.d_vocab:
            raise PromptError(
                f"There is no token {token_id}: this vocabulary has 0 to {config.d_vocab - 1}."
            )
    return tuple(int(token_id) for token_id in prompt)
