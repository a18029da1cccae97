"""Models and Journeys, kept for everybody on this server: bounded, and computed once.

Thirty people who open one link cost one trace: the first one computes, the others wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import streamlit as st

import tokenjourney as tj
from tokenjourney.errors import ModelNotFoundError, PromptError
from tokenjourney.figures.text import distinct_labels
from tokenjourney.prompt import prompt_ids
from tokenjourney.ui import models, sharing
from tokenjourney.ui.bounded import BoundedCache, size_of
from tokenjourney.ui.state import BUNDLED

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model

Value = TypeVar("Value")
_JOURNEY_BYTES: Final = 1_500_000_000
_JOURNEYS: Final = 300
_FACT_BYTES: Final = 500_000_000
_FACTS: Final = 2_000
_PICTURE_BYTES: Final = 64_000_000
_PICTURES: Final = 2_000
_MODEL_BYTES: Final = 8_000_000_000


@st.cache_resource(show_spinner=False)
def _models() -> BoundedCache[Any]:
    return BoundedCache(_MODEL_BYTES, lambda model: model.n_bytes, grows=True)


@st.cache_resource(show_spinner=False)
def _journeys() -> BoundedCache[Any]:
    least = _JOURNEY_BYTES // _JOURNEYS
    return BoundedCache(_JOURNEY_BYTES, lambda journey: journey.n_bytes, least=least, grows=True)


@st.cache_resource(show_spinner=False)
def _facts() -> BoundedCache[Any]:
    return BoundedCache(_FACT_BYTES, size_of, least=_FACT_BYTES // _FACTS)


@st.cache_resource(show_spinner=False)
def _pictures() -> BoundedCache[Any]:
    return BoundedCache(_PICTURE_BYTES, size_of, least=_PICTURE_BYTES // _PICTURES)


def picture(key: Hashable, draw: Callable[[], Value]) -> Value:
    """What the browser draws a picture from, made once for all who see the same."""
    found: Value = _pictures().get(key, draw)
    return found


def fact(key: Hashable, compute: Callable[[], Value]) -> Value:
    """A value that pages compute once and share. None counts as not there."""
    found: Value = _facts().get(key, compute)
    return found


def known(key: Hashable) -> Any:
    """The value of a `fact` that somebody has computed, or None."""
    return _facts().find(key)


@st.cache_resource(show_spinner=False)
def _bundled() -> Model:
    return tj.load_model()


def model(name: str) -> Model:
    """The model of that name in the picker.

    Raises:
        ModelNotFoundError: this server does not offer it, or the Hub is out of reach.
        CheckpointError: its files cannot be used.
    """
    offer = models.offers().get(name)
    if offer is None:
        raise ModelNotFoundError(
            f"This server has no model named {name!r}. "
            f"Choose one of these: {', '.join(models.offers())}."
        )
    if name == BUNDLED:
        return _bundled()

    def load() -> Model:
        here = offer.kind == "hub" and models.on_disk(offer)  # then nothing is asked of the network
        return tj.load_model(offer.source, local_files_only=here)

    loaded: Model = _models().get((name, offer.source), load)
    return loaded


def is_loaded(name: str) -> bool:
    """Whether the model of that name is in memory."""
    offer = models.offers().get(name)
    return name == BUNDLED or (offer is not None and (name, offer.source) in _models())


def is_traced(name: str, prompt: str) -> bool:
    """Whether the Journey of a prompt through the model of that name is in memory."""
    return (name, prompt, ()) in _journeys()


def journey(name: str, prompt: str, edits: tuple[Any, ...] = ()) -> Journey:
    """The Journey of a prompt through the model of that name, with edits.

    Raises:
        TokenJourneyError: it cannot be traced; the message says why and what to do.
    """

    def trace() -> Journey:
        loaded = model(name)
        return sharing.trace(loaded, prompt_ids(loaded, as_input(loaded, prompt)), edits)

    found: Journey = _journeys().get((name, prompt, tuple(map(_edit_key, edits))), trace)
    sharing.suit_cores(found.model or model(name), len(found))  # for what is derived from it
    return found


def continued(name: str, prompt: str, ids: tuple[int, ...], edits: tuple[Any, ...] = ()) -> Journey:
    """The Journey of a prompt with more tokens behind it, grown from the longest that is there.

    Raises:
        TokenJourneyError: it cannot be traced.
    """
    if not ids:
        return journey(name, prompt, edits)
    journeys, made = _journeys(), tuple(map(_edit_key, edits))

    def grow() -> Journey:
        known = (n for n in range(len(ids) - 1, 0, -1) if (name, prompt, made, ids[:n]) in journeys)
        n = next(known, 0)
        return continued(name, prompt, ids[:n], edits).extend(*ids[n:])

    found: Journey = journeys.get((name, prompt, made, ids), grow)
    return found


def as_input(model: Model, prompt: str) -> str | list[int]:
    """What `trace` takes: the prompt, or its numbers for a model without tokenizer.

    Raises:
        PromptError: the model takes token IDs only, and the prompt is something else.
    """
    if model.tokenizer is not None:
        return prompt
    parts = prompt.replace(",", " ").split()
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise PromptError(
            "This model comes without a tokenizer, so it takes token IDs: "
            "whole numbers with spaces between, such as 15 7 200."
        )
    return [int(part) for part in parts]


def _edit_key(edit: Any) -> Hashable:
    array = None if edit.array is None else (edit.array.shape, edit.array.tobytes())
    return (edit.name, edit.kind, edit.head, edit.factor, array)


def label(model: Model, token_id: int) -> str:
    """Visible text of a token of the model's vocabulary."""
    return str(token_id) if model.tokenizer is None else model.tokenizer.visible(token_id)


def texts(journey: Journey) -> tuple[str, ...]:
    """Visible text of each token."""
    if (loaded := journey.model) is None:
        return tuple(map(str, journey.token_ids))
    return tuple(label(loaded, token_id) for token_id in journey.token_ids)


def labels(journey: Journey) -> tuple[str, ...]:
    """The same, with its position as subscript where a text occurs twice."""
    return tuple(distinct_labels(texts(journey)))
