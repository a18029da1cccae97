"""Text to token IDs and back: byte-level BPE on tiktoken, and the record of its merges."""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Literal, Self

import regex
import tiktoken

from tokenjourney.bpe import (
    Merge,
    MergeStep,
    MergeSteps,
    as_bytes,
    byte_alphabet,
    regex_split,
    replay,
)
from tokenjourney.errors import CheckpointError, PromptError, UnsupportedTokenizerError
from tokenjourney.tokens import Token, tokens_of, visible
from tokenjourney.vocabulary import Vocabulary, read_vocabulary, write_vocabulary

__all__ = [
    "MergeStep",
    "MergeSteps",
    "Piece",
    "Token",
    "TokenKind",
    "Tokenizer",
    "byte_alphabet",
    "regex_split",
    "tokens_of",
    "visible",
]

TokenKind = Literal["byte", "piece", "word", "special", "unused"]

# tiktoken's own form of GPT2_PATTERN: the same pieces, found faster.
_TIKTOKEN_PATTERN = (
    r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
)
# tiktoken's regex overflows its stack on very long white space, except at the end of a text. The
# piece ends one character before the word that follows, so the text can be cut there.
_LONG_SPACE = regex.compile(r"\s{10000,}+")


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece of the regex split, and how it becomes tokens.

    Attributes:
        text: The piece's characters.
        start: First of them in the whole text.
        end: One past the last.
        special: Whether it is a special token, taken whole.
    """

    text: str
    start: int
    end: int
    special: bool
    _ids: Mapping[bytes, int] = field(repr=False)
    _merge_ids: Sequence[int] = field(repr=False)

    @cached_property
    def steps(self) -> MergeSteps:
        """First the single bytes, then the parts after each merge; the last are the tokens."""
        data = self.text.encode("utf-8")
        if self.special:
            return MergeSteps(data, [], whole=True)
        found = replay(data, self._ids)
        return MergeSteps(
            data,
            [
                Merge(one.left, one.middle, one.right, bisect_left(self._merge_ids, one.rank))
                for one in found
            ],
        )

    @property
    def token_ids(self) -> tuple[int, ...]:
        """IDs of the tokens that the merges end in."""
        return tuple(self._ids[part] for part in self.steps[-1].parts)

    @property
    def n_bytes(self) -> int:
        """Memory that it takes by itself, about, without what all pieces of a tokenizer share."""
        return 400 + 100 * len(self.text.encode("utf-8"))


class Tokenizer:
    """Byte-level BPE as in GPT-2. Immutable; threads can share it.

    Args:
        ranks: Bytes of every token but special ones → ID. The IDs are the order of the merges, and
            all 256 single bytes are among them.
        special_tokens: Text → ID of tokens that stand outside of BPE, such as `<|endoftext|>`.
            Typed in a prompt they are plain text, unless `allow_special` is set.
        n_vocab: Number of token IDs of the model, where it has more than are used here. Special
            tokens beyond it are dropped: the model has no row for them.

    Raises:
        UnsupportedTokenizerError: a single byte is missing, or IDs lie beyond n_vocab.
        CheckpointError: two tokens share an ID.

    Example:
        >>> tokenizer = Tokenizer.from_merges([(b"a", b"b"), (b"ab", b"c")])
        >>> tokenizer.encode("abca")
        [257, 64]
        >>> [step.parts for step in tokenizer.merges("abc")[0].steps]
        [(b'a', b'b', b'c'), (b'ab', b'c'), (b'abc',)]
    """

    def __init__(
        self,
        ranks: Mapping[bytes, int],
        special_tokens: Mapping[str, int] | None = None,
        *,
        n_vocab: int | None = None,
    ) -> None:
        self._set(Vocabulary(dict(ranks), dict(special_tokens or {})), n_vocab)

    @classmethod
    def from_folder(cls, folder: str | Path, *, n_vocab: int | None = None) -> Self:
        """The tokenizer of a checkpoint's folder.

        Read is tokenizer.json, or else vocab.json and merges.txt.

        Raises:
            UnsupportedTokenizerError: there is none, or it is not GPT-2's byte-level BPE in the
                form that tiktoken needs.
            CheckpointError: a file is damaged.
        """
        tokenizer = cls.__new__(cls)
        tokenizer._set(read_vocabulary(Path(folder)), n_vocab)
        return tokenizer

    @classmethod
    def from_merges(
        cls, merges: Iterable[tuple[bytes, bytes]], special_tokens: Sequence[str] = ()
    ) -> Self:
        """The tokenizer of learned merges, with IDs numbered as in GPT-2.

        First the 256 bytes in the order of their printable characters, then the merges, then the
        special tokens.
        """
        alphabet = byte_alphabet()
        singles = sorted(range(256), key=lambda byte: alphabet[byte])
        ranks = {bytes([byte]): token_id for token_id, byte in enumerate(singles)}
        for left, right in merges:
            ranks[left + right] = len(ranks)
        first = len(ranks)
        return cls(ranks, {text: first + index for index, text in enumerate(special_tokens)})

    def _set(self, vocabulary: Vocabulary, n_vocab: int | None) -> None:
        ranks, ids = vocabulary.ranks, vocabulary.ranks.values()
        if not all(bytes([byte]) in ranks for byte in range(256)):
            raise UnsupportedTokenizerError("The vocabulary lacks some of the 256 single bytes.")
        special = {
            text: token_id
            for text, token_id in vocabulary.special.items()
            if n_vocab is None or token_id < n_vocab
        }
        used = {token_id: data for data, token_id in ranks.items()}
        if len(used) != len(ranks) or min(ids) < 0 or b"" in ranks or "" in special:
            raise CheckpointError("The vocabulary holds empty tokens, or one ID for several.")
        used |= vocabulary.unreachable
        used |= {token_id: text.encode("utf-8") for text, token_id in special.items()}
        largest = max(used)
        if n_vocab is not None and largest >= n_vocab:
            raise UnsupportedTokenizerError(
                f"The tokenizer has IDs up to {largest}, but the model only {n_vocab} rows."
            )
        self._vocabulary = Vocabulary(
            ranks, special, vocabulary.always & special.keys(), vocabulary.unreachable
        )
        self._bytes = used
        self._n_vocab = n_vocab or largest + 1
        self._special_ids = frozenset(special.values())
        self._encoding = tiktoken.Encoding(
            "tokenjourney", pat_str=_TIKTOKEN_PATTERN, mergeable_ranks=ranks, special_tokens={}
        )

    @property
    def n_vocab(self) -> int:
        """Number of token IDs, counted from 0. Not every one need be used."""
        return self._n_vocab

    @property
    def special_tokens(self) -> dict[str, int]:
        """Text → ID of the special tokens."""
        return dict(self._vocabulary.special)

    # Text to IDs ----------------------------------------------------------------------------

    def encode(self, text: str, *, allow_special: bool = False) -> list[int]:
        """The token IDs of a text.

        Args:
            text: Any valid Unicode.
            allow_special: Whether the text of a special token becomes that token.

        Raises:
            PromptError: `text` is no str, or no valid Unicode.
        """
        as_bytes(text)
        ids: list[int] = []
        for start, end, special in self._segments(text, allow_special):
            part = text[start:end]
            if special:
                ids.append(self._vocabulary.special[part])
                continue
            ends = [match.end() for match in _LONG_SPACE.finditer(part)]
            cuts = [0, *(cut - 1 for cut in ends if cut < len(part)), len(part)]
            for a, b in pairwise(cuts):
                ids += self._encoding.encode_ordinary(part[a:b])
        return ids

    def merges(self, text: str, *, allow_special: bool = False) -> tuple[Piece, ...]:
        """The same from scratch, showing the work: the pieces of the regex split, each with steps.

        The tokens at the end of the steps are those of `encode`. Steps are computed when asked for.

        Raises:
            PromptError: `text` is no str, or no valid Unicode.
        """
        as_bytes(text)
        ranks = self._vocabulary.ranks
        pieces = []
        for start, end, special in self._segments(text, allow_special):
            part = text[start:end]
            for piece in [part] if special else regex_split(part):
                ids = {piece.encode("utf-8"): self._vocabulary.special[part]} if special else ranks
                stop = start + len(piece)
                pieces.append(Piece(piece, start, stop, special, ids, self._merge_ids))
                start = stop
        return tuple(pieces)

    def _segments(self, text: str, allow_special: bool) -> Iterator[tuple[int, int, bool]]:
        """Start and end of the parts of a text, and whether each is a special token."""
        pattern = self._special_pattern if allow_special else self._always_pattern
        position = 0
        for match in pattern.finditer(text) if pattern else ():
            if match.start() > position:
                yield position, match.start(), False
            yield match.start(), match.end(), True
            position = match.end()
        if position < len(text):
            yield position, len(text), False

    @cached_property
    def _special_pattern(self) -> regex.Pattern[str] | None:
        return _any_of(self._vocabulary.special)

    @cached_property
    def _always_pattern(self) -> regex.Pattern[str] | None:
        return _any_of(self._vocabulary.always)

    @cached_property
    def _merge_ids(self) -> list[int]:
        """IDs of the merged tokens in the order of the merges."""
        return sorted(i for data, i in self._vocabulary.ranks.items() if len(data) > 1)

    # IDs to text ----------------------------------------------------------------------------

    def decode(self, ids: Iterable[int]) -> str:
        """The text of these tokens; bytes that are no valid UTF-8 are replaced by U+FFFD.

        Raises:
            PromptError: an ID is no whole number, or not in the vocabulary.
        """
        return b"".join(self._bytes_of(ids)).decode("utf-8", "replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one token; none where the model has the ID but the tokenizer does not.

        Raises:
            PromptError: the ID is no whole number, or not in the vocabulary.
        """
        return self._bytes_of([token_id])[0]

    def token(self, token_id: int) -> Token:
        """One token by itself, its offsets counted in its own text.

        Raises:
            PromptError: the ID is no whole number, or not in the vocabulary.
        """
        return self.tokens([token_id])[0]

    def tokens(
        self, text: str | Iterable[int], *, allow_special: bool = False
    ) -> tuple[Token, ...]:
        """The tokens of a text, or of IDs, with their place in the text (that of `decode`).

        Raises:
            PromptError: the text is no valid Unicode, or an ID is not in the vocabulary.
        """
        ids = self.encode(text, allow_special=allow_special) if isinstance(text, str) else [*text]
        return tokens_of(ids, self._bytes_of(ids))

    def _bytes_of(self, ids: Iterable[int]) -> list[bytes]:
        if isinstance(ids, str | bytes):
            raise PromptError(
                f"Token IDs were expected, not {type(ids).__name__}; encode it first."
            )
        parts = []
        for token_id in ids:
            try:
                number = -1 if isinstance(token_id, bool) else operator.index(token_id)
            except TypeError:
                number = -1
            if not 0 <= number < self._n_vocab:
                raise PromptError(
                    f"{token_id!r} is no token ID of this model: give whole numbers from 0 to "
                    f"{self._n_vocab - 1}."
                )
            parts.append(self._bytes.get(number, b""))
        return parts

    # The vocabulary -------------------------------------------------------------------------

    def visible(self, token: Token | int) -> str:
        """The text of a token for labels, with nothing in it that cannot be seen.

        As `visible`, but special tokens are shown as they are, and unused IDs as ‹#50300›.
        """
        token_id = token.id if isinstance(token, Token) else token
        data = self.token_bytes(token_id)
        return visible(data) if data else f"‹#{token_id}›"

    def kind(self, token_id: int) -> TokenKind:
        """What kind of token an ID is.

        - "byte": a single byte, with which every vocabulary starts;
        - "word": a space and then letters only, so it begins a word, and most are whole ones;
        - "piece": any other merged token;
        - "special": outside of BPE;
        - "unused": the model has a row for it, but no text leads there.
        """
        data = self.token_bytes(token_id)
        if token_id in self._special_ids:
            return "special"
        if not data or token_id in self._vocabulary.unreachable:
            return "unused"
        if len(data) == 1:
            return "byte"
        text = data.decode("utf-8", "replace")
        return "word" if text[0] == " " and text[1:].isalpha() else "piece"

    def kinds(self) -> dict[TokenKind, int]:
        """How many tokens of each kind the vocabulary holds."""
        counts = Counter(self.kind(token_id) for token_id in range(self._n_vocab))
        names: tuple[TokenKind, ...] = ("byte", "piece", "word", "special", "unused")
        return {name: counts[name] for name in names}

    def search(self, query: str, *, limit: int = 50) -> tuple[int, ...]:
        """IDs of tokens that hold a text, upper and lower case alike, best matches first.

        First the token whose ID was typed, then equal tokens, then equal ones but for a space in
        front, then tokens that begin with it, then the rest; shorter ones and lower IDs first. The
        signs that `visible` shows (· ↵ ⇥) find what they stand for.

        Raises:
            PromptError: the query is no valid Unicode.
        """
        as_bytes(query)
        if not query or limit < 1:
            return ()
        wanted = query.casefold()
        typed = int(query) if query.isascii() and query.isdigit() and len(query) < 10 else -1
        found = []
        for token_id, texts in self._searchable.items():
            matches = [_closeness(text, wanted) for text in texts if wanted in text]
            if token_id == typed:
                matches.append((-1, 0))
            if matches:
                found.append((*min(matches), token_id))
        return tuple(token_id for *_, token_id in sorted(found)[:limit])

    @cached_property
    def _searchable(self) -> dict[int, tuple[str, ...]]:
        """Case-folded text of each token, and the same as it is shown where that differs."""
        texts: dict[int, tuple[str, ...]] = {}
        for token_id, data in sorted(self._bytes.items()):
            both = (data.decode("utf-8", "replace").casefold(), visible(data).casefold())
            texts[token_id] = both[:1] if both[0] == both[1] else both
        return texts

    def files(self) -> dict[str, str]:
        """The tokenizer files of a checkpoint's folder, by name, as `transformers` reads them."""
        ranks = self._vocabulary.ranks
        merged = sorted((i, data) for data, i in ranks.items() if len(data) > 1)
        pairs = []
        for _, data in merged:
            pair = MergeSteps(data, replay(data, ranks))[-1].pair
            if pair is None:
                raise CheckpointError(
                    f"No merges lead to the token {data!r}, so none can be saved."
                )
            pairs.append(pair)
        return write_vocabulary(self._vocabulary, pairs)


def _any_of(texts: Iterable[str]) -> regex.Pattern[str] | None:
    """Matches any of the texts, the longest where several begin at one place."""
    ordered = sorted(texts, key=len, reverse=True)
    return regex.compile("|".join(map(regex.escape, ordered))) if ordered else None


def _closeness(text: str, wanted: str) -> tuple[int, int]:
    """How well a token matches, best first; its length decides between equals."""
    bare = text.lstrip(" ·") or text
    order = [text == wanted, bare == wanted, text.startswith(wanted), bare.startswith(wanted)]
    return (order.index(True) if True in order else len(order), len(text))
