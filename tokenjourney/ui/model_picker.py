"""The picker of models: each with its size before one commits, a download only on request."""

from __future__ import annotations

import streamlit as st

from tokenjourney.errors import TokenJourneyError
from tokenjourney.ui import cache, figure, state
from tokenjourney.ui.models import Offer, offers, on_disk


def draw() -> None:
    """A button with the model on screen that opens the list."""
    choice = state.current()
    found = offers()
    with st.popover(_title(found[choice.model]), key="model"):
        key = "w.model"
        if key not in st.session_state:
            st.session_state[key] = choice.model
        name = st.radio(
            "Model",
            list(found),
            format_func=lambda name: found[name].title,
            captions=[offer.size for offer in found.values()],
            key=key,
            on_change=_take,
        )
        if name is not None and name != choice.model:
            _confirm(found[name])


def _take() -> None:
    """Switch at once to a model that is here; one that must be fetched waits for a second click."""
    offer = offers()[st.session_state["w.model"]]
    if on_disk(offer):
        state.put(model=offer.name)


def _confirm(offer: Offer) -> None:
    if on_disk(offer):
        return
    st.html(f'<p class="tj-note">{offer.title} is fetched from the Hugging Face Hub once.</p>')
    if st.button(f"Download and open {offer.title}", type="primary", key="download"):
        try:
            with st.status(f"Downloading {offer.title}: {offer.size}"):
                cache.model(offer.name)
        except TokenJourneyError as error:
            figure.card(str(error), f"{offer.title} could not be opened")
            return
        state.put(model=offer.name)
        st.rerun()


def _title(offer: Offer) -> str:
    if not cache.is_loaded(offer.name):
        return offer.title
    try:
        config = cache.model(offer.name).config
    except TokenJourneyError:
        return offer.title
    return f"{offer.title}, {config.n_layers} × {config.n_heads}"
