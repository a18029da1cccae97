"""A vocabulary learned from a text, step by step, and any text cut by it at any step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, takewhile

import numpy as np
from numpy.typing import NDArray

from tokenjourney.bpe import byte_alphabet, regex_split, replay
from tokenjourney.training.bpe import LearnedMerge, Unit, bpe_steps, units_of


@dataclass(frozen=True, eq=False)
class LearnedMerges:
    """What was learned from one text.

    Attributes:
        unit: What the first tokens are.
        merges: The steps, in order.
        n_characters: Length of the text.
        n_units: Tokens before the first merge.
        n_pieces: Pieces of its regex split.
        base: The first tokens: all 256 bytes, or the characters of the text.
    """

    unit: Unit
    merges: tuple[LearnedMerge, ...]
    n_characters: int
    n_units: int
    n_pieces: int
    base: frozenset[bytes]

    def n_tokens(self, step: int) -> int:
        """Tokens in the text after so many merges."""
        return self.merges[step - 1].n_tokens if step else self.n_units

    @property
    def tokens_per_character(self) -> NDArray[np.float32]:
        """(len(merges) + 1,): after no merge, after the first, and so on."""
        counts = [self.n_units, *(merge.n_tokens for merge in self.merges)]
        return np.asarray(counts, np.float32) / np.float32(max(self.n_characters, 1))

    @cached_property
    def ranks(self) -> dict[bytes, int]:
        """Bytes of each learned token → its rank."""
        return {merge.merged: merge.rank for merge in self.merges}

    @cached_property
    def ids(self) -> dict[bytes, int]:
        """Bytes of each token → its ID: first the base, in GPT-2's order of bytes; then by rank."""
        alphabet = byte_alphabet()
        base = sorted(self.base, key=lambda one: [alphabet[byte] for byte in one])
        numbers = {one: number for number, one in enumerate(base)}
        return numbers | {one: len(base) + rank for one, rank in self.ranks.items()}


def learned_merges(text: str, most: int, unit: Unit = "bytes") -> LearnedMerges:
    """Learns from a text up to `most` merges, as long as the best pair stands there twice or more.

    A pair that stands there only once is no pattern of the language.

    Raises:
        PromptError: the text is not valid Unicode.

    Example:
        >>> found = learned_merges("aaabdaaabac", 100)
        >>> [merge.merged for merge in found.merges], found.n_units, found.n_tokens(3)
        ([b'aa', b'ab', b'aaab'], 11, 5)
    """
    pieces = regex_split(text)
    counted = Counter(pieces)
    steps = takewhile(lambda step: step.count > 1, bpe_steps(counted, most, unit))
    every = {one for piece in counted for one in units_of(piece, unit)}
    base = every if unit == "characters" else {bytes([byte]) for byte in range(256)}
    n_units = sum(n * len(units_of(piece, unit)) for piece, n in counted.items())
    return LearnedMerges(unit, tuple(steps), len(text), n_units, len(pieces), frozenset(base))


@dataclass(frozen=True, eq=False)
class Cut:
    """A text in units, and when each of them grows together with the one before it.

    Attributes:
        units: The bytes of each first token.
        joined: For each, after how many merges it belongs to the same token as the one before;
            None where it never does.
    """

    units: tuple[bytes, ...]
    joined: tuple[int | None, ...]

    def parts(self, step: int) -> list[bytes]:
        """The tokens after so many merges."""
        parts: list[bytes] = []
        for one, joined in zip(self.units, self.joined, strict=True):
            if joined is not None and joined <= step:
                parts[-1] += one
            else:
                parts.append(one)
        return parts

    def n_tokens(self, last: int) -> NDArray[np.int64]:
        """(last + 1,): how many tokens there are after no merge, after the first, and so on."""
        joined = [when for when in self.joined if when is not None and when <= last]
        gone: NDArray[np.int64] = np.bincount(np.asarray(joined, np.int64), minlength=last + 1)
        left: NDArray[np.int64] = len(self.units) - np.cumsum(gone)
        return left


def cut(text: str, ranks: Mapping[bytes, int], unit: Unit = "bytes") -> Cut:
    """Any text, cut as learned.

    Args:
        text: The text.
        ranks: Bytes of each learned token → its rank.
        unit: The unit that they were learned from.

    Raises:
        PromptError: the text is not valid Unicode.

    Example:
        >>> cut("abab", {b"ab": 0, b"abab": 1}).parts(1)
        [b'ab', b'ab']
    """
    units: list[bytes] = []
    joined: list[int | None] = []
    for piece in regex_split(text):
        own = units_of(piece, unit)
        starts = [0, *accumulate(map(len, own))][:-1]
        merges = replay(b"".join(own), ranks, starts)
        when = {merge.middle: merge.rank + 1 for merge in merges}
        units += own
        joined += [when.get(start) for start in starts]
    return Cut(tuple(units), tuple(joined))


def unknown(parts: Sequence[bytes], learned: LearnedMerges) -> list[bool]:
    """Which parts are characters that the vocabulary does not have. From bytes there are none.

    >>> unknown([b"a", b"aa", b"z"], learned_merges("aaaa", 9, "characters"))
    [False, False, True]
    """
    return [part not in learned.ids for part in parts]


def overlapping(parts: Sequence[bytes], text: str, start: int, end: int) -> list[int]:
    """Which parts of a text hold any of its characters from `start` to before `end`.

    >>> overlapping([b"the", b" c", b"at"], "the cat", 4, 7)
    [1, 2]
    """
    first, last = len(text[:start].encode()), len(text[:end].encode())
    ends = [*accumulate(map(len, parts))]
    return [
        index
        for index, (part, stop) in enumerate(zip(parts, ends, strict=True))
        if stop > first and stop - len(part) < last
    ]
