"""What stands around the page: navigation, prompt, model, presets, token chips, errors."""

from __future__ import annotations

import zlib
from dataclasses import asdict
from typing import Final

import streamlit as st

from tokenjourney.errors import TokenJourneyError
from tokenjourney.figures.text import count
from tokenjourney.ui import (
    badge,
    cache,
    components,
    empty,
    figure,
    knock_outs,
    model_picker,
    navigation,
    parts,
    presets,
    state,
    style,
    widgets,
)
from tokenjourney.ui.measure import Measured, measured
from tokenjourney.ui.models import offers
from tokenjourney.ui.text import ASSETS, Safe, load, markup

ICON: Final = str(ASSETS / "components" / "icon.svg")


def run() -> None:
    """Draw the frame and run the page in it."""
    page, pages = navigation.routes()
    navigation.turn(pages)
    choice = state.read(page.url_path, presets.default(), tuple(offers()))
    model_picker.fall_back(choice)
    found = _measured(choice)
    with st.container(key="house"):
        style.apply(page.url_path)
        st.html(Safe(f'<p class="tj-doing" role="status">{_doing(choice, found)}</p>'))
    prompt_row()
    notices = st.empty()
    traced = trace_prompt(choice)
    found = found or _measured(choice)  # where the model was not there before
    if not choice.prompt and choice.shown is None:
        welcome(choice)
    else:
        presets_row(choice, found)
    problem(choice, traced, found)
    with st.sidebar:
        sidebar(choice)
    if choice.shown is None:
        state.write()
        return
    prompt, model = choice.shown
    journey = cache.journey(model, prompt)
    state.fit(len(journey), journey.config.n_layers, journey.config.n_heads)
    knock_outs.trace(model, prompt)
    if choice.notices:
        notices.html("".join(widgets.notice(sentence) for sentence in choice.notices))
        choice.notices.clear()
    try:
        parts.part(stage, key=state.STAGE)(choice.framed())
    finally:  # a page may also end with st.stop
        with st.sidebar:  # last, so that no page waits for it
            badge.draw(model, prompt)


def stage(framed: tuple[object, ...]) -> None:
    """The token chips and the page: all that changes when another token is followed.

    Args:
        framed: What the frame around it shows. Where it is something else by now, all runs again.
    """
    choice = state.current()
    if choice.framed() != framed:
        st.rerun()
    try:
        chips_row(choice)
        navigation.run(choice.page)
    except TokenJourneyError as error:
        figure.card(str(error))
    finally:
        state.write()


def trace_prompt(choice: state.Choice) -> TokenJourneyError | None:
    """Trace what is in the box. If that fails, the last good journey stays and this is why."""
    if not choice.prompt:
        return None
    try:
        cache.journey(choice.model, choice.prompt)
    except TokenJourneyError as error:
        return error
    choice.shown = (choice.prompt, choice.model)
    return None


def _doing(choice: state.Choice, found: Measured | None) -> Safe:
    """What the server is at, by name; the style sheet shows it once that takes two seconds."""
    words, title = load("frame")["doing"], offers()[choice.model].title
    if not cache.is_loaded(choice.model):
        return markup(words["loading"], title=title)
    if found is None:
        return markup(words["opening"], title=title)
    known = cache.is_traced(choice.model, choice.prompt)
    n_layers = cache.model(choice.model).config.n_layers
    return markup(words["drawing" if known else "tracing"], n=count(found.n), n_layers=n_layers)


def prompt_row() -> None:
    """The prompt box, the model picker and the button that traces."""
    choice = state.current()
    with st.container(key="prompt-row", horizontal=True, vertical_alignment="top", gap="small"):
        key, changed = state.bind_key("w.prompt", choice.prompt, _set_prompt)
        st.text_area(
            "Prompt",
            key=key,
            on_change=changed,
            height="content",
            label_visibility="collapsed",
            placeholder="Type a text. Enter traces it, Shift + Enter begins a new line.",
        )
        model_picker.draw()
        st.button("Trace", type="primary", key="trace", on_click=changed)


def _set_prompt(prompt: str | None) -> None:
    state.put(prompt=(prompt or "").replace("\r\n", "\n"))


def welcome(choice: state.Choice) -> None:
    """Instead of a page, while there is no text: what to do, the examples, the way outlined."""
    with st.container(key="welcome", gap=None):
        with st.container(key="welcome-head", horizontal=True, vertical_alignment="bottom"):
            empty.heading()
            _draw_measured("count", None, choice)
        with st.container(key="welcome-presets"):
            _examples(None, wrap=True)
        empty.outline()


