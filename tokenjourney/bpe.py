"""Byte-level BPE from scratch: the regex split, the byte alphabet and the replay of the merges.

Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.2, after
Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016).
The IDs that a model gets come from tiktoken, which does not show its work. This module shows it;
tests hold the two together on every input.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import overload

import regex
import tiktoken

from tokenjourney.errors import PromptError

# As published with GPT-2 (encoder.py): contractions, words, numbers, other signs, white space. A
# word takes one space before it along; the last of several spaces is left for the next word.
GPT2_PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
_SPLIT = regex.compile(GPT2_PATTERN)
# One harmless member of each class of the pattern: "x" and "0" begin no contraction.
_STAND_INS = {r"\p{L}": "x", r"\p{N}": "0", r"\s": "\t"}
_OTHER = "!"


def regex_split(text: str) -> list[str]:
    """The pieces of a text. They are encoded one by one; no merge crosses from one to the next.

    Raises:
        PromptError: the text is not valid Unicode.

    Example:
        >>> regex_split("I don't see 2  cats")
        ['I', ' don', "'t", ' see', ' 2', ' ', ' cats']
    """
    as_bytes(text)
    seen = _as_tiktoken_sees(text)
    if seen is text:
        pieces: list[str] = _SPLIT.findall(text)
        return pieces
    return [text[slice(*match.span())] for match in _SPLIT.finditer(seen)]


def as_bytes(text: str) -> bytes:
    """The text in UTF-8.

    Raises:
        PromptError: it is no str, or holds half of a surrogate pair, which is no character.
    """
    if not isinstance(text, str):
        raise PromptError(
            f"A text must be a str, not {type(text).__name__}. Decode bytes first; "
            "token IDs go where a prompt is asked for, not a text."
        )
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PromptError(
            f"The text is not valid Unicode: position {error.start} holds U+"
            f"{ord(text[error.start]):04X}, half of a surrogate pair. Type that character anew, or "
            "repair the text with text.encode('utf-16', 'surrogatepass').decode('utf-16', "
            "'replace')."
        ) from None


def _as_tiktoken_sees(text: str) -> str:
    """The text, with stand-ins for characters that tiktoken and `regex` class differently.

    Which characters are letters or numbers grows with every version of Unicode, and the two
    packages rarely know the same one. tiktoken decides, because its IDs are what a model gets.
    """
    if text.isascii():
        return text
    characters = "".join(char for char in set(text) if not char.isascii())
    theirs = dict.fromkeys(characters, _OTHER)
    ours = dict.fromkeys(characters, _OTHER)
    for pattern, stand_in in _STAND_INS.items():
        matched = bytes(_class_of_tiktoken(pattern).encode_ordinary(characters)).decode("utf-8")
        theirs |= dict.fromkeys(matched, stand_in)
        ours |= dict.fromkeys(regex.findall(pattern, characters), stand_in)
    differing = {ord(char): theirs[char] for char in characters if theirs[char] != ours[char]}
    return text.translate(differing) if differing else text


@cache
def _class_of_tiktoken(pattern: str) -> tiktoken.Encoding:
    """An encoding that gives the bytes of the characters that match, and drops all others."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    return tiktoken.Encoding(pattern, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def byte_alphabet() -> tuple[str, ...]:
    r"""GPT-2's printable character for each of the 256 bytes, used in vocab.json and merges.txt.

    Printable Latin-1 stands for itself; the other bytes, in order, take the characters from
    U+0100 on, so a space is written Ġ (encoder.py of GPT-2, bytes_to_unicode).

    Example:
        >>> alphabet = byte_alphabet()
        >>> alphabet[ord("a")], alphabet[ord(" ")], alphabet[ord("\n")]
        ('a', 'Ġ', 'Ċ')
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    unused = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in printable else next(unused)) for byte in range(256))


@dataclass(frozen=True)
class MergeStep:
    """The parts of one piece after some merges.

    Attributes:
        parts: The piece's bytes, cut into the tokens of this step.
        pair: The two parts merged to get here; None at the first step.
        rank: The merge's place in the order of merges, from 0 (its line in merges.txt). None at
            the first step.
        position: Index in `parts` of what the merge made; None at the first step.
    """

    parts: tuple[bytes, ...]
    pair: tuple[bytes, bytes] | None = None
    rank: int | None = None
    position: int | None = None


@dataclass(frozen=True)
class Merge:
    """One merge of a replay: bytes `left` to `middle` and `middle` to `right` become one part.

    `middle` is `left` where a piece that is a token was taken whole, without a merge.
    """

    left: int
    middle: int
    right: int
    rank: int


class MergeSteps(Sequence[MergeStep]):
    """The steps from single bytes to tokens, each built when it is asked for.

    A word of n bytes takes up to n steps of up to n parts, so what is kept is only where the
    merges happened.
    """

    def __init__(self, data: bytes, merges: Sequence[Merge], whole: bool = False) -> None:
        self._data, self._merges, self._whole = data, merges, whole

    def __len__(self) -> int:
        """Number of merges, plus one for the single bytes."""
        return len(self._merges) + 1

    @overload
    def __getitem__(self, index: int) -> MergeStep: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[MergeStep]: ...
    def __getitem__(self, index: int | slice) -> MergeStep | Sequence[MergeStep]:
        """The step after so many merges; 0 is the single bytes, -1 the tokens."""
        if isinstance(index, slice):
            return tuple(self[step] for step in range(*index.indices(len(self))))
        count = range(len(self))[index]
        starts = self._starts(count)
        ends = [*starts[1:], len(self._data)]
        parts = tuple(self._data[a:b] for a, b in zip(starts, ends, strict=True))
        if count == 0:
            return MergeStep(parts)
        merge = self._merges[count - 1]
        left = self._data[merge.left : merge.middle]
        right = self._data[merge.middle : merge.right]
        pair = (left, right) if left else None
        return MergeStep(parts, pair, merge.rank, bisect_left(starts, merge.left))

    def _starts(self, count: int) -> list[int]:
        """Where the parts begin after `count` merges: each merge takes away one beginning."""
        done = self._merges[:count]
        if self._whole or (done and done[-1].left == done[-1].middle):
            return [0]
        gone = {merge.middle for merge in done}
        return [start for start in range(len(self._data)) if start not in gone]


def replay(
    data: bytes, ranks: Mapping[bytes, int], starts: Sequence[int] | None = None
) -> list[Merge]:
    """The merges that turn the bytes of one piece into tokens, in the order they happen.

    As long as two neighbours together are in `ranks`, the pair with the lowest rank is merged, the
    leftmost of equals. This is tiktoken's rule; it looks at the merged bytes alone. The rule in the
    paper looks at the pair: "ab" + "c" may merge only if that very pair was learned. The two agree
    where every token, encoded alone by the pair rule, comes out as itself, which holds for every
    vocabulary learned by BPE: when a merge was learned, its pair stood in the text, and equal bytes
    that no earlier merge cut across are always cut in the same way. So wherever the bytes of a
    token stand uncut, they stand as the pair that was learned. `check_reachable` in vocabulary.py
    tests this on what is loaded.

    A heap of candidates and a chain of parts keep it at O(n log n), for words of any length.

    Args:
        data: The piece in UTF-8; not empty.
        ranks: Every token but special ones → its rank; lower ones are merged first.
        starts: Where the first parts begin; at every byte unless given.
    """
    n = len(data)
    starts = range(n) if starts is None else starts
    end = [0] * n  # end[i]: where the part that begins at i ends; 0: none begins
    before = [-1] * n  # before[i]: where the part before it begins
    for left, right in pairwise([*starts, n]):
        end[left] = right
        if right < n:
            before[right] = left
    queue: list[tuple[int, int, int]] = []

    def offer(left: int) -> None:
        middle = end[left]
        if middle < n:
            rank = ranks.get(data[left : end[middle]])
            if rank is not None:
                heapq.heappush(queue, (rank, left, end[middle]))

    for left in starts:
        offer(left)
    merges = []
    while queue:
        rank, left, right = heapq.heappop(queue)
        middle = end[left]
        if middle in (0, n) or end[middle] != right:
            continue  # a merge next door has changed one of the two parts
        merges.append(Merge(left, middle, right, rank))
        end[left], end[middle] = right, 0
        if right < n:
            before[right] = left
        offer(left)
        if left > 0:
            offer(before[left])
    if len(merges) < len(starts) - 1 and data in ranks:
        merges.append(Merge(0, 0, n, ranks[data]))  # tiktoken looks for the whole piece first
    return merges
