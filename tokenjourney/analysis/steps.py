"""The steps of a generation: what each step could have chosen, and what it chose."""

from __future__ import annotations

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


def steps_window(n_steps: int, step: int, most: int) -> range:
    """The steps to show: at most so many, with the one looked at among them.

    >>> steps_window(30, 29, 10), steps_window(30, 3, 10), steps_window(4, 0, 10)
    (range(20, 30), range(0, 10), range(0, 4))
    """
    start = max(0, min(step - most // 2, n_steps - most))
    return range(start, min(n_steps, start + most))
