"""A training that a visitor starts, watches, pauses, stops and scrubs through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from tokenjourney.analysis.recording import EmbeddingMaps
from tokenjourney.errors import PromptError
from tokenjourney.figures.text import count
from tokenjourney.tokens import visible
from tokenjourney.training.live import MOST_SECONDS, LiveRun, Workshop
from tokenjourney.training.micro import micro_text
from tokenjourney.training.moments import Beginning, MicroSettings, Moment
from tokenjourney.ui import cache, merges
from tokenjourney.ui.state import bind_key
from tokenjourney.ui.text import Safe, escaped

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page

PART: Final = "live training"
"""The part of the page that a button has drawn anew."""
EVERY_SECONDS: Final = 1.5
"""How often a running training is looked at."""
MOST_MINUTES: Final = f"{MOST_SECONDS / 60:.0f}"
MOST_TYPED: Final = 20_000
_SLOT: Final = "training.watched"
_MINE: Final = "training.text"
_AT: Final = "training.at"
_NEWEST: Final = "training.newest"
_RATES: Final = ("0.0003", "0.001", "0.003", "0.01", "0.1")


@dataclass
class Watched:
    """A visitor's training with the maps made of it so far."""

    run: LiveRun
    maps: EmbeddingMaps

    @property
    def beginning(self) -> Beginning:
        """What was known before the first step; it is there as soon as there is a moment."""
        assert self.run.beginning is not None
        return self.run.beginning

    @property
    def labels(self) -> list[str]:
        """The visible text of every token of its vocabulary."""
        return [visible(bytes.fromhex(data)) for data in self.beginning.vocabulary]

    def at(self, moments: list[Moment]) -> Moment:
        """The snapshot looked at: the one chosen while it stands still, else the newest."""
        seen = [moment for moment in moments if moment.snapshot]
        chosen = st.session_state.get(_AT)
        if self.run.state in ("waiting", "starting", "running") or chosen is None:
            return seen[-1]
        return min(seen, key=lambda moment: abs(moment.step - chosen))


@st.cache_resource(show_spinner=False)
def workshop() -> Workshop:
    """All trainings of this server."""
    return Workshop()


def watched() -> Watched | None:
    """The training of this visitor, running or over."""
    found: Watched | None = st.session_state.get(_SLOT)
    return found


def stands_still() -> bool:
    """Whether nothing new comes from this visitor's training until a button is pressed."""
    now = watched()
    return now is None or now.run.is_over or now.run.state == "paused"


def choices(page: Page) -> MicroSettings | None:
    """The widgets of a training; None, with a word why, where it could not be trained so."""
    words = page.text_table("choices")
    with st.container(key="training-choices", horizontal=True, gap="medium"):
        source = page.choose("learn", words["text"], page.text_table("sources"), "stories")
        unit = page.choose("lmerges", words["merges"], page.text_table("units"))
    with st.container(key="training-sizes", horizontal=True, gap="small"):
        blocks = int(page.slider("lblocks", words["blocks"], 2, 6, 2, width=110))
        size = page.choose("lsize", words["size"], ("32", "64", "96"), "64")
        steps = int(page.slider("lsteps", words["steps"], 20, 600, 300, 20, width=150))
        rate = page.choose("lrate", words["rate"], _RATES, "0.003")
        seed = int(page.slider("lseed", words["seed"], 0, 20, 0, width=110))
    text = _text(page, source)
    page.say(f"said.{source}", n=count(len(text)))
    twin = page.toggle("twin", words["twin"], True)
    try:
        settings = MicroSettings(text, int(unit), blocks, int(size), steps, float(rate), seed, twin)
        _require_enough(settings)
    except PromptError as error:
        if text:
            st.html(Safe(f'<p class="tj-notice" role="status">{escaped(str(error))}</p>'))
        return None
    return settings


def _require_enough(settings: MicroSettings) -> None:
    """Tells at once what a training would only tell once its process is there.

    Raises:
        PromptError: the text gives too few tokens.
    """
    text, n_merges = settings.text, settings.n_merges
    key = ("enough to train on", merges.identity(text), n_merges)
    cache.fact(key, lambda: len(micro_text(text, n_merges).train))


