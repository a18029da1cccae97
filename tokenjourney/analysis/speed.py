"""How long one new token takes, with and without the KV cache: measured, not computed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenjourney.journey import trace

if TYPE_CHECKING:
    from tokenjourney.model import Model

_ENOUGH_SECONDS = 0.25
_RUNS = 4


@dataclass(frozen=True)
class Speed:
    """Time for the token that makes a text `n_tokens` long.

    Attributes:
        n_tokens: Length of the text with the new token.
        cached_ms: Milliseconds where keys and values of the others are kept.
        uncached_ms: Milliseconds where the whole text is computed again.
    """

    n_tokens: int
    cached_ms: float
    uncached_ms: float


def lengths_to_measure(n_ctx: int, n_tokens: int) -> tuple[int, ...]:
    """Doubling lengths from 16 up to the context, and the text's own.

    >>> lengths_to_measure(256, 12)
    (12, 16, 32, 64, 128, 256)
    """
    lengths = {n for n in (16, 32, 64, 128, 256, 512, 1024, 2048) if n <= n_ctx}
    return tuple(sorted(lengths | {max(2, min(n_tokens, n_ctx)), n_ctx}))


def measured_speed(
    model: Model, token_ids: Sequence[int], lengths: Sequence[int]
) -> Iterator[Speed]:
    """One measurement per length, each the fastest of a few runs.

    Args:
        model: The model.
        token_ids: A text; it is repeated to each length. What it says does not change the work.
        lengths: From 2 to n_ctx.
    """
    for length in lengths:
        ids = [token_ids[i % len(token_ids)] for i in range(length)]
        yield Speed(length, _cached_ms(model, ids), _uncached_ms(model, ids))


def _cached_ms(model: Model, ids: Sequence[int]) -> float:
    """The fastest of the last steps of a growing Journey.

    The first one moves into buffers with room, which is not a part of every step: it is left out.
    """
    start = max(1, len(ids) - 1 - _RUNS)
    journey, times = trace(model, ids[:start]), []
    for token_id in ids[start:]:
        began = time.perf_counter()
        journey = journey.extend(token_id)
        times.append(time.perf_counter() - began)
    return 1000 * min(times[1:] or times)


def _uncached_ms(model: Model, ids: Sequence[int]) -> float:
    """The fastest of a few runs of the whole text; of one, where that takes long."""
    times: list[float] = []
    while len(times) < _RUNS and sum(times) < _ENOUGH_SECONDS:
        began = time.perf_counter()
        trace(model, ids)
        times.append(time.perf_counter() - began)
    return 1000 * min(times)
