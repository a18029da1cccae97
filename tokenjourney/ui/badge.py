"""The badge of the sidebar: whether what must hold holds on the journey on screen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from tokenjourney.analysis.checks import (
    MOST_COMPARED,
    Check,
    journey_checks,
    peer_checks,
    worst,
)
from tokenjourney.errors import TokenJourneyError
from tokenjourney.figures.text import count
from tokenjourney.ui import cache, figure, knock_outs, models
from tokenjourney.ui.parts import serve_click
from tokenjourney.ui.places import places
from tokenjourney.ui.text import Safe, escaped, load, markup, plain

if TYPE_CHECKING:
    from tokenjourney.journey import Journey

AT_ONCE: Final = 400_000_000
"""Tokens times parameters up to which the checks run unasked: some hundredths of a second. While
other visitors wait, they run when somebody opens the badge, or in a later run."""

_OPEN: Final = "checks-open"
_STAYS: Final = "checks-stays"


@st.fragment
def draw(model: str, prompt: str) -> None:
    """The badge of a journey, which opens the list of checks.

    Args:
        model: The model's name in the picker.
        prompt: The prompt of the journey on screen.
    """
    off = knock_outs.chosen(cache.model(model).config)
    words, key = load("checks"), ("checks", model, prompt, off)
    journey = cache.journey(model, prompt, off.edits)
    parameters = cache.model(model).n_parameters
    checks = cache.known(key)
    if checks is None and len(journey) * parameters <= AT_ONCE and not places().crowded:
        checks = _computed(key, model, journey)
    peers = cache.known(("peers", model, prompt))
    label = _said(words, checks) if checks else words["open"]
    if peers and not all(check.holds for check in peers):
        label = _said(words, peers)
    if st.session_state.pop(_STAYS, False):  # with another label it is another popover
        st.session_state[_OPEN] = True
    with st.container(key=f"checks-{_state(checks, peers)}"):
        opened = st.popover(label, key=_OPEN, type="tertiary", on_change="rerun")
    with opened:
        if checks is None:
            if opened.open:
                _check_now(key, model, journey)
            return
        untouched = f'<p class="tj-note">{escaped(words["peer_untouched"])}</p>' if off else ""
        beside = _said_of_peers(words, model, len(journey), peers)
        listed = _list(words, checks)
        st.html(Safe(f"<b>{escaped(words['intro'])}</b>{listed}{untouched}{beside}"))
        if peers is None and st.button(words["button"], key="checks-peer"):
            _compare_now(words, model, prompt)


def _check_now(key: Hashable, model: str, journey: Journey) -> None:
    named = load("checks")["computing"].format(T=count(len(journey)), model=_title(model))
    bar = st.progress(0.0, named)

    def tell(done: float) -> None:
        bar.progress(done, named)
        serve_click()  # between two blocks

    _computed(key, model, journey, tell)
    _again()


def _said_of_peers(words: Any, model: str, n: int, peers: Sequence[Check] | None) -> Safe:
    """What comparing with transformers showed; before that, what it would do."""
    if peers is None:
        size = models.in_words(4 * cache.model(model).n_parameters)
        return Safe(f'<p class="tj-note">{markup(words["peer_note"], size=size)}</p>')
    compared = ""
    if n > MOST_COMPARED:
        said = words["peer_first"].format(n=count(MOST_COMPARED), T=count(n))
        compared = f'<p class="tj-note">{escaped(said)}</p>'
    return Safe(f"<b>{escaped(_said(words, peers, 'peer_'))}</b>{compared}{_list(words, peers)}")


def _compare_now(words: Any, model: str, prompt: str) -> None:
    try:
        with st.spinner(words["peer_running"].format(model=_title(model))):
            found = peer_checks(cache.journey(model, prompt), models.folder(model))
    except TokenJourneyError as error:
        figure.card(str(error))
        return
    cache.fact(("peers", model, prompt), lambda: found)
    _again()


def _again() -> None:
    """Draw the badge anew, open as it is: alone where only it runs, otherwise with the page."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    st.session_state[_STAYS] = True
    context = get_script_run_ctx()
    st.rerun(scope="fragment" if context and context.fragment_ids_this_run else "app")


def _computed(
    key: Hashable, model: str, journey: Journey, tell: Callable[[float], object] = lambda _: None
) -> tuple[Check, ...]:
    return cache.fact(key, lambda: journey_checks(cache.model(model), journey, tell))


def _state(*groups: Sequence[Check] | None) -> str:
    """What colours the badge: "unknown", "hold" or "fail"."""
    known = [check for group in groups for check in group or ()]
    if not all(check.holds for check in known):
        return "fail"
    return "hold" if known else "unknown"


def _said(words: Any, checks: Sequence[Check], which: str = "") -> str:
    """The sentence of the badge."""
    if all(check.holds for check in checks):
        largest = max(check.error for check in checks)
        return str(words[f"{which}holds"].format(error=shown_error(largest)))
    failing = worst(checks)
    name = plain(_name(words, failing))
    which = "peer_" if failing.name in words["stages"] else ""
    return str(words[f"{which}fails"].format(name=name, error=shown_error(failing.error)))


def _list(words: Any, checks: Sequence[Check]) -> Safe:
    """The checks as a table: what, how large the error is, how large it may be."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in words["columns"].split("|"))
    rows = "".join(
        f'<tr class="tj-{"hold" if check.holds else "fail"}">'
        f"<td>{'✓' if check.holds else '✗'} {_name(words, check)}</td>"
        f"<td>{shown_error(check.error)}</td><td>{shown_error(check.tolerance)}</td></tr>"
        for check in checks
    )
    return Safe(
        '<div class="tj-table tj-checks" tabindex="0" role="region" aria-label="Checks">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p class="tj-note">{escaped(words["error_note"])}</p>'
    )


def _name(words: Any, check: Check) -> Safe:
    if check.name in words["stages"]:
        return markup(words["stages"][check.name], block=check.block)
    name = words["names"][check.name]
    if check.block is None or check.holds:
        return escaped(name)
    return markup(words["worst_block"], name=name, block=check.block)


def _title(model: str) -> str:
    return models.offers()[model].title


def shown_error(error: float) -> str:
    """An error in one digit.

    >>> shown_error(1.2e-5), shown_error(0.0), shown_error(float("inf"))
    ('1e-05', '0', '∞')
    """
    if error == float("inf"):
        return "∞"
    return f"{error:.0e}" if error else "0"
