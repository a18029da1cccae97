"""What stands there before there is a text: the stations of one row, outlined, and no numbers."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tokenjourney.errors import TokenJourneyError
from tokenjourney.ui import cache, state
from tokenjourney.ui.text import Safe, escaped, load

_BARS: Final = 4


def heading() -> None:
    """What to do, as the title of the page."""
    st.html(
        Safe(
            f'<header class="tj-header"><h1>{escaped(load("frame")["empty"]["title"])}</h1>'
            "</header>"
        )
    )


def outline() -> None:
    """The map's stations with the outlines of one row, and a sentence."""
    words, stations = load("frame")["empty"], load("start")["map"]["stations"]
    story, n = state.current().story, _n_layers()

    def station(name: str, inside: str) -> str:
        title = stations[name]["title"].partition(":")[0] if n is None else stations[name]["title"]
        aside = stations[name].get(story, "")
        return (
            f'<div class="tj-outline-{name}"><b>{escaped(title.format(n=n))}</b>'
            f"<i>{escaped(aside)}</i><span>{inside}</span></div>"
        )

    stack = "".join(f"<u>{number}</u>" for number in range(n or 0)) or "<u></u>"
    row = "".join(
        (
            station("tokens", "<u></u>"),
            station("embedding", "<u></u>"),
            station("position", "<u></u>"),
            station("stack", stack),
            station("norm", "<u></u>"),
            station("next", "<u></u>" * _BARS),
        )
    )
    st.html(
        Safe(
            f'<div class="tj-outline" role="img" aria-label="{escaped(words["alt"])}">'
            f"{Safe(row)}</div>"
            f'<p class="tj-note">{escaped(words["text"])}</p>'
        )
    )


def _n_layers() -> int | None:
    """How many blocks the chosen model has, where it is loaded."""
    name = state.current().model
    try:
        return cache.model(name).config.n_layers if cache.is_loaded(name) else None
    except TokenJourneyError:
        return None
