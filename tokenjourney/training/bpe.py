"""Learning a byte-level BPE vocabulary from a text.

Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016),
section 3.2, on bytes as in Radford et al. (2019), section 2.2: start from single bytes, count
adjacent pairs, merge the most frequent one, repeat.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tokenjourney.bpe import regex_split
from tokenjourney.errors import PromptError

Pair = tuple[bytes, bytes]


@dataclass(frozen=True)
class LearnedMerge:
    """One step of the training.

    Attributes:
        rank: Number of the step, from 0; lower ranks are applied first when encoding.
        left: Bytes of the pair's first token.
        right: Bytes of its second.
        count: How often the pair stood in the text just before it was merged.
        n_tokens: Tokens in the whole text after this merge.
    """

    rank: int
    left: bytes
    right: bytes
    count: int
    n_tokens: int

    @property
    def merged(self) -> bytes:
        """The bytes of the new token."""
        return self.left + self.right


def train_bpe(text: str, n_merges: int) -> tuple[LearnedMerge, ...]:
    """Learns up to `n_merges` merges from `text`, fewer where nothing is left to merge.

    The text is first split as GPT-2 splits it, so that no merge crosses the border of a word. Of
    pairs that are equally frequent, the one whose bytes come first is taken, left before right.

    Raises:
        PromptError: `n_merges` is negative or no whole number.

    Example:
        >>> [step.merged for step in train_bpe("aaabdaaabac", 3)]
        [b'aa', b'ab', b'aaab']
    """
    if isinstance(n_merges, bool) or not isinstance(n_merges, int) or n_merges < 0:
        raise PromptError(f"n_merges is {n_merges!r}; give a whole number from 0 up.")
    return tuple(bpe_steps(Counter(regex_split(text)), n_merges))


def bpe_steps(pieces: Mapping[str, int], n_merges: int) -> Iterator[LearnedMerge]:
    """The merges one by one, from the distinct pieces of a text and how often each occurs."""
    words = [[bytes([byte]) for byte in piece.encode()] for piece in pieces]
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
    rank = 0
    while queue and rank < n_merges:
        negative, pair = heapq.heappop(queue)
        count = pair_counts[pair]
        if count != -negative:  # this entry is from before a merge next door
            continue
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
        yield LearnedMerge(rank, *pair, count, n_tokens)
        rank += 1


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
