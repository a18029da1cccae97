"""The picker of models: each with its size before one commits, a download only on request."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tokenjourney.errors import TokenJourneyError
from tokenjourney.ui import cache, figure, models, state
from tokenjourney.ui.models import Offer, offers, on_disk
from tokenjourney.ui.text import Safe, load, markup, plain

_KEY: Final = "w.model"
_DRAWN: Final = "w.model.drawn"


def draw() -> None:
    """A button with the model on screen, which opens the list."""
    choice = state.current()
    found = offers()
    if st.session_state.get(_DRAWN) != choice.model:
        st.session_state[_KEY] = st.session_state[_DRAWN] = choice.model
    # The key changes with the model, so that the list closes when one was chosen.
    with st.popover(_title(found[choice.model]), key=f"model-{choice.model}"):
        name = st.radio(
            "Model",
            list(found),
            format_func=lambda name: found[name].title,
            captions=[_size(offer) for offer in found.values()],
            key=_KEY,
            on_change=_take,
        )
        if name is not None and name != choice.model:
            _confirm(found[name])


def _take() -> None:
    """Switch at once to a model that is here; one that must be fetched waits for a second click."""
    offer = offers()[st.session_state[_KEY]]
    if on_disk(offer):
        state.put(model=offer.name)


def _confirm(offer: Offer) -> None:
    st.html(
        Safe(
            f'<p class="tj-note">{markup(load("frame")["model"]["fetched"], title=offer.title)}</p>'
        )
    )
    _download(offer, "download")


def _download(offer: Offer, key: str) -> None:
    """A button that fetches a model and opens it, with a bar while that lasts."""
    words = load("frame")["model"]
    if not st.button(words["download"].format(title=offer.title), type="primary", key=key):
        return
    named = words["downloading"].format(title=offer.title)
    bar = st.progress(0.0, named)
    try:
        for done in models.download(offer):
            share = min(done / offer.download, 1.0) if offer.download else 0.0
            bar.progress(share, f"{named}: {_of(done, offer.download)}")
        bar.progress(1.0, words["opening"].format(title=offer.title))
        cache.model(offer.name)
    except TokenJourneyError as error:
        bar.empty()
        figure.card(str(error), words["failed"].format(title=offer.title))
        return
    state.put(model=offer.name)
    st.rerun()


def _of(done: int, whole: int | None) -> str:
    return models.in_words(done) + (f" of {models.in_words(whole)}" if whole else "")


def fall_back(choice: state.Choice) -> None:
    """Keep to a model that is here where the link asks for one that must be fetched first."""
    if not cache.is_loaded(choice.model) and not on_disk(offers()[choice.model]):
        choice.wanted = choice.model
        choice.model = choice.shown[1] if choice.shown else state.BUNDLED


def offer(choice: state.Choice) -> None:
    """A card about the model that the link asks for: its size, and the button that fetches it."""
    wanted, words = offers()[choice.wanted], load("frame")["model"]
    with st.container(key="wanted", gap="small"):
        figure.card(
            plain(markup(words["wanted"], size=wanted.size, shown=offers()[choice.model].title)),
            words["not_here"].format(title=wanted.title),
            kind="hint",
        )
        _download(wanted, "download-wanted")


def _size(offer: Offer) -> str:
    if offer.kind == "bundled" and cache.is_loaded(offer.name):
        try:
            millions = cache.model(offer.name).n_parameters / 1e6
        except TokenJourneyError:
            return offer.size
        return f"{millions:.1f} M parameters, {offer.size}"
    return offer.size


def _title(offer: Offer) -> str:
    if not cache.is_loaded(offer.name):
        return offer.title
    try:
        config = cache.model(offer.name).config
    except TokenJourneyError:
        return offer.title
    return f"{offer.title}, {config.n_layers} × {config.n_heads}"
