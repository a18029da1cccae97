"""What the person chose, kept in the query string, so that one link holds the lesson.

`Choice` is the state. It is read from the query string in one place (`read`), changed in one place
(`put`) and written back in one place (`write`). Widgets bind to it with `bind_key`: before a widget
is drawn its key gets the choice's value, and when the person moves it, `put` gets the widget's.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st

from tokenjourney.analysis.knock_outs import KnockOuts

BUNDLED: Final = "bundled"
STORIES: Final = ("student", "engine", "off")
CORE: Final = ("prompt", "model", "token", "block", "head", "story", "off")
STAGE: Final = "stage"
"""Name of the part of the app that hangs on all of a choice; the frame around it: on `framed`."""
_SLOT: Final = "tj.choice"
_MOST_EXTRAS: Final = 40
_LONGEST_EXTRA: Final = 4000


@dataclass
class Choice:
    """What one person chose, and what of it stands in the link.

    Attributes:
        prompt: The text in the box, whether or not it can be traced.
        model: Name of a model in the picker; `BUNDLED` for the one that comes along.
        token: Position of the followed token; None follows the last one.
        block: The block looked at, from 0.
        head: The head looked at, from 0.
        story: Whose words stand beside the technical ones: "student", "engine" or "off".
        off: What is switched off, as the text of `KnockOuts`; "" for nothing.
        extras: What pages add to the link, as text: pages declare and validate theirs.
        wanted: A model that the link asked for and that has to be downloaded first.
        shown: Prompt and model of the last journey that could be traced.
        linked: Names that the last read took from the link, and that nobody confirmed yet.
        declared: For the page on screen, the extras that differ from their default.
        notices: Sentences to show once: what in the link could not be used.
        asked: Names of the extras that each page knows, by its URL path.
        page: URL path of the page on screen.
        nav: The query string that the links of the navigation carry.
        going: URL path of the page whose link was clicked; None once it is there.
    """

    prompt: str
    model: str = BUNDLED
    token: int | None = None
    block: int = 0
    head: int = 0
    story: str = "student"
    off: str = ""
    extras: dict[str, str] = field(default_factory=dict)
    wanted: str = ""
    shown: tuple[str, str] | None = None
    linked: set[str] = field(default_factory=set)
    declared: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    asked: dict[str, set[str]] = field(default_factory=dict)
    page: str = ""
    nav: dict[str, str] = field(default_factory=dict)
    going: str | None = None
    _changed: bool = False

    def link(self) -> dict[str, str]:
        """The query string as a mapping, with what the page on screen added to it."""
        return self.core() | self.declared

    def core(self) -> dict[str, str]:
        """What every page's link holds: the prompt, and what differs from its default."""
        prompt, model = self.shown or (self.prompt, self.model)
        if not self.prompt:
            prompt = ""
        shown = {"prompt": prompt}
        if model != BUNDLED:
            shown["model"] = model
        if self.token is not None:
            shown["token"] = str(self.token)
        if self.block:
            shown["block"] = str(self.block)
        if self.head:
            shown["head"] = str(self.head)
        if self.story != "student":
            shown["story"] = self.story
        if self.off:
            shown["off"] = self.off
        return shown

    def said(self) -> tuple[tuple[str, str], ...]:
        """All that a page can read of it, in an order of its own."""
        return tuple(sorted((self.extras | self.core()).items()))

    def framed(self) -> tuple[object, ...]:
        """What the frame around the page hangs on, as something that can be compared."""
        return (self.prompt, self.model, self.shown, self.wanted, self.story, self.off, self.going)


def has_begun() -> bool:
    """Whether the frame has run in this session."""
    return _SLOT in st.session_state


def current() -> Choice:
    """The choice of this session.

    Raises:
        KeyError: the frame has not run yet.
    """
    choice: Choice = st.session_state[_SLOT]
    return choice


def read(page: str, default_prompt: str, models: tuple[str, ...]) -> Choice:
    """The choice, brought up to date with the query string. The frame calls this once a run.

    The link counts when the person opened it: on the first run, on going back or forward in the
    browser, and on a link to another page that says more than those of the navigation. Otherwise
    the choice counts, because a click can overtake the link that an earlier click brought about.
    What cannot be used is left at its default, with a notice.

    Args:
        page: URL path of the page that is about to run.
        default_prompt: The prompt of a link that names none.
        models: The models that this server offers.
    """
    query = st.query_params.to_dict()
    if not has_begun():
        choice = st.session_state[_SLOT] = Choice(prompt=default_prompt, page=page)
        _take(choice, query, default_prompt, models)
        return choice
    choice = current()
    turned, choice.page = choice.page != page, page
    if turned:
        choice.declared = {}
    choice.linked.clear()
    changed, choice._changed = choice._changed, False
    opened = went_back() or (turned and bool(query) and query != choice.nav)
    if opened and not changed:
        _take(choice, query, default_prompt, models)
    return choice


