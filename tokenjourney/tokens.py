"""Tokens as they stand in a text, and as they are shown."""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

# A well-formed character of UTF-8, or else the longest part that could begin one, which is what a
# decoder replaces by U+FFFD (The Unicode Standard, table 3-7 and section 3.9).
_UTF8 = regex.compile(
    rb"(?<good>[\x00-\x7F]|[\xC2-\xDF][\x80-\xBF]"
    rb"|(?:\xE0[\xA0-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]|\xED[\x80-\x9F])[\x80-\xBF]"
    rb"|(?:\xF0[\x90-\xBF]|[\xF1-\xF3][\x80-\xBF]|\xF4[\x80-\x8F])[\x80-\xBF]{2})"
    rb"|(?:\xF0[\x90-\xBF]|[\xF1-\xF3][\x80-\xBF]|\xF4[\x80-\x8F])[\x80-\xBF]?"
    rb"|\xE0[\xA0-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]|\xED[\x80-\x9F]"
    rb"|[\x00-\xFF]",
)
_VISIBLE = {" ": "·", "\n": "↵", "\t": "⇥"}
_HIDDEN_CATEGORIES = {"Cc", "Cf", "Zl", "Zp", "Zs", "Co", "Cs"}


@dataclass(frozen=True)
class Token:
    """One token where it stands in a text.

    Attributes:
        id: Token ID.
        bytes: Its bytes in UTF-8, perhaps only a part of a character.
        text: Those bytes as text; incomplete characters are replaced by U+FFFD.
        start: First character of the text that it is part of.
        end: One past the last. A token that is part of a character spans the whole character.
    """

    id: int
    bytes: bytes
    text: str
    start: int
    end: int


def tokens_of(
    ids: Sequence[int], parts: Sequence[bytes], wanted_from: int = 0
) -> tuple[Token, ...]:
    """Tokens with their place in the text that they make up.

    Args:
        ids: Token IDs.
        parts: The bytes of each.
        wanted_from: Number of the first token that is asked for.
    """
    character = _character_of_each_byte(b"".join(parts))
    tokens, first = [], sum(map(len, parts[:wanted_from]))
    for token_id, data in zip(ids[wanted_from:], parts[wanted_from:], strict=True):
        last = first + len(data)
        start = int(character[first])
        end = int(character[last - 1]) + 1 if data else start
        shown = data.decode("utf-8", "replace")
        tokens.append(Token(operator.index(token_id), data, shown, start, end))
        first = last
    return tuple(tokens)


def _character_of_each_byte(data: bytes) -> NDArray[np.int64]:
    """For each byte, the index of its character in the decoded text; then the text's length."""
    array = np.frombuffer(data, np.uint8)
    try:
        data.decode("utf-8")
        first = (array & 0xC0) != 0x80
    except UnicodeDecodeError:
        first = np.zeros(len(data), np.bool_)
        first[[match.start() for match in _UTF8.finditer(data)]] = True
    of_byte = np.cumsum(first) - 1
    return np.append(of_byte, of_byte[-1] + 1 if len(data) else 0)


def visible(data: bytes) -> str:
    r"""Bytes of a token as a label: · for a space, ↵ for a newline, ⇥ for a tab.

    Bytes that are no whole character, and control characters, are shown as ‹E2›; other characters
    without a shape of their own as ‹U+200D›; a mark that combines with what stands before it gets
    a dotted circle to sit on.

    Example:
        >>> visible(" don\n".encode()), visible("€".encode()[:2]), visible(b"\x00")
        ('·don↵', '‹E2›‹82›', '‹00›')
    """
    if data.isascii() and (plain := data.decode("ascii")).isprintable():
        return plain.replace(" ", "·")
    shown = []
    for match in _UTF8.finditer(data):
        char = match["good"].decode("utf-8") if match["good"] else ""
        if char in _VISIBLE:
            shown.append(_VISIBLE[char])
        elif not char or unicodedata.category(char) == "Cc":
            shown += [f"‹{byte:02X}›" for byte in match[0]]
        elif unicodedata.category(char) in _HIDDEN_CATEGORIES or 0xFE00 <= ord(char) <= 0xFE0F:
            shown.append(f"‹U+{ord(char):04X}›")
        elif unicodedata.category(char).startswith("M") and not shown:
            shown.append("◌" + char)
        else:
            shown.append(char)
    return "".join(shown)
