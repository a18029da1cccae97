"""Few cores for many visitors: short forward passes at once, long ones in turn.

A pass of a small model is done before a second core has been woken for it, so it runs on one core,
beside those of others. A long one gets all cores, and is alone with them: two at once would each
take as long as both after another. It gives way between two blocks where a shorter one waits.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import streamlit as st
import torch

import tokenjourney as tj
from tokenjourney.journey import Journey, traced_blocks

if TYPE_CHECKING:
    from tokenjourney.edits import Edit
    from tokenjourney.model import Model

Function = TypeVar("Function", bound=Callable[..., Any])
Step = TypeVar("Step")

LONG: Final = 1_000_000_000
"""Work from which on a pass takes turns: some 50 ms of one core."""

_CORES: Final = torch.get_num_threads()


class Turns:
    """Work in steps, of which one piece goes on at a time: the shortest, then the oldest."""

    def __init__(self) -> None:
        """Nobody is here."""
        self._here: list[tuple[int, int]] = []
        self._number = itertools.count()
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """How many pieces of work are under way or waiting."""
        return len(self._here)

    def last(self, work: int, steps: Iterator[Step]) -> Step:
        """Goes through all steps and returns the last.

        Before each it waits until nobody with less work is here. Whoever comes during a step starts
        at once: the two overlap until that step is done.

        Args:
            work: How long it will take, compared to others.
            steps: At least one. What they raise is raised here, and the next one's turn comes.
        """
        me = (work, next(self._number))
        with self._changed:
            self._here.append(me)
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: min(self._here) == me)
                try:
                    step = next(steps)
                except StopIteration:
                    return step
        finally:
            with self._changed:
                self._here.remove(me)
                self._changed.notify_all()


@st.cache_resource(show_spinner=False)
def _turns() -> Turns:
    return Turns()


def work(model: Model, n_tokens: int) -> int:
    """How much a pass has to do: each token meets each parameter once, in one multiplication."""
    return n_tokens * model.n_parameters


def suit_cores(model: Model, n_tokens: int) -> None:
    """Lets what this thread computes from now on run on as many cores as such a pass is worth."""
    _take(_CORES if work(model, n_tokens) >= LONG else 1)


def on_these_cores(function: Function) -> Function:
    """The function, on as many cores as this thread has now, whichever thread will run it."""
    cores = torch.get_num_threads()

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        _take(cores)
        return function(*args, **kwargs)

    return cast("Function", run)


def _take(cores: int) -> None:
    # asked first: a thread that never was would, at its first product, take what another one set
    if torch.get_num_threads() != cores:
        torch.set_num_threads(cores)


def trace(model: Model, token_ids: Sequence[int], edits: Sequence[Edit] = ()) -> Journey:
    """`tokenjourney.trace`, when its turn has come.

    Raises:
        TokenJourneyError: as there.
    """
    suit_cores(model, len(token_ids))
    if (to_do := work(model, len(token_ids))) < LONG:
        return tj.trace(model, token_ids, edits)
    journey = _turns().last(to_do, traced_blocks(model, token_ids, edits))
    assert isinstance(journey, Journey)
    return journey
