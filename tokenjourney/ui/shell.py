"""What stands around the page: navigation, prompt, model, presets, token chips, errors."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tokenjourney.errors import TokenJourneyError
from tokenjourney.figures.text import count
from tokenjourney.ui import (
    badge,
    cache,
    components,
    figure,
    knock_outs,
    model_picker,
    navigation,
    presets,
    state,
    style,
    widgets,
)
from tokenjourney.ui.models import offers
from tokenjourney.ui.text import ASSETS, Safe, load

_LONG_TOKEN: Final = 64  # characters; so much of a text is looked at to cut it
ICON: Final = str(ASSETS / "components" / "icon.svg")


def run() -> None:
    """Draw the frame and run the page in it."""
    page, pages = navigation.routes()
    choice = state.read(page.url_path, presets.default(), tuple(offers()))
    style.apply(page.url_path)
    prompt_row()
    notices = st.empty()
    traced = trace_prompt(choice)
    presets_row(choice)
    problem(choice, traced)
    with st.sidebar:
        sidebar(choice, pages)
        checks = st.container()
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
    chips_row(choice)
    try:
        page.run()
    except TokenJourneyError as error:
        figure.card(str(error))
    finally:  # a page may also end with st.stop
        state.write()
        with checks:  # last, so that no page waits for it
            badge.draw(model, prompt)


def trace_prompt(choice: state.Choice) -> TokenJourneyError | None:
    """Trace what is in the box. If that fails, the last good journey stays and this is why."""
    if not choice.prompt:
        return None
    try:
        with st.spinner(_doing(choice), show_time=False) if _slow(choice) else st.empty():
            cache.journey(choice.model, choice.prompt)
    except TokenJourneyError as error:
        return error
    choice.shown = (choice.prompt, choice.model)
    return None


def _slow(choice: state.Choice) -> bool:
    return not cache.is_loaded(choice.model) or len(choice.prompt) > 1_000


def _doing(choice: state.Choice) -> str:
    offer = offers()[choice.model]
    if not cache.is_loaded(choice.model):
        return f"Loading {offer.title}"
    return f"Tracing {count(len(choice.prompt))} characters through {offer.title}"


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


def presets_row(choice: state.Choice) -> None:
    """One-click prompts; what the chosen one shows; how many tokens of how many."""
    texts = presets.texts()
    chosen = choice.prompt if choice.prompt in texts else None

    def put(text: str | None) -> None:
        if text is not None:
            state.put(prompt=text)

    with st.container(key="preset-row", horizontal=True, vertical_alignment="center", gap="small"):
        key, changed = state.bind_key("w.preset", chosen, put)
        st.pills("Examples", texts, key=key, on_change=changed, label_visibility="collapsed",
                 wrap=False)  # fmt: skip
        st.html(f'<p class="tj-count">{_tokens_of(choice)}</p>', width="content")
    if choice.shown == (choice.prompt, choice.model):
        _say_what_it_shows(choice.prompt, choice.model)


def _say_what_it_shows(preset: str, model: str) -> None:
    shown = presets.shown(preset, model)
    if shown is None:
        return
    with st.container(key="preset-note", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f'<p class="tj-note">{shown.sentence}</p>', width="content")
        if shown.instead:
            st.button(
                f"Try “{shown.instead}”",
                key="preset-instead",
                type="tertiary",
                on_click=state.put,
                kwargs={"prompt": shown.instead},
            )


def _tokens_of(choice: state.Choice) -> Safe:
    if not choice.prompt or not cache.is_loaded(choice.model):
        return Safe("")
    try:
        limit = cache.model(choice.model).config.n_ctx
        n = cache.count_tokens(choice.model, choice.prompt)
    except TokenJourneyError:
        return Safe("")
    over = " tj-over" if n > limit else ""
    return Safe(f'<span class="tj-n{over}">{count(n)}</span> of {count(limit)} tokens')


def problem(choice: state.Choice, error: TokenJourneyError | None) -> None:
    """What stands in the way of the prompt in the box, and the ways out."""
    if not choice.prompt:
        words = load("frame")
        figure.card(words["empty"]["text"], words["empty"]["title"], kind="empty")
        return
    if error is None:
        return
    with st.container(key="problem", gap="small"):
        cut = _cut(choice)
        figure.card(str(error), "Too long for this model" if cut else "This could not be traced")
        with st.container(horizontal=True, gap="small"):
            if cut:
                st.button(
                    f"Keep the first {count(cut[1])} tokens",
                    key="cut",
                    on_click=state.put,
                    kwargs={"prompt": cut[0]},
                )
            if choice.shown:
                st.button(
                    "Back to the last one that worked",
                    key="back",
                    on_click=state.put,
                    kwargs={"prompt": choice.shown[0], "model": choice.shown[1]},
                )


def _cut(choice: state.Choice) -> tuple[str, int] | None:
    """The start of a prompt that is too long, in as many tokens as fit, and how many they are."""
    if not cache.is_loaded(choice.model):
        return None
    try:
        model = cache.model(choice.model)
        limit = model.config.n_ctx
        if model.tokenizer is None or cache.count_tokens(choice.model, choice.prompt) <= limit:
            return None
        start = choice.prompt[: limit * _LONG_TOKEN]
        tokens = model.tokenizer.tokens(start)
        end = tokens[limit].start if len(tokens) > limit else len(start)
        while (n := len(model.tokenizer.encode(start[:end]))) > limit:
            end -= 1
    except TokenJourneyError:
        return None
    return start[:end], n


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


def sidebar(choice: state.Choice, pages: dict[str, st.Page]) -> None:
    """Wordmark, links to the pages, story words."""
    st.html('<div class="tj-wordmark">Token Journey</div>')
    navigation.links(pages)
    st.html('<hr class="tj-rule">')
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
