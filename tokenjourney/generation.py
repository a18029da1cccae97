"""One token after another: each step extends one growing Journey."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tokenjourney.edits import Edit
from tokenjourney.errors import PromptError
from tokenjourney.journey import Journey, Prediction, trace
from tokenjourney.model.sampling import (
    check_cut,
    check_temperature,
    draw,
    kept,
    probabilities,
    random_point,
    ranking,
)
from tokenjourney.tokenizer import Token

if TYPE_CHECKING:
    from tokenjourney.model import Model

N_CANDIDATES = 10


@dataclass(frozen=True, eq=False)
class Step:
    """One generated token.

    Attributes:
        token: The token that was chosen, with its place in the text so far.
        text: Its text.
        predictions: The most probable tokens at the temperature used, before top-k and top-p.
        journey: The Journey before this token: the one that predicted it.
        stopped: Why generation ends with this step; None where it goes on.
    """

    token: Token
    text: str
    predictions: tuple[Prediction, ...]
    journey: Journey
    stopped: str | None = None


def choose(
    journey: Journey,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> int:
    """The next token of a Journey, drawn from the whole vocabulary.

    The draw depends on the seed and on the position alone, so that going back and forth, or
    branching off, repeats what was drawn there.

    Args:
        journey: Its last position predicts.
        temperature: From 0 up; 0 always takes the most probable.
        top_k: Draw from the k most probable only.
        top_p: Draw from the fewest that reach this probability mass.
        seed: Of the draw.

    Raises:
        PromptError: an argument is out of range.
    """
    logits = journey.logits_at()
    if temperature == 0:  # the draw always falls there: spare sorting the vocabulary
        check_cut(top_k, top_p)
        return int(logits.argmax())
    order = ranking(logits)
    shares = probabilities(logits, temperature)
    mask = kept(shares, order, top_k, top_p)
    return draw(shares, order, mask, random_point(seed, len(journey)))


def generate(
    model: Model,
    prompt: str | Sequence[int] | Journey,
    max_new_tokens: int = 20,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    stop_ids: Collection[int] = (),
    edits: Sequence[Edit] = (),
) -> Iterator[Step]:
    """Goes on from a prompt, token by token, with a KV cache.

    Args:
        model: From `load_model`.
        prompt: A text or token IDs; or a Journey through this model, whose tokens are then not
            computed again, and whose edits go on.
        max_new_tokens: How many at most, from 0 up.
        temperature: From 0 (greedy) up.
        top_k: Draw from the k most probable only; None from all.
        top_p: Draw from the fewest that reach this probability mass; None from all.
        seed: Of all draws.
        stop_ids: Token IDs after which generation ends.
        edits: Changes to the run, such as `ablate_head`; none beside a Journey, which has its own.

    Yields:
        A step per token. The last says in `stopped` why it is the last.

    Raises:
        PromptError: an argument is out of range, the prompt leaves no room for a token, or it is a
            Journey through another model, or given edits.
        HookError: an edit does not fit.
    """
    check_temperature(temperature)
    check_cut(top_k, top_p)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise PromptError(f"seed is {seed!r}; give a whole number from 0 up.")
    number = isinstance(max_new_tokens, int) and not isinstance(max_new_tokens, bool)
    if not number or max_new_tokens < 0:
        raise PromptError(f"max_new_tokens is {max_new_tokens!r}; give a whole number from 0 up.")
    journey = _begun(model, prompt, edits)
    n_ctx = model.config.n_ctx
    if max_new_tokens and len(journey) == n_ctx:
        raise PromptError(
            f"The prompt fills the context of {n_ctx:,} tokens: there is no room for another."
        )
    return _steps(journey, max_new_tokens, (temperature, top_k, top_p, seed), stop_ids)


def _begun(model: Model, prompt: str | Sequence[int] | Journey, edits: Sequence[Edit]) -> Journey:
    if not isinstance(prompt, Journey):
        return trace(model, prompt, edits)
    if prompt.model is not model:
        raise PromptError(
            f"This Journey went through another model than {model.name}, or was loaded without its "
            "own. Give its token_ids, which are then traced."
        )
    if edits:
        raise PromptError("A Journey keeps the edits of its run. Trace the prompt with new ones.")
    return prompt


def _steps(
    journey: Journey,
    max_new_tokens: int,
    sampling: tuple[float, int | None, float | None, int],
    stop_ids: Collection[int],
) -> Iterator[Step]:
    n_ctx = journey.config.n_ctx
    for count in range(1, max_new_tokens + 1):
        token_id = choose(journey, *sampling)
        longer = journey.extend(token_id)
        stopped = None
        if token_id in stop_ids:
            stopped = "a token that ends the text"
        elif len(longer) == n_ctx:
            stopped = f"the context of {n_ctx:,} tokens is full"
        elif count == max_new_tokens:
            stopped = f"{max_new_tokens:,} new tokens"
        (token,) = longer._tokens(len(longer) - 1)
        predictions = journey.next_tokens(k=N_CANDIDATES, temperature=sampling[0])
        yield Step(token, token.text, predictions, journey, stopped)
        if stopped:
            return
        journey = longer
