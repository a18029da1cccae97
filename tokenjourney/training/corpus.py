"""From a text file to batches of training windows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.errors import PromptError
from tokenjourney.tokenizer import Tokenizer

END_OF_TEXT = "<|endoftext|>"
NOT_A_TARGET = -100
"""Marks positions that the loss leaves out, as torch's cross_entropy has it."""


def read_stories(paths: Sequence[Path]) -> list[str]:
    """The stories of plain text files, one between lines of `<|endoftext|>`.

    Raises:
        PromptError: a file is missing, is not UTF-8, or holds no text.
    """
    stories: list[str] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PromptError(f"Cannot read the corpus {path} as UTF-8 text: {error}") from error
        stories += [story for part in text.split(END_OF_TEXT) if (story := part.strip())]
    if not stories:
        raise PromptError(f"There is no text in {', '.join(map(str, paths))}.")
    return stories


@dataclass(frozen=True)
class Repetition:
    """Which share of the windows repeats itself, so that induction can be learned.

    Attributes:
        passages: Share of windows that are one passage of the corpus, told again and again.
        shuffled: Share of windows that repeat tokens drawn from all over the corpus; only the
            repeats count in the loss, since the first round cannot be predicted.
    """

    passages: float = 0.0
    shuffled: float = 0.0


class Windows:
    """Training windows of `n_ctx` tokens and the tokens that come next.

    Stories, each after one end-of-text token, are shuffled anew every epoch and laid end to end. A
    window starts where a story starts, and the story that its end cuts is begun again by the next
    window; a story longer than a window goes on in the next. What a step sees depends on the seed
    and its number alone, so that training can resume anywhere.
    """

    def __init__(
        self,
        stories: Sequence[str],
        tokenizer: Tokenizer,
        n_ctx: int,
        seed: int,
        repetition: Repetition | None = None,
    ) -> None:
        """Encodes every story once."""
        end = end_of_text_id(tokenizer)
        self._stories = [np.array([end, *tokenizer.encode(story)], np.int32) for story in stories]
        self._n_ctx = n_ctx
        self._seed = seed
        self._repetition = repetition or Repetition()
        self.n_tokens = sum(map(len, self._stories))

    def batches(self, batch_size: int, first_step: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Endless (inputs, targets), both (batch_size, n_ctx), beginning at step `first_step`."""
        epoch, passed = 0, 0
        while True:
            flat, starts = self._lay_out(epoch)
            n_batches = len(starts) // batch_size
            if n_batches == 0:
                starts = np.resize(starts, batch_size)
                n_batches = 1
            for index in range(max(0, first_step - passed), n_batches):
                chosen = starts[index * batch_size : (index + 1) * batch_size]
                rng = np.random.default_rng((self._seed, epoch, index))
                yield self._cut(flat, chosen, rng)
            passed += n_batches
            epoch += 1

    def _lay_out(self, epoch: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """One epoch's tokens in a row, and the shuffled starts of its windows."""
        rng = np.random.default_rng((self._seed, epoch))
        order = rng.permutation(len(self._stories))
        flat = np.concatenate([self._stories[index] for index in order])
        borders = np.cumsum([0, *(len(self._stories[index]) for index in order)])
        starts, start = [], 0
        while start < len(flat):
            starts.append(start)
            end = start + self._n_ctx
            border = int(borders[np.searchsorted(borders, end, side="right") - 1])
            start = border if border > start else end
        padded = np.resize(flat, len(flat) + self._n_ctx + 1)
        return padded, rng.permutation(np.array(starts))

    def _cut(
        self, flat: NDArray[np.int32], starts: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        length = self._n_ctx + 1
        rows = flat[starts[:, None] + np.arange(length)].astype(np.int64)
        targets = rows[:, 1:].copy()
        for row, draw in enumerate(rng.random(len(starts))):
            period = int(rng.integers(8, self._n_ctx // 2 + 1)) if self._n_ctx >= 16 else 0
            if not period or draw >= self._repetition.passages + self._repetition.shuffled:
                continue
            shuffled = draw < self._repetition.shuffled
            once = rng.choice(flat, period) if shuffled else rows[row, :period]
            rows[row] = np.resize(once, length)
            targets[row] = rows[row, 1:]
            if shuffled:
                targets[row, : period - 1] = NOT_A_TARGET
        return torch.from_numpy(rows[:, :-1].copy()), torch.from_numpy(targets)


def end_of_text_id(tokenizer: Tokenizer) -> int:
    """The ID of `<|endoftext|>`, which stands before each story."""
    (token_id,) = tokenizer.encode(END_OF_TEXT, allow_special=True)
    return token_id