def presets_row(choice: state.Choice, found: Measured | None) -> None:
    """One-click prompts; what the chosen one shows; how many tokens of how many."""
    chosen = choice.prompt if choice.prompt in presets.texts() else None
    with st.container(key="preset-row", horizontal=True, vertical_alignment="center", gap="small"):
        _examples(chosen, wrap=False)
        _draw_measured("count", found, choice)
    if choice.shown == (choice.prompt, choice.model):
        _say_what_it_shows(choice.prompt, choice.model)


def _examples(chosen: str | None, *, wrap: bool) -> None:
    def put(text: str | None) -> None:
        if text is not None:
            state.put(prompt=text)

    key, changed = state.bind_key("w.preset", chosen, put)
    st.pills("Examples", presets.texts(), key=key, on_change=changed,
             label_visibility="collapsed", wrap=wrap)  # fmt: skip


def _say_what_it_shows(preset: str, model: str) -> None:
    shown = presets.shown(preset, model)
    if shown is None:
        return
    with st.container(key="preset-note", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(Safe(f'<p class="tj-note">{shown.sentence}</p>'), width="content")
        if shown.instead:
            st.button(
                f"Try “{shown.instead}”",
                key="preset-instead",
                type="tertiary",
                on_click=state.put,
                kwargs={"prompt": shown.instead},
            )


def _measured(choice: state.Choice) -> Measured | None:
    """How long the prompt in the box is, where its model is there and can say so."""
    if not choice.prompt or not cache.is_loaded(choice.model):
        return None
    try:
        if cache.is_traced(choice.model, choice.prompt):
            journey = cache.journey(choice.model, choice.prompt)
            return Measured(len(journey), journey.config.n_ctx, (), (), "", len(journey))
        return measured(choice.model, choice.prompt)
    except TokenJourneyError:
        return None


def problem(choice: state.Choice, error: TokenJourneyError | None, found: Measured | None) -> None:
    """What stands in the way of the prompt in the box, and the ways out."""
    too_long = error is not None and found is not None and found.is_too_long
    _draw_measured("beyond", found, choice, alert=too_long)
    if choice.wanted:
        model_picker.offer(choice)
    if not choice.prompt and choice.shown:
        words = load("frame")["empty"]
        figure.card(words["stays"], words["title"], kind="empty")
    if error is None:
        return
    with st.container(key="problem", gap="small"):
        if not too_long:
            figure.card(_without_folders(error, choice.model), "This could not be traced")
        if choice.shown:
            st.button(
                "Back to the last one that worked",
                key="back",
                on_click=state.put,
                kwargs={"prompt": choice.shown[0], "model": choice.shown[1]},
            )


def _without_folders(error: TokenJourneyError, model: str) -> str:
    """What happened, with the model's name where its folder on this server would stand."""
    found = offers()[model]
    folder = found.source if found.kind == "folder" else None
    return str(error).replace(folder, found.name) if folder else str(error)


def _draw_measured(
    part: str, found: Measured | None, choice: state.Choice, *, alert: bool = False
) -> None:
    components.measured(
        part,
        asdict(found) if found else {},
        of=f"{choice.model} {zlib.crc32(choice.prompt.encode('utf-8', 'replace'))}",
        words=load("frame")["measured"],
        alert=alert,
    )


def chips_row(choice: state.Choice) -> None:
    """The tokens of the journey on screen; one of them is followed."""
    prompt, model = choice.shown or (choice.prompt, choice.model)
    journey = cache.journey(model, prompt)
    last = len(journey) - 1
    followed = last if choice.token is None else choice.token

    def follow(token: int) -> None:
        state.put(token=None if token == last else token)

    components.chips(
        cache.texts(journey),
        journey.token_ids,
        followed,
        cache.labels(journey)[followed],
        follow,
    )


def sidebar(choice: state.Choice) -> None:
    """Wordmark, links to the pages, story words."""
    st.html(
        Safe(
            f'<div class="tj-wordmark">Token Journey</div>{navigation.links()}<hr class="tj-rule">'
        )
    )
    key, changed = state.bind_key(
        "w.story-on", choice.story != "off", lambda on: state.put(story="student" if on else "off")
    )
    st.toggle("Story words", key=key, on_change=changed)
    if choice.story != "off":
        key, changed = state.bind_key("w.story", choice.story, lambda story: state.put(story=story))
        words = load("frame")["stories"]
        st.segmented_control(
            "Story",
            ("student", "engine"),
            format_func=words.__getitem__,
            key=key,
            on_change=changed,
            required=True,
            label_visibility="collapsed",
        )
