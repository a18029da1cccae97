"""What the map of a journey draws: lengths, who looks at whom, best guesses, and which rows.

All of it is small. `MapSummary` holds what does not depend on the followed token, for a prompt of
any length; the functions below it pick what one view of the map shows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.heads import HeadSurvey, head_survey
from tokenjourney.errors import HookError

Array = NDArray[np.float32]
Whole = NDArray[np.int64]

FEW_TOKENS: Final = 12
"""Up to so many tokens the map draws all curves; above, those of the followed token."""

MOST_ROWS: Final = 60
"""So many rows the map shows at a time."""

_KEPT: Final = 16  # sources kept per query; from 0.08 up there can be no more than 12
_FROM_FEW, _FROM_MANY = 0.05, 0.08
_THUMBNAIL_BYTES: Final = 150_000


@dataclass(frozen=True, eq=False)
class Sources:
    """For each query the keys that it looks at most, itself left out, the strongest first.

    Attributes:
        keys: (…, T, k) positions of the keys.
        shares: (…, T, k) the attention on them, mean of the heads; 0 where there is no such key.
        heads: (…, T, k) the head that looks there most.
        head_shares: (…, T, k) and its attention.
    """

    keys: Whole
    shares: Array
    heads: Whole
    head_shares: Array


@dataclass(frozen=True, eq=False)
class MapSummary:
    """A journey as the map needs it, whichever token is followed.

    Attributes:
        lengths: (n_layers + 1, T), length of the residual vector before each block and at the end.
        middles: (n_layers, T), its length within each block, after attention.
        writes: (n_layers, T), length of what each block's feed-forward part adds.
        scaled: (T,), length after the final LayerNorm, before its gain and bias.
        sources: Who looks at whom, as (n_layers, T, k).
        survey: Scores and thumbnails of the heads.
    """

    lengths: Array
    middles: Array
    writes: Array
    scaled: Array
    sources: Sources
    survey: HeadSurvey

    @property
    def n_bytes(self) -> int:
        """Memory that it holds."""
        found = self.sources
        parts = (self.lengths, self.middles, self.writes, self.survey.thumbnails)
        kept = (found.keys, found.shares, found.heads, found.head_shares)
        return sum(part.nbytes for part in (*parts, *kept))


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of one view, the followed token's last: they are drawn over the others.

    Attributes:
        blocks: (n,) the block of each curve.
        queries: (n,) position of the token that looks.
        keys: (n,) position of the token that it looks at.
        shares: (n,) how much, mean of the block's heads.
        heads: (n,) the head that looks there most.
        head_shares: (n,) and its attention.
        at_least: The share from which on curves are drawn.
    """

    blocks: Whole
    queries: Whole
    keys: Whole
    shares: Array
    heads: Whole
    head_shares: Array
    at_least: float


def map_summary(
    token_ids: Sequence[int],
    residuals: Array,
    blocks: Iterable[tuple[Array, Array]],
    eps: float = 1e-5,
) -> MapSummary:
    """Reads a journey once, one block at a time.

    Args:
        token_ids: The T tokens.
        residuals: (n_layers + 1, T, d_model), the stream before each block and at the end.
        blocks: For each block its patterns (n_heads, T, T) and the stream after its attention
            (T, d_model). What its feed-forward part writes is what the stream gains behind that.
        eps: Of the final LayerNorm.

    Raises:
        HookError: the arrays are not of one journey.
    """
    middles, writes, sources = [], [], []

    def patterns() -> Iterator[Array]:
        for (pattern, middle), after in zip(blocks, residuals[1:], strict=True):
            middles.append(np.linalg.norm(middle, axis=-1))
            writes.append(np.linalg.norm(after - middle, axis=-1))
            sources.append(strongest_sources(pattern))
            yield pattern

    if residuals.ndim != 3 or residuals.shape[1] != len(token_ids):
        raise HookError(
            f"The stream of {len(token_ids)} tokens must be (n_layers + 1, {len(token_ids)}, "
            f"d_model); this one is {residuals.shape}."
        )
    survey = head_survey(patterns(), token_ids, most=thumbnail_side(len(residuals) - 1))
    return MapSummary(
        lengths=np.linalg.norm(residuals, axis=-1),
        middles=np.stack(middles),
        writes=np.stack(writes),
        scaled=np.linalg.norm(standardised(residuals[-1], eps), axis=-1),
        sources=Sources(*(np.stack(part) for part in zip(*map(_parts, sources), strict=True))),
        survey=survey,
    )


def standardised(rows: Array, eps: float = 1e-5) -> Array:
    """(…, d_model): each vector at mean 0 and variance 1, as LayerNorm does before gain and bias.

    Ba, Kiros and Hinton, "Layer Normalization" (2016), section 3.
    """
    centred = rows - rows.mean(axis=-1, keepdims=True)
    variance = np.square(centred).mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + np.float32(eps)), dtype=np.float32)


def strongest_sources(patterns: Array) -> Sources:
    """Whom each query looks at most in one block, mean of the heads, itself left out.

    Args:
        patterns: (n_heads, T, T), query before key.

    Returns:
        Sources of (T, k), with k = min(T, 16).

    >>> back = np.eye(3, k=-1)[None]
    >>> strongest_sources(back).shares[:, 0]  # position 0 has nobody but itself
    array([0., 1., 1.], dtype=float32)
    """
    mean = patterns.mean(axis=0)
    np.fill_diagonal(mean, -1.0)
    k = min(len(mean), _KEPT)
    keys = np.argpartition(-mean, k - 1, axis=-1)[:, :k] if k < len(mean) else np.argsort(-mean)
    order = np.argsort(-np.take_along_axis(mean, keys, axis=-1), axis=-1, kind="stable")
    keys = np.take_along_axis(keys, order, axis=-1)
    rows = np.arange(len(mean))[:, None]
    among = patterns[:, rows, keys]
    shares = np.maximum(mean[rows, keys], 0.0).astype(np.float32)
    return Sources(keys, shares, among.argmax(axis=0), np.asarray(among.max(axis=0), np.float32))


