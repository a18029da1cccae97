"""Tokens beside the units that people count in: words, characters, bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class TextCounts:
    """How long a text is, in four units.

    Attributes:
        characters: Unicode characters (code points).
        n_bytes: Bytes in UTF-8.
        words: Parts between white space.
        tokens: Tokens of the model at hand.
    """

    characters: int
    n_bytes: int
    words: int
    tokens: int

    @property
    def characters_per_token(self) -> float:
        """Characters that a token stands for, on average."""
        return self.characters / self.tokens

    @property
    def tokens_per_word(self) -> float | None:
        """Tokens that a word takes, on average; None where there are no words."""
        return self.tokens / self.words if self.words else None


def text_counts(text: str, n_tokens: int) -> TextCounts:
    """The length of a text in four units.

    Args:
        text: The text.
        n_tokens: How many tokens it has, from 1 up.

    >>> text_counts("Two words", 3)
    TextCounts(characters=9, n_bytes=9, words=2, tokens=3)
    """
    return TextCounts(len(text), len(text.encode("utf-8", "replace")), len(text.split()), n_tokens)


def first_of_each_kind(
    kind: Callable[[int], str], token_ids: Iterable[int], most: int = 8
) -> dict[str, list[int]]:
    """The first IDs of each kind of token; low IDs of merged tokens are the frequent ones.

    Args:
        kind: The kind of an ID.
        token_ids: The IDs, in the order to look through.
        most: How many of each kind.

    >>> first_of_each_kind(lambda i: "even" if i % 2 == 0 else "odd", range(9), most=2)
    {'even': [0, 2], 'odd': [1, 3]}
    """
    found: dict[str, list[int]] = {}
    for token_id in token_ids:
        kept = found.setdefault(kind(token_id), [])
        if len(kept) < most:
            kept.append(token_id)
    return found