def _text(page: Page, source: str) -> str:
    """The text of that source; one's own stays for this visit, also when another page is opened."""
    if source != "mine":
        return str(cache.fact(("corpus", source), lambda: merges.supplied(source)))

    def put(typed: str | None) -> None:
        st.session_state[_MINE] = typed or ""

    key, changed = bind_key("training.mine", st.session_state.get(_MINE, ""), put)
    st.text_area(page.plain("mine"), key=key, on_change=changed, max_chars=MOST_TYPED, height=140)
    return str(st.session_state[key])


def buttons(page: Page, settings: MicroSettings | None) -> None:
    """Train, pause or go on, stop."""
    words, now = page.text_table("buttons"), watched()
    state = now.run.state if now else "stopped"
    is_on = now is not None and not now.run.is_over
    with st.container(key="training-buttons", horizontal=True, gap="small"):
        st.button(words["train"], type="primary", key="training.train", on_click=_start,
                  args=(settings,), disabled=settings is None or is_on)  # fmt: skip
        st.button(words["go_on" if state == "paused" else "pause"], key="training.pause",
                  on_click=_pause, disabled=state not in ("running", "paused"))  # fmt: skip
        st.button(words["stop"], key="training.stop", on_click=_stop, disabled=not is_on)


def _start(settings: MicroSettings) -> None:
    _end()
    run = workshop().start(settings, _visitor())
    st.session_state[_SLOT] = Watched(run, EmbeddingMaps())
    st.session_state.pop(_AT, None)
    st.rerun(PART)


def _pause() -> None:
    if (now := watched()) is not None:
        if now.run.state == "paused":
            st.session_state.pop(_AT, None)
            now.run.go_on()
        else:
            now.run.pause()
    st.rerun(PART)


def _stop() -> None:
    _end()
    st.rerun(PART)


def _end() -> None:
    if (now := watched()) is not None and not now.run.is_over:
        now.run.stop()
        now.run.wait(5)


def _visitor() -> Callable[[], bool]:
    """Whether the visitor who asks now is still connected."""
    context = get_script_run_ctx()
    session = context.session_id if context else ""

    def is_there() -> bool:  # without a server nobody can leave
        return not runtime.exists() or runtime.get_instance().is_active_session(session)

    return is_there


def progress(page: Page, now: Watched) -> None:
    """Where the training is, as a bar with a sentence; why it ended, where it did early."""
    run, steps = now.run, now.run.settings.steps
    done = max(0, len(run.moments) - 1)
    values: dict[str, object] = {"step": count(done), "steps": count(steps)}
    if run.beginning:
        values |= {
            "vocabulary": count(len(run.beginning.vocabulary)),
            "parameters": count(run.beginning.n_parameters),
            "train": count(run.beginning.n_train),
            "held_out": count(run.beginning.n_held_out),
        }
    key = "never" if run.beginning is None and run.is_over else run.state
    said = page.plain(f"states.{key}", **values, most=workshop().most, minutes=MOST_MINUTES)
    st.progress(min(1.0, done / steps), said)
    if run.message:
        st.html(Safe(f'<p class="tj-notice" role="status">{escaped(run.message)}</p>'))


def scrubber(page: Page, now: Watched, moments: list[Moment]) -> None:
    """A slider over the recorded snapshots; while the training runs, it stays at the newest."""
    seen = [moment.step for moment in moments if moment.snapshot]
    if len(seen) < 2:
        return
    if not (now.run.is_over or now.run.state == "paused"):
        st.session_state[_NEWEST] = seen[-1]
        st.select_slider(page.plain("scrub_later"), seen, key=_NEWEST, disabled=True)
        return
    if st.session_state.get(_AT) not in seen:
        st.session_state[_AT] = seen[-1]
    st.select_slider(page.plain("scrub"), seen, key=_AT)


def sample(page: Page, moment: Moment) -> Safe:
    """What the network writes at a moment."""
    assert moment.snapshot is not None
    title = page.plain("sample_title", step=count(moment.step))
    return Safe(
        f'<div class="tj-story-text" role="log" aria-label="{escaped(title)}"><p>'
        f"{escaped(moment.snapshot.sample)}</p></div>"
    )


def kind(label: str) -> str:
    """What a token is, for its mark on the map: "letters", "capitals" or "other"."""
    bare = label.strip("·")
    if not bare.isalpha():
        return "other"
    return "capitals" if bare[0].isupper() else "letters"
