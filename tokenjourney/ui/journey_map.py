"""The map of a journey: the component in assets/components/journey_map, and what its clicks do.

What it draws comes from map_data.py, what it says from map_words.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

import streamlit as st

from tokenjourney.analysis.journey_map import MapSummary, map_summary
from tokenjourney.analysis.lens import logit_lens, residual_stack, token_depths
from tokenjourney.ui import components, figure, navigation, state
from tokenjourney.ui.map_data import longer_prompt, map_bytes
from tokenjourney.ui.map_words import Guess, table_columns, table_rows
from tokenjourney.ui.text import Safe, escaped

if TYPE_CHECKING:
    from tokenjourney.analysis.journey_map import Array
    from tokenjourney.ui.page import Page

_KEY: Final = "w.journey-map"


def draw(page: Page) -> None:
    """The map of the journey on screen, with its caption and the table behind it."""
    last = len(page.journey) - 1
    head, choose_head = page.extra("curves", None, partial(_head, page))

    def followed() -> None:
        position = st.session_state[_KEY].get("follow")
        if isinstance(position, int) and 0 <= position <= last:
            state.put(token=None if position == last else position)

    def added() -> None:
        prompt, _ = longer_prompt(page)
        if prompt is not None:
            state.put(prompt=prompt)

    def chosen() -> None:
        choose_head(st.session_state[_KEY].get("heads") or None)

    def opened() -> None:
        _open_station(st.session_state[_KEY].get("open"))

    def summary() -> MapSummary:
        return page.remember("map", lambda: _summary(page))

    def drawn() -> bytes:
        guesses = page.remember(f"map-guesses-{page.token}", lambda: _guesses(page))
        return map_bytes(page, summary(), guesses, head)

    with st.container(key="tjfig-journey-map", gap=None):
        components.component("journey_map", "journey_map/journey_map")(
            key=_KEY,
            data=page.shared("map", drawn),
            on_follow_change=followed,
            on_add_change=added,
            on_heads_change=chosen,
            on_open_change=opened,
        )
        figure.foot(
            "journey-map",
            page.text("figures.map.caption"),
            lambda: (table_columns(page), list(table_rows(page, summary()))),
            saves=True,
        )


def _open_station(wanted: object) -> None:
    """Go to the page of a station that was clicked, with everything that was chosen."""
    if not isinstance(wanted, dict):
        return
    chosen = {name: wanted[name] for name in ("block", "head") if isinstance(wanted.get(name), int)}
    if chosen:
        state.put(**chosen)
    navigation.go_to(wanted.get("path"))


def where_next(page: Page) -> None:
    """The pages of the journey in three parts, each with a link and a line on what it shows."""
    there = {entry.path for entry in navigation.entries()}
    parts = []
    for name, words in page.texts["next"].items():
        links = (
            navigation.link(path, escaped(label))
            for path, label in words["pages"].items()
            if path in there
        )
        parts.append(
            f'<section><div class="tj-next">{page.text(f"next.{name}.title")}</div>'
            f'<p class="tj-note">{page.text(f"next.{name}.note")}</p>'
            f'<div class="tj-links">{"".join(links)}</div></section>'
        )
    page.show(Safe("".join(parts)), "tj-next-parts")


def _summary(page: Page) -> MapSummary:
    journey = page.journey

    def blocks() -> Iterator[tuple[Array, Array]]:
        for block in range(journey.config.n_layers):
            pattern, middle = journey.passing(block, "pattern", "resid_mid")
            yield pattern, middle

    eps = journey.config.layer_norm_eps
    return map_summary(journey.token_ids, residual_stack(journey), blocks(), eps)


def _guesses(page: Page) -> tuple[Guess, ...]:
    """The best guess before block 0 and after each block, and how the final one ranks there."""
    journey, at = page.journey, page.token
    lens = logit_lens(page.model, journey, slice(at, at + 1))
    answer = journey.next_tokens(at, k=1)[0].token_id
    ranks = token_depths(page.model, journey, at, answer).rank
    return tuple(
        Guess(int(token), page.label(int(token)), float(share), int(rank), int(token) == answer)
        for token, share, rank in zip(lens.best[:, 0], lens.probability[:, 0], ranks, strict=True)
    )


def _head(page: Page, text: str) -> int | None:
    """The head whose attention the curves are; none for the mean."""
    head, most = int(text), page.model.config.n_heads - 1
    if not 0 <= head <= most:
        raise ValueError(f"The heads of this model are numbered 0 to {most}.")
    return head
