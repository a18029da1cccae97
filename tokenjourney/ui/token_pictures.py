"""Tokens as pictures in HTML: pieces with their tokens, and a piece's merges as a ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tokenjourney.tokenizer import Token, visible
from tokenjourney.ui.text import Safe, escaped

_MOST_CARDS: Final = 40
_MOST_BYTES: Final = 64


def window(n: int, around: int, most: int = _MOST_CARDS) -> range:
    """At most so many positions around one of them, most of them behind it.

    >>> window(1000, 500, 4), window(3, 1)
    (range(499, 503), range(0, 3))
    """
    start = max(0, min(around - most // 4, n - most))
    return range(start, min(n, start + most))


def pieces_picture(
    pieces: Sequence[Any], tokens: Sequence[Token], texts: Sequence[str], followed: int
) -> Safe:
    """The pieces of the regex split, each with the cards of its tokens.

    Args:
        pieces: The pieces, as `Tokenizer.merges` returns them.
        tokens: The tokens of the whole text, in order.
        texts: Visible text of each token.
        followed: Position of the followed token.
    """
    shown = window(len(tokens), followed)
    found = []
    position = 0
    for piece in pieces:
        last = position + len(piece.token_ids)
        inside = [i for i in range(position, last) if i in shown]
        position = last
        if inside:
            cards = "".join(_card(tokens[i], texts[i], i, i == followed) for i in inside)
            name = escaped(visible(piece.text.encode("utf-8"))[:60])
            found.append(f'<li class="tj-piece"><span>{name}</span><div>{cards}</div></li>')
    rest = ""
    if len(shown) < len(tokens):
        rest = (
            f'<p class="tj-note">Tokens {shown.start:,} to {shown.stop - 1:,} of '
            f"{len(tokens):,}; follow another one to see those around it.</p>"
        )
    return Safe(f'<ul class="tj-pieces">{"".join(found)}</ul>{rest}')


def _card(token: Token, text: str, position: int, followed: bool) -> str:
    place = f"{token.start}" if token.end - token.start == 1 else f"{token.start}–{token.end - 1}"
    kind = "tj-card-token tj-on" if followed else "tj-card-token"
    mark = ' aria-current="true"' if followed else ""
    return (
        f'<div class="{kind}"{mark}><i>{position}</i><b>{escaped(text)}</b>'
        f"<span>{token.id}</span><code>{escaped(_hex(token.bytes))}</code>"
        f"<small>{place}</small></div>"
    )


def _hex(data: bytes, most: int = 12) -> str:
    shown = data[:most].hex(" ").upper()
    return f"{shown} …" if len(data) > most else shown


def ladder_picture(steps: Sequence[Any], step: int, ids: Sequence[int]) -> Safe:
    """From bytes to tokens, a row for each merge; rows after `step` wait, faint.

    Args:
        steps: The steps of one piece, as the tokenizer replays them.
        step: How many merges have happened.
        ids: IDs of the tokens that the merges end in.
    """
    n_bytes = sum(map(len, steps[0].parts))
    rows = range(len(steps))
    if n_bytes > _MOST_BYTES:
        rows = range(step, step + 1)
    lines = [_rung(steps[i], i, step, ids if i == len(steps) - 1 else None) for i in rows]
    columns = f"--n: {min(n_bytes, _MOST_BYTES * 4)}; --u: {_unit(steps[-1].parts, ids)}px"
    return Safe(f'<ol class="tj-ladder" style="{columns}">{"".join(lines)}</ol>')


def _unit(parts: Sequence[bytes], ids: Sequence[int]) -> int:
    """Width of a byte in pixels, such that every token of the last row has room for its ID."""
    need = (
        (9 * len(visible(part)) + 8 * len(str(number)) + 22) / len(part)
        for part, number in zip(parts, ids, strict=False)
    )
    return max(46, min(96, round(max(need, default=46))))


def _rung(found: Any, index: int, step: int, ids: Sequence[int] | None) -> str:
    label = "bytes" if index == 0 else f"merge {index}"
    rank = "" if found.rank is None else f"rank {found.rank:,}"
    boxes = []
    for place, part in enumerate(found.parts[:256]):
        new = " tj-new" if place == found.position else ""
        number = f"<small>{ids[place]}</small>" if ids is not None else ""
        boxes.append(
            f'<span class="tj-part{new}" style="--w: {len(part)}">'
            f"<b>{escaped(visible(part))}</b>{number}</span>"
        )
    state = "tj-now" if index == step else "tj-later" if index > step else ""
    return f'<li class="{state}"><i>{label}</i><div>{"".join(boxes)}</div><em>{rank}</em></li>'


def tokens_row(texts: Sequence[tuple[str, int, str]]) -> Safe:
    """A row of tokens that belong to no prompt: text, ID and a word about each."""
    cards = "".join(
        f"<li><b>{escaped(text)}</b><span>{number}</span><small>{escaped(word)}</small></li>"
        for text, number, word in texts
    )
    return Safe(f'<ul class="tj-found">{cards}</ul>')
