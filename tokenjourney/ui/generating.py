"""A generation that lives in the link: its token IDs behind a check of the prompt they belong to.

`go=3f2a.459.31.12` is three tokens behind the prompt whose check is 3f2a. Behind another prompt
they mean nothing and are left out, so that no one has to remember to forget them.
`tree=3f2a_2.7.31_0.5` are the branches that were left: one shares 2 tokens with what `go` says and
goes on with 7 and 31, the other begins with 5.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

import tokenjourney as tj
from tokenjourney.analysis.speed import lengths_to_measure, measured_speed
from tokenjourney.analysis.steps import Candidates, Path, shared, tips
from tokenjourney.figures.speed import speed_figure, speed_table
from tokenjourney.figures.text import count, number
from tokenjourney.tokens import visible
from tokenjourney.ui import cache, state
from tokenjourney.ui.parts import click_waits, serve_click
from tokenjourney.ui.sampling import Sampling
from tokenjourney.ui.text import Safe, escaped, plain_label

if TYPE_CHECKING:
    from tokenjourney.edits import Edit
    from tokenjourney.journey import Journey
    from tokenjourney.ui.page import Page

NAME: Final = "go"
MOST_TOKENS: Final = 500
"""So many fit into a link of 4,000 characters."""
TREE: Final = "tree"
MOST_BRANCHES: Final = 8
_LONGEST_TREE: Final = 1500
_TO_GO: Final = "generation.to_go"
_SHOWN_TOKENS: Final = 400
_STOPPED: Final = "generation.stopped"
_SPEED: Final = "generation.speed"


class Continuation:
    """The tokens generated behind the prompt on screen.

    Attributes:
        ids: Their IDs.
        others: The branches that were left, each with all its tokens.
        most: How many there can be: what the context leaves, and a link holds.
        room: How many more there can be.
    """

    def __init__(self, page: Page) -> None:
        """Reads it from the link; what the link says wrongly is left out, with a notice."""
        prompt = page.journey.token_ids
        self._check = f"{zlib.crc32(repr(prompt).encode()) & 0xFFFF:04x}"
        config = page.model.config
        most = min(MOST_TOKENS, config.n_ctx - len(prompt))

        def parse(text: str) -> str:
            check, *parts = text.split(".")
            if check != self._check:
                return ""
            if not all(p.isascii() and p.isdigit() and int(p) < config.d_vocab for p in parts):
                raise ValueError(
                    f"After the check come token IDs from 0 to {config.d_vocab - 1:,}."
                )
            if len(parts) > most:
                raise ValueError(f"This prompt leaves room for {most:,} tokens.")
            return text

        text, _ = page.extra(NAME, "", parse)
        self.ids: tuple[int, ...] = tuple(map(int, text.split(".")[1:]))
        self.most, self.room = most, most - len(self.ids)
        self._edits = page.off.edits
        tree, _ = page.extra(TREE, "", lambda text: self._known(text, config.d_vocab, most))
        paths = [
            self.ids[: numbers[0]] + numbers[1:]
            for part in tree.split("_")[1:]
            for numbers in [tuple(map(int, part.split(".")))]
        ]
        self.others: tuple[Path, ...] = tuple(
            path for path in tips([self.ids, *paths]) if path != self.ids
        )

    def _known(self, text: str, d_vocab: int, most: int) -> str:
        """The text of a tree, if it belongs to this prompt and to these tokens."""
        check, *parts = text.split("_")
        if check != self._check:
            return ""
        for part in parts:
            common, *ids = part.split(".")
            fits = all(n.isascii() and n.isdigit() and len(n) < 9 for n in (common, *ids))
            if not fits or int(common) > len(self.ids) or any(int(i) >= d_vocab for i in ids):
                raise ValueError("After the check come branches: tokens in common, then IDs.")
            if int(common) + len(ids) > most:
                raise ValueError(f"This prompt leaves room for {most:,} tokens.")
        return text

    def moved(self, ids: Sequence[int]) -> dict[str, str | None]:
        """What to put into the link to go on from other tokens; what is left stays in the tree."""
        path = tuple(int(i) for i in ids)
        left = [one for one in tips([*self.others, self.ids, path]) if one != path]
        parts = []
        for one in left[-MOST_BRANCHES:]:
            n = shared(path, one)
            parts.append(".".join(map(str, (n, *one[n:]))))
        while sum(map(len, parts)) > _LONGEST_TREE:
            parts.pop(0)
        tree = "_".join([self._check, *parts]) if parts else None
        return {NAME: self.link(path), TREE: tree, "at": None}

    def leads_to(self, ids: Sequence[int]) -> tuple[str | None, str | None]:
        """The same for a click on a figure: what `go` and `tree` become."""
        changes = self.moved(ids)
        return changes[NAME], changes[TREE]

    def link(self, ids: Iterable[int]) -> str | None:
        """What stands in the link for these tokens; None where there are none."""
        parts = [str(int(i)) for i in ids]
        return ".".join([self._check, *parts]) if parts else None

    def keep(self, ids: Sequence[int]) -> None:
        """Take these tokens from now on. The frame writes the link when the page has run."""
        choice = state.current()
        added = len(ids) - len(self.ids)
        self.ids, self.room = tuple(ids), self.room - added
        if (text := self.link(ids)) is not None:
            choice.extras[NAME] = choice.declared[NAME] = text

    def journey(self, path: Path | None = None) -> Journey:
        """The Journey of the prompt and these tokens, or those of another path."""
        return self._run(self.ids if path is None else path, self._edits)

    def untouched(self) -> Journey:
        """The same tokens with everything on."""
        return self._run(self.ids, ())

    def _run(self, path: Path, edits: tuple[Edit, ...]) -> Journey:
        choice = state.current()
        prompt, model = choice.shown or (choice.prompt, choice.model)
        return cache.continued(model, prompt, path, edits)


def buttons(page: Page, continuation: Continuation) -> int:
    """One token, many, stop, back, start over. Returns how many tokens are to be generated now."""
    words = page.text_table("buttons")
    to_go = int(st.session_state.pop(_TO_GO, 0))
    full = continuation.room <= 0
    with st.container(key="go-row", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(
            words["one"], type="primary", disabled=full, key="go.one", on_click=_go, args=(1,)
        )
        many = int(page.slider("many", words["how_many"], 5, 100, 20, 5, width=200))
        st.button(words["many"].format(n=many), disabled=full, key="go.many", on_click=_go,
                  args=(many,))  # fmt: skip
        st.button(words["stop"], disabled=to_go < 2, key="go.stop")
        st.button(words["back"], disabled=not continuation.ids, key="go.back", on_click=state.put,
                  kwargs=continuation.moved(continuation.ids[:-1]))  # fmt: skip
        nothing = not continuation.ids and not continuation.others
        st.button(words["over"], disabled=nothing, key="go.over", on_click=state.put,
                  kwargs={NAME: None, TREE: None, "at": None})  # fmt: skip
    if full:
        in_link = continuation.most == MOST_TOKENS
        page.say("words.full_link" if in_link else "words.full", n=count(continuation.most),
                 n_ctx=count(page.model.config.n_ctx))  # fmt: skip
    return min(to_go, continuation.room)


def _go(n: int) -> None:
    st.session_state[_TO_GO] = n
    state.put(at=None)


def run(page: Page, continuation: Continuation, sampling: Sampling, n: int) -> None:
    """Generate n tokens, showing the text as it grows. Any click stops it; what is there stays."""
    before = continuation.ids
    place = st.empty()
    place.html(_panel(page, before, None))
    if not n:
        return
    journey = continuation.journey()
    model = journey.model or page.model
    special = model.tokenizer.special_tokens.values() if model.tokenizer else ()
    settings: dict[str, Any] = sampling.settings
    steps = tj.generate(model, journey, n, **settings, stop_ids=frozenset(special))
    for step in steps:
        continuation.keep((*continuation.ids, step.token.id))
        place.html(_panel(page, continuation.ids, step.stopped))
        if click_waits():
            break
    if n > 1:
        st.session_state[_STOPPED] = step.stopped
    st.rerun()  # the buttons know now that nothing is running, and what is there


def branches(page: Page, continuation: Continuation, step: Candidates) -> None:
    """The candidates of one step as buttons: each goes on from there with that token."""
    with st.container(key="go-branch", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(Safe(f"<p class='tj-note'>{page.text('branch', step=step.step + 1)}</p>"),
                width="content")  # fmt: skip
        for token_id in step.token_ids:
            st.button(
                plain_label(page.label(token_id)),
                key=f"go.branch.{token_id}",
                disabled=token_id == step.chosen or step.step >= continuation.most,
                on_click=state.put,
                kwargs=branch(continuation, step.step, token_id),
            )


def branch(continuation: Continuation, step: int, token_id: int) -> dict[str, str | None]:
    """What to put into the link to take a token at a step, and forget what came after it."""
    return continuation.moved((*continuation.ids[:step], token_id))


def speeds(page: Page, token_ids: Sequence[int]) -> bool:
    """A button that measures one new token at several lengths, and the chart of it, named "speed".

    Returns:
        Whether this model was measured in this visit.
    """
    words = page.text_table("speed")
    model = page.model
    if st.button(words["button"], key="go.measure"):
        lengths = lengths_to_measure(model.config.n_ctx, len(token_ids))
        bar, found = st.progress(0.0, words["doing"].format(n=lengths[0])), []
        for i, speed in enumerate(measured_speed(model, token_ids, lengths)):
            found.append(speed)
            following = lengths[min(i + 1, len(lengths) - 1)]
            bar.progress((i + 1) / len(lengths), words["doing"].format(n=f"{following:,}"))
            serve_click()
        bar.empty()
        st.session_state[_SPEED] = (model.name, found)
    name, found = st.session_state.get(_SPEED, ("", []))
    if name != model.name:
        return False
    n_tokens = [one.n_tokens for one in found]
    cached, uncached = [one.cached_ms for one in found], [one.uncached_ms for one in found]
    page.figure(
        "speed",
        speed_figure(lengths=n_tokens, cached=cached, uncached=uncached, theme=page.theme),
        lambda: speed_table(lengths=n_tokens, cached=cached, uncached=uncached),
        of="model", n=count(found[-1].n_tokens),
        times=number(found[-1].uncached_ms / found[-1].cached_ms, 1),
    )  # fmt: skip
    return True


def _panel(page: Page, ids: Sequence[int], stopped: str | None) -> Safe:
    """The text so far: the prompt, then the generated tokens, each as a mark."""
    stopped = stopped or st.session_state.pop(_STOPPED, None)
    shown = ids[-_SHOWN_TOKENS:]
    first = len(ids) - len(shown)
    marks = "".join(
        f'<span class="tj-new" title="step {first + i + 1}, ID {token_id}">{_text(page, token_id)}'
        "</span>"
        for i, token_id in enumerate(shown)
    )
    skipped = f"<i> … {first:,} tokens … </i>" if first else ""
    prompt = escaped(page.journey.text)
    n = len(page.journey)
    note = f"{n:,} + {len(ids):,} = {n + len(ids):,} of {page.model.config.n_ctx:,} tokens"
    if stopped:
        note += f"; stopped: {escaped(stopped)}"
    return Safe(
        '<div class="tj-story-text" role="log" aria-label="The text so far">'
        f'<p><span class="tj-given">{prompt}</span>{skipped}{marks}<span class="tj-caret"></span>'
        f'</p><p class="tj-note">{note}</p></div>'
    )


def _text(page: Page, token_id: int) -> Safe:
    """A token as it stands in a text; where its bytes are no text, they are named."""
    tokenizer = page.model.tokenizer
    if tokenizer is None:
        return escaped(f" {token_id}")
    try:
        return escaped(tokenizer.token_bytes(token_id).decode("utf-8"))
    except UnicodeDecodeError:
        return escaped(visible(tokenizer.token_bytes(token_id)))
