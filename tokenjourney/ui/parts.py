"""Parts of a page that are drawn again alone, and folds that are drawn when they are opened."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from tokenjourney.ui import places, sharing
from tokenjourney.ui.text import Safe, escaped

Part = TypeVar("Part", bound=Callable[..., Any])
_PROJECT: Final = Path(__file__).resolve().parents[2]


def part(function: Part, key: str | None = None) -> Part:
    """A part of a page that reruns alone when one of its own widgets changes.

    Widgets outside of it do not see the change until the page runs again: keep a widget and the
    figures that hang on it in one part.

    Args:
        function: Draws it.
        key: A name by which a callback elsewhere can have it drawn: `st.rerun(key)`.
    """
    alone = places.places().one()(sharing.on_these_cores(function))
    wrapped: Part = st.fragment(alone, key=key)
    return wrapped


def click_waits() -> bool:
    """Whether the visitor has clicked into a part since this run began.

    Streamlit breaks a run off for a click on what stands outside of all parts, but for one in a
    part it waits until the run is over. Long work asks here after each of its steps.
    """
    context = get_script_run_ctx()
    requests = context.script_requests if context else None
    if requests is None or requests._state is not ScriptRequestType.RERUN:
        return False
    return not requests._rerun_data.is_auto_rerun  # nobody clicked, a clock did


def serve_click() -> None:
    """Ends this run where a click waits; the page is drawn as the click wants it."""
    if click_waits():
        st.rerun()


def fold(title: str, draw: Callable[[], None], key: str) -> None:
    """A fold of which the browser gets nothing but the title until somebody opens it.

    Args:
        title: What stands on it.
        draw: Draws what is in it.
        key: Its name, unique in the app.
    """

    def shown() -> None:
        with st.expander(title, key=key, on_change="rerun") as opened:
            if opened.open:
                draw()

    part(shown)()


def show_source(objects: Sequence[Any]) -> None:
    """Where functions, methods or classes stand, and their very source, read from the code."""
    for found in objects:
        where, code = _source(found)
        st.html(Safe(f'<p class="tj-note">{escaped(where)}</p>'))
        st.code(code, language="python")


@lru_cache(maxsize=256)
def _source(found: Any) -> tuple[str, str]:
    """Where one stands, and its source; to read it takes milliseconds."""
    lines, first = inspect.getsourcelines(found)
    path = Path(inspect.getsourcefile(found) or "").resolve()
    where = path.relative_to(_PROJECT) if path.is_relative_to(_PROJECT) else path.name
    return f"{where}, line {first}", inspect.cleandoc("".join(lines))


def show_formula(latex: str, numbers: Sequence[tuple[str, str]]) -> None:
    """A formula in LaTeX without dollars, and below it pairs of LaTeX: what, and its numbers."""
    st.latex(latex, width="content")
    if numbers:
        rows = r" \\[4pt] ".join(f"{name} & {value}" for name, value in numbers)
        st.latex(rf"\begin{{array}}{{ll}} {rows} \end{{array}}", width="content")