def went_back() -> bool:
    """Whether this run is there because the person went back or forward in the browser."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _take(
    choice: Choice, query: dict[str, str], default_prompt: str, models: tuple[str, ...]
) -> None:
    choice.prompt = query.get("prompt", default_prompt).replace("\r\n", "\n")
    choice.model, choice.token, choice.block, choice.head = BUNDLED, None, 0, 0
    choice.wanted = ""
    if (name := query.get("model", BUNDLED)) in models:
        choice.model = name
    else:
        choice.notices.append(
            f"This server has no model named “{name[:80]}”. It offers: {', '.join(models)}. "
            "The bundled model is shown instead."
        )
    for name in ("token", "block", "head"):
        if (text := query.get(name)) is None:
            continue
        if text.isascii() and text.isdigit() and len(text) < 9:
            setattr(choice, name, int(text))
        else:
            choice.notices.append(
                f"The link says {name}={text[:80]}, which is not a whole number from 0 up. "
                f"{_FALLBACK[name]} is shown instead."
            )
    story = query.get("story", "student")
    choice.story = story if story in STORIES else "student"
    choice.off = query.get("off", "")
    # A page's link holds all that differs from the default there, so the rest of it is default.
    choice.declared = {}
    for name in choice.asked.get(choice.page, ()):
        choice.extras.pop(name, None)
    extras = [(name, value) for name, value in query.items() if name not in CORE]
    choice.extras |= {name: text[:_LONGEST_EXTRA] for name, text in extras[:_MOST_EXTRAS]}
    choice.linked = set(query)


_FALLBACK: Final = {"token": "The last token", "block": "Block 0", "head": "Head 0"}


def fit(n_tokens: int, n_layers: int, n_heads: int) -> None:
    """Bring what was chosen into the range of the journey on screen, with a notice."""
    choice = current()
    _fit_off(choice, n_layers, n_heads)
    for name, limit, owner in (
        ("token", n_tokens, "this prompt has tokens"),
        ("block", n_layers, "this model has blocks"),
        ("head", n_heads, "this model has heads"),
    ):
        value = getattr(choice, name)
        if value is None or value < limit:
            continue
        setattr(choice, name, None if name == "token" else 0)
        if name in choice.linked:
            choice.notices.append(
                f"The link asks for {name} {value}, but {owner} 0 to {limit - 1}. "
                f"{_FALLBACK[name]} is shown instead."
            )


def _fit_off(choice: Choice, n_layers: int, n_heads: int) -> None:
    """Leave out of what is switched off whatever this model does not have."""
    try:
        found, missing = KnockOuts.read(choice.off, n_layers, n_heads)
    except ValueError as error:
        choice.notices.append(
            f"The link says off={choice.off[:80]}. {error} Nothing is switched off."
        )
        choice.off = ""
        return
    if missing:
        more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
        choice.notices.append(
            f"Switched off were {', '.join(missing[:8])}{more}, which this model does not have: "
            f"its blocks run from 0 to {n_layers - 1}, their heads from 0 to {n_heads - 1}. "
            "They are left out."
        )
    choice.off = str(found)


def put(**changes: Any) -> None:
    """Change the choice: any of its fields, or an extra by its name with its text as value.

    A new prompt follows its last token; give `token` as well to follow another.
    """
    choice = current()
    if changes.get("prompt", choice.prompt) != choice.prompt and "token" not in changes:
        changes["token"] = None
    for name, value in changes.items():
        if name in CORE:
            setattr(choice, name, value)
        elif value is None:
            choice.extras.pop(name, None)
            choice.declared.pop(name, None)
        else:
            choice.extras[name] = choice.declared[name] = str(value)
    if "model" in changes:
        choice.wanted = ""
    if "prompt" in changes or "model" in changes:
        choice._changed = True  # the frame writes the link, once it knows that it can be traced
    else:
        write()


def write() -> None:
    """Write the choice into the query string, if it is not there yet."""
    link = current().link()
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


def bind_key(
    key: str, value: Hashable, put_value: Callable[[Any], None]
) -> tuple[str, Callable[[], None]]:
    """Key and `on_change` for a widget that shows `value` and hands what is chosen to `put_value`.

    Call it right before the widget. A widget that can be emptied hands over None.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value

    def changed() -> None:
        put_value(st.session_state[key])

    return key, changed
