"""The pages, in the order of the journey, and the links to them in the sidebar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tokenjourney.ui import state
from tokenjourney.ui.text import Safe, while_unchanged

FOLDER: Final = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """One page: its group, its title in the navigation, its file, its URL path.

    `number` is its station on the journey, and `part` which of the journey's three parts it
    belongs to; both empty where it is no station.
    """

    group: str
    title: str
    file: str
    path: str
    number: str = ""
    part: str = ""

    @property
    def script(self) -> Path:
        """Absolute path of its file."""
        return FOLDER / self.file


_JOURNEY, _MAKING = "The journey", "How it came to be"
_BEYOND, _CLASS = "Beyond GPT-2", "In class"
_IN, _BLOCKS, _OUT = "Input", "Processing", "Output"
PAGES: Final = (
    Entry(_JOURNEY, "Start", "start.py", ""),
    Entry(_JOURNEY, "Tokens", "tokens.py", "tokens", "1", _IN),
    Entry(_JOURNEY, "Embeddings", "embeddings.py", "embeddings", "2", _IN),
    Entry(_JOURNEY, "Positions", "positions.py", "positions", "3", _IN),
    Entry(_JOURNEY, "One block", "block.py", "block", "4", _BLOCKS),
    Entry(_JOURNEY, "Attention", "attention.py", "attention", "5", _BLOCKS),
    Entry(_JOURNEY, "Feed-forward", "feed_forward.py", "feed-forward", "6", _BLOCKS),
    Entry(_JOURNEY, "The stack", "layers.py", "layers", "7", _BLOCKS),
    Entry(_JOURNEY, "Output", "output.py", "output", "8", _OUT),
    Entry(_JOURNEY, "Generation", "generation.py", "generation", "9", _OUT),
    Entry(_MAKING, "Byte-pair encoding", "bpe.py", "bpe"),
    Entry(_MAKING, "Training", "training.py", "training"),
    Entry(_MAKING, "Parameters", "parameters.py", "parameters"),
    Entry(_BEYOND, "KV cache", "kv_cache.py", "kv-cache"),
    Entry(_BEYOND, "Latent attention", "latent_attention.py", "latent-attention"),
    Entry(_BEYOND, "Mixture of experts", "mixture_of_experts.py", "mixture-of-experts"),
    Entry(_CLASS, "Compare", "compare.py", "compare"),
    Entry(_CLASS, "Quiz", "quiz.py", "quiz"),
)


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """The pages whose files exist. Without a start page the first one stands in at `/`."""
    return tuple(entry for entry in PAGES if entry.script.is_file())


def routes() -> tuple[st.Page, dict[str, st.Page]]:
    """The page to run, and all pages by URL path."""
    pages = _pages(entries(), get_script_run_ctx() is not None)
    return st.navigation(list(pages.values()), position="hidden"), pages


@lru_cache(maxsize=2)
def _pages(found: Sequence[Entry], runs: bool) -> dict[str, st.Page]:
    """Pages as Streamlit has them, by URL path; it makes them by halves where no script runs."""
    return {
        entry.path: st.Page(
            _nothing,  # given the file, Streamlit would ask the disk for each page in each run
            title=f"{entry.title} · Token Journey",
            url_path=entry.path or None,
            default=entry == found[0],
        )
        for entry in found
    }


def _nothing() -> None:
    """What Streamlit would run as a page: `run` does it instead."""


def run(path: str) -> None:
    """Run the script of the page with that URL path.

    Unlike `StreamlitPage.run` it does so as often as the part of the app around it is drawn.
    """
    context = get_script_run_ctx()
    script = next(entry.script for entry in PAGES if entry.path == path)
    assert context is not None
    with context.run_with_active_hash(context.page_script_hash):
        exec(_code(script), {"__name__": "__main__"})


@while_unchanged
def _code(script: Path) -> CodeType:
    return compile(script.read_bytes(), script, "exec")


def go_to(path: object) -> None:
    """Open the page with that URL path when the script runs next: for clicks on a link."""
    if any(path == entry.path for entry in entries()):
        state.current().going = str(path)


def turn(pages: dict[str, st.Page]) -> None:
    """Turn to the page whose link was clicked, with everything that was chosen."""
    choice = state.current() if state.has_begun() else None
    if choice is None or choice.going is None:
        return
    path, choice.going = choice.going, None
    choice.nav = choice.core()
    st.switch_page(pages[path], query_params=choice.nav)


def link(path: str, label: str) -> Safe:
    """A link to the page with that URL path, which keeps what the person chose.

    One message of HTML holds as many as are wanted, and it stays as it is whatever is chosen:
    `house` answers a click, and gives the link its query string when the pointer is on it.

    Args:
        path: URL path of the page; "" for the first.
        label: What stands there, as HTML of this project's own.
    """
    return Safe(f'<a href="./{path}" data-tj-page="{path}">{label}</a>')


def links() -> Safe:
    """The links to the pages, in groups, as HTML."""
    choice = state.current()
    choice.nav = choice.core()
    group = part = ""
    rows: list[str] = []
    for entry in entries():
        if entry.group != group:
            group, part = entry.group, ""
            rows.append(f'<p class="tj-group">{group}</p>')
        if entry.part != part:
            part = entry.part
            rows.append(f'<p class="tj-part-of">{part}</p>')
        number = f"<span>{entry.number}</span>" if entry.number else ""
        rows.append(link(entry.path, number + entry.title))
    return Safe(f'<nav class="tj-nav" aria-label="Pages">{"".join(rows)}</nav>')
