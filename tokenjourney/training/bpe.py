"""Learning a BPE vocabulary from a text.

Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016),
section 3.2, on bytes as in Radford et al. (2019), section 2.2: start from single bytes, count
adjacent pairs, merge the most frequent one, repeat. Sennrich et al. start from characters; both
are here.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, get_args

from tokenjourney.bpe import regex_split
from tokenjourney.errors import PromptError

Pair = tuple[bytes, bytes]
Unit = Literal["bytes", "characters"]
MOST_PAIRS: Final = 8
"""So many of the most frequent pairs are kept with each step."""


@dataclass(frozen=True)
class LearnedMerge:
    """One step of the training.

    Attributes:
        rank: Number of the step, from 0; lower ranks are applied first when encoding.
        left: Bytes of the pair's first token.
        right: Bytes of its second.
        count: How often the pair stood in the text just before it was merged. In "aaa" the pair
            a, a stands twice, although only one of the two can be merged.
        n_tokens: Tokens in the whole text after this merge.
        pairs: The most frequent pairs just before it, each with its count; the merged one first.
        n_pairs: How many different pairs there were.
    """

    rank: int
    left: bytes
    right: bytes
    count: int
    n_tokens: int
    pairs: tuple[tuple[Pair, int], ...] = ()
    n_pairs: int = 0

    @property
    def merged(self) -> bytes:
        """The bytes of the new token."""
        return self.left + self.right


def train_bpe(text: str, n_merges: int, unit: Unit = "bytes") -> tuple[LearnedMerge, ...]:
    """Learns up to `n_merges` merges from `text`, fewer where nothing is left to merge.

    The text is first split as GPT-2 splits it, so that no merge crosses the border of a word. Of
    pairs that are equally frequent, the one whose bytes come first is taken, left before right.

    Args:
        text: What to learn from.
        n_merges: How many merges at most.
        unit: What the first tokens are: single bytes, or characters.

    Raises:
        PromptError: `n_merges` is negative or no whole number, there is no such unit, or the text
            is not valid Unicode.

    Example:
        >>> steps = train_bpe("aaabdaaabac", 3)
        >>> [step.merged for step in steps]
        [b'aa', b'ab', b'aaab']
        >>> steps[1].pairs[:2]
        (((b'a', b'b'), 2), ((b'aa', b'a'), 2))
    """
    if isinstance(n_merges, bool) or not isinstance(n_merges, int) or n_merges < 0:
        raise PromptError(f"n_merges is {n_merges!r}; give a whole number from 0 up.")
    if unit not in get_args(Unit):
        raise PromptError(f"There is no unit {unit!r}; take one of: {', '.join(get_args(Unit))}.")
    return tuple(bpe_steps(Counter(regex_split(text)), n_merges, unit))


def units_of(piece: str, unit: Unit = "bytes") -> list[bytes]:
    """The first tokens of a piece, before any merge."""
    if unit == "characters":
        return [character.encode() for character in piece]
    return [bytes([byte]) for byte in piece.encode()]


def bpe_steps(
    pieces: Mapping[str, int], n_merges: int, unit: Unit = "bytes"
) -> Iterator[LearnedMerge]:
    """The merges one by one, from the distinct pieces of a text and how often each occurs.

    Pairs are counted once; a merge then changes the counts of its neighbours alone.
    """
    words = [units_of(piece, unit) for piece in pieces]
    counts = list(pieces.values())
    pair_counts: Counter[Pair] = Counter()
    homes: defaultdict[Pair, set[int]] = defaultdict(set)  # pair → the words it was seen in
    for index, word in enumerate(words):
        for pair in pairwise(word):
            pair_counts[pair] += counts[index]
            homes[pair].add(index)
    queue = [(-count, pair) for pair, count in pair_counts.items()]
    heapq.heapify(queue)
    n_tokens = sum(count * len(word) for count, word in zip(counts, words, strict=True))
    for rank in range(n_merges):
        found, n_pairs = _most_frequent(queue, pair_counts), len(pair_counts)
        if not found:
            return
        pair, count = found[0]
        changed: set[Pair] = set()
        for index in homes.pop(pair):
            shorter = _merge(words[index], pair)
            n_tokens -= counts[index] * (len(words[index]) - len(shorter))
            for old in pairwise(words[index]):
                pair_counts[old] -= counts[index]
                changed.add(old)
            for new in pairwise(shorter):
                pair_counts[new] += counts[index]
                homes[new].add(index)
                changed.add(new)
            words[index] = shorter
        for other in changed:
            if pair_counts[other] > 0:
                heapq.heappush(queue, (-pair_counts[other], other))
            else:
                del pair_counts[other]
        yield LearnedMerge(rank, *pair, count, n_tokens, found, n_pairs)


def _most_frequent(
    queue: list[tuple[int, Pair]], pair_counts: Counter[Pair]
) -> tuple[tuple[Pair, int], ...]:
    """The most frequent pairs, the first in order of bytes among equals; they stay in the queue.

    Entries from before a merge next door, whose count is no longer true, leave it on the way.
    """
    found: dict[Pair, int] = {}
    while queue and len(found) < MOST_PAIRS:
        negative, pair = heapq.heappop(queue)
        if pair_counts[pair] == -negative:
            found[pair] = -negative
    for pair, count in found.items():
        heapq.heappush(queue, (-count, pair))
    return tuple(found.items())


def _merge(word: list[bytes], pair: Pair) -> list[bytes]:
    """The word with every occurrence of the pair, from the left, as one token."""
    merged: list[bytes] = []
    index = 0
    while index < len(word):
        if (word[index], word[index + 1] if index + 1 < len(word) else b"") == pair:
            merged.append(word[index] + word[index + 1])
            index += 2
        else:
            merged.append(word[index])
            index += 1
    return merged