def sources_of_head(patterns: Iterable[Array], head: int) -> Sources:
    """Whom each query looks at most by one head of each block.

    Args:
        patterns: For each block (n_heads, T, T).
        head: Which head.

    Returns:
        Sources of (n_layers, T, k); `heads` holds this head.
    """
    found = [_parts(strongest_sources(pattern[head : head + 1])) for pattern in patterns]
    keys, shares, heads, head_shares = (np.stack(part) for part in zip(*found, strict=True))
    return Sources(keys, shares, heads + head, head_shares)


def rows_shown(n_tokens: int, followed: int, most: int = MOST_ROWS) -> tuple[int, ...]:
    """The positions that the map draws: all, or the first and a window around the followed one.

    >>> rows_shown(3, 1)
    (0, 1, 2)
    >>> rows_shown(100, 50, most=5)
    (0, 48, 49, 50, 51)
    """
    if n_tokens <= most:
        return tuple(range(n_tokens))
    start = min(max(1, followed - (most - 1) // 2), n_tokens - most + 1)
    return (0, *range(start, start + most - 1))


def curves_shown(found: Sources, followed: int, rows: Sequence[int]) -> Curves:
    """The curves of one view of the map.

    Up to 12 tokens all from a share of 0.05 on; above, all of the followed token from 0.08 on, and
    of each other row the strongest, from 0.08 on too.

    Args:
        found: Who looks at whom, by the mean of the heads or by one of them.
        followed: The followed token.
        rows: The positions on the map.
    """
    n_tokens = found.keys.shape[1]
    at_least = _FROM_FEW if n_tokens <= FEW_TOKENS else _FROM_MANY
    wanted = found.shares >= at_least
    if n_tokens > FEW_TOKENS:
        others = np.arange(n_tokens) != followed
        wanted[:, others, 1:] = False
    shown = np.zeros(n_tokens, dtype=bool)
    shown[list(rows)] = True
    wanted &= shown[None, :, None]
    blocks, queries, ranks = np.nonzero(wanted)
    order = np.lexsort((ranks, queries, blocks, queries == followed))
    blocks, queries, ranks = blocks[order], queries[order], ranks[order]
    at = (blocks, queries, ranks)
    return Curves(
        blocks, queries, found.keys[at], found.shares[at], found.heads[at], found.head_shares[at],
        at_least,
    )  # fmt: skip


def strongest_overall(summary: MapSummary, followed: int, n: int = 6) -> tuple[int, ...]:
    """Positions of the n tokens that the followed one looks at most, summed over the blocks."""
    found = summary.sources
    total = np.zeros(found.keys.shape[1], dtype=np.float64)
    np.add.at(total, found.keys[:, followed].ravel(), found.shares[:, followed].ravel())
    order = np.argsort(-total, kind="stable")[:n]
    return tuple(int(position) for position in order if total[position] > 0)


def settled_from(guesses: Sequence[int]) -> int:
    """The first of the guesses from which on all are equal to the last.

    >>> settled_from([5, 7, 3, 7, 7])
    3
    """
    first = len(guesses) - 1
    while first > 0 and guesses[first - 1] == guesses[-1]:
        first -= 1
    return first


def thumbnail_side(n_blocks: int, n_heads: int = 12) -> int:
    """Cells along the side of a head's thumbnail, at most 32, so that all together stay small."""
    return int(min(32, max(12, (_THUMBNAIL_BYTES / max(1, n_blocks * n_heads)) ** 0.5)))


def whole_steps(values: Array) -> tuple[NDArray[np.int16], float]:
    """Numbers as multiples of one step: half the bytes, exact to 1/65534 of the largest.

    Returns:
        The multiples, and the step.

    >>> whole_steps(np.array([0.5, -1.0]))[0]
    array([ 16384, -32767], dtype=int16)
    """
    step = float(np.abs(values).max(initial=0.0)) / 32767 or 1.0
    return np.rint(values / step).astype(np.int16), step


def packed(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """A header and arrays as one block of bytes; `unpacked` is the way back.

    Four bytes with the length of the header, then the header as JSON, then the arrays. The header
    gets a field `arrays` with kind, shape and first byte of each.
    """
    places, parts, start = {}, [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        places[name] = [array.dtype.str.lstrip("<|"), list(array.shape), start]
        parts.append(raw)
        start += len(raw)
    head = json.dumps({**header, "arrays": places}, ensure_ascii=False).encode("utf-8", "replace")
    return b"".join([len(head).to_bytes(4, "little"), head, *parts])


def unpacked(data: bytes) -> dict[str, Any]:
    """The header of packed bytes, with the arrays in it by their names."""
    start = 4 + int.from_bytes(data[:4], "little")
    found: dict[str, Any] = json.loads(data[4:start])
    for name, (kind, shape, place) in found.pop("arrays").items():
        n = int(np.prod(shape))
        found[name] = np.frombuffer(data, f"<{kind}", n, start + place).reshape(shape)
    return found


def _parts(found: Sources) -> tuple[Whole, Array, Whole, Array]:
    return found.keys, found.shares, found.heads, found.head_shares
