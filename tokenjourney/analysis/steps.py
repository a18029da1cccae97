"""The steps of a generation: what each step could have chosen, and what it chose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenjourney.analysis.output import entropy_bits
from tokenjourney.model.sampling import probabilities, ranking

if TYPE_CHECKING:
    from tokenjourney.journey import Journey


@dataclass(frozen=True)
class Candidates:
    """One step of a generation.

    Attributes:
        step: Its number, from 0: the first new token.
        token_ids: The most probable tokens, best first.
        shares: Their probabilities.
        chosen: The token that was taken; None where the step is still open.
        chosen_share: Its probability.
        chosen_rank: Its rank, from 0.
        entropy: Bits of the whole distribution.
    """

    step: int
    token_ids: tuple[int, ...]
    shares: tuple[float, ...]
    chosen: int | None
    chosen_share: float
    chosen_rank: int
    entropy: float


def step_candidates(
    journey: Journey, n_prompt: int, step: int, k: int, temperature: float = 1.0
) -> Candidates:
    """What could come at one step, before top-k and top-p.

    Args:
        journey: The prompt and the generated tokens behind it.
        n_prompt: How many of its tokens are the prompt.
        step: From 0 to the number of generated tokens; that one is the open step.
        k: How many candidates.
        temperature: Above 0; what the probabilities are computed with.
    """
    position = n_prompt + step - 1
    logits = journey.logits_at(position)
    shares = probabilities(logits, temperature)
    order = ranking(logits)
    best = tuple(int(i) for i in order[:k])
    following = position + 1
    chosen = journey.token_ids[following] if following < len(journey) else None
    rank = -1 if chosen is None else int((order == chosen).argmax())
    return Candidates(
        step=step,
        token_ids=best,
        shares=tuple(float(shares[i]) for i in best),
        chosen=chosen,
        chosen_share=0.0 if chosen is None else float(shares[chosen]),
        chosen_rank=rank,
        entropy=entropy_bits(shares),
    )


def shares_before(
    untouched: Journey, position: int, token_ids: Sequence[int], temperature: float = 1.0
) -> tuple[float, ...]:
    """What some tokens had behind one position of another run of the same tokens.

    Args:
        untouched: The run to compare with: the same tokens, without edits.
        position: The position they come behind.
        token_ids: The tokens.
        temperature: Above 0.
    """
    shares = probabilities(untouched.logits_at(position), temperature)
    return tuple(float(shares[i]) for i in token_ids)


def steps_window(n_steps: int, step: int, most: int) -> range:
    """The steps to show: at most so many, with the one looked at among them.

    >>> steps_window(30, 29, 10), steps_window(30, 3, 10), steps_window(4, 0, 10)
    (range(20, 30), range(0, 10), range(0, 4))
    """
    start = max(0, min(step - most // 2, n_steps - most))
    return range(start, min(n_steps, start + most))


Path = tuple[int, ...]
"""The tokens generated behind a prompt."""


def tips(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The ends of a tree of paths: each once, and none that another one goes on from.

    >>> tips([(5, 6), (5,), (5, 7), (5, 6)])
    ((5, 6), (5, 7))
    """
    kept = dict.fromkeys(paths)
    return tuple(
        path
        for path in kept
        if not any(len(o) > len(path) and o[: len(path)] == path for o in kept)
    )


def shared(one: Path, other: Path) -> int:
    """How many tokens two paths have in common before they part.

    >>> shared((5, 6, 7), (5, 6, 8, 9))
    2
    """
    return next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


@dataclass(frozen=True)
class Branch:
    """One path of a tree, as a row.

    Attributes:
        path: All its tokens.
        start: The step from which on it is its own.
        parent: The earlier row that it leaves there; −1 for the prompt.
    """

    path: Path
    start: int
    parent: int


def branch_rows(paths: Sequence[Path]) -> tuple[Branch, ...]:
    """The paths as rows of a tree, each from where it leaves the earlier one it shares most with.

    >>> [(row.start, row.parent) for row in branch_rows([(5, 6, 7), (5, 6, 8), (9,)])]
    [(0, -1), (2, 0), (0, -1)]
    """
    rows: list[Branch] = []
    for path in paths:
        common = [shared(path, row.path) for row in rows]
        start = max(common, default=0)
        rows.append(Branch(path, start, common.index(start) if start else -1))
    return tuple(rows)


def taken_shares(journey: Journey, n_prompt: int) -> tuple[float, ...]:
    """The probability that each token behind the prompt had, at temperature 1.

    Args:
        journey: The prompt and the generated tokens behind it.
        n_prompt: How many of its tokens are the prompt.
    """
    ids = journey.token_ids
    return tuple(
        float(probabilities(journey.logits_at(position - 1))[ids[position]])
        for position in range(n_prompt, len(ids))
    )


def mean_loss(shares: Sequence[float]) -> float:
    """−ln of the probabilities, on average, in nats.

    >>> round(mean_loss([0.5, 0.5]), 4)
    0.6931
    """
    return -sum(math.log(max(one, 1e-45)) for one in shares) / max(len(shares), 1)
