"""The custom components: their files lie in assets/components.

Their data go as bytes or in a list: a dict would be searched for tables, entry by entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypedDict

import streamlit as st

from tokenjourney.figures.written import as_written, figure_json, own_caption
from tokenjourney.ui import state
from tokenjourney.ui.text import ASSETS, Safe, while_unchanged

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from streamlit.components.v2.types import ComponentRenderer

FOLDER: Final = ASSETS / "components"
PATH: Final = "tj"  # below it the server hands out what browsers keep
_MAP: Final = (
    "data",
    "layout",
    "svg",
    "tokens",
    "stack",
    "guesses",
    "output",
    "hover",
    "controls",
    "main",
)
SCRIPTS: Final = {
    "attention_card": ("journey_map/data", "journey_map/svg", "attention_card"),
    "journey_map": tuple(f"journey_map/{name}" for name in _MAP),
} | {
    name: (name,)
    for name in ("chart", "chips", "house", "markup", "measured", "merges", "notes", "save")
}
"""The scripts that lie there, and the files that each is joined from, so that it is one module."""


@while_unchanged
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def file(name: str) -> str:
    """The text of a file in assets/components."""
    return _read(FOLDER / name)


@lru_cache(maxsize=16)
def script(name: str) -> str:
    """The script of that name in `SCRIPTS`."""
    return "\n".join(file(f"{part}.js") for part in SCRIPTS[name])


@lru_cache(maxsize=1)
def version() -> str:
    """Changes whenever a script below `PATH` does, as browsers keep what they fetched."""
    parts = metadata.version("plotly"), *map(script, SCRIPTS)
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:12]


@lru_cache(maxsize=16)
def component(name: str, style: str = "", *, isolated: bool = True) -> ComponentRenderer:
    """The component that a script of `SCRIPTS` draws.

    The browser fetches the script once, instead of getting it with every message: see
    `tokenjourney.ui.server.routes`.

    Args:
        name: Name of the script.
        style: Name of its style sheet in assets/components, without .css, if it has one.
        isolated: Whether it is drawn apart from the page, whose styles then do not reach it.
    """
    js = (
        f"const script = new URL('{PATH}/{version()}/{name}.js', document.baseURI)\n"
        "const fetched = () => import(script).catch(() => import(`${script}?again`))\n"
        "export default async (component) => (await fetched()).default(component)"
    )
    css = file(f"{style}.css") if style else None
    return st.components.v2.component(
        f"tokenjourney.{name}", js=js, css=css, isolate_styles=isolated
    )


def chips(
    texts: Sequence[str],
    token_ids: Sequence[int],
    followed: int,
    label: str,
    follow: Callable[[int], None],
) -> None:
    """A row of chips, one for each token, as a group of radio buttons.

    Args:
        texts: Visible text of each token.
        token_ids: Their IDs.
        followed: Position of the followed one.
        label: What the followed one is called in the sentence beside.
        follow: Called with the position of a chip that was chosen.
    """
    key = "w.chips"

    def chosen() -> None:
        token = st.session_state[key].get("follow")
        if isinstance(token, int) and 0 <= token < len(texts):
            follow(token)

    data: dict[str, Any] = {
        "tokens": list(zip(texts, token_ids, strict=True)),
        "followed": followed,
        "label": label,
    }
    component("chips", "chips")(key=key, data=[data], on_follow_change=chosen)


def measured(
    part: str, found: Mapping[str, Any], of: str, words: Mapping[str, str], *, alert: bool
) -> None:
    """How long the text in the box is, kept up to date while it is typed.

    Args:
        part: "count" for one line; "beyond" for the tokens that do not fit, if there are any.
        found: The fields of `tokenjourney.ui.measure.Measured`, or nothing.
        of: What was measured; the picture is drawn anew when it changes.
        words: Its texts.
        alert: Whether tokens that do not fit are the reason why nothing was traced.
    """
    data: dict[str, Any] = {"part": part, "found": dict(found), "of": of}
    data |= {"words": dict(words), "alert": alert}
    width: Any = "content" if part == "count" else "stretch"
    component("measured", "measured")(key=f"w.measured-{part}", data=[data], width=width)


class Drawn(NamedTuple):
    """A Plotly chart as it goes to the browser.

    Attributes:
        json: The figure.
        height: Its height in pixels.
        about: The line that it has about itself, if it has one.
    """

    json: bytes
    height: int
    about: str


def drawn(figure: go.Figure) -> Drawn:
    """A figure that has a height, as it goes to the browser."""
    height = as_written(figure)["layout"]["height"]
    return Drawn(figure_json(figure), height, own_caption(figure))


def chart(
    name: str,
    drawn: Drawn,
    alt: str,
    foot: Safe,
    saved: Saved | None = None,
    *,
    answers: bool,
) -> None:
    """A Plotly chart that is updated where it stands, and left alone where nothing changed.

    Chart and foot are one component, as every element and every container around some costs a
    rerun one to two milliseconds in the browser.

    Args:
        name: Name of the figure, unique in the app.
        drawn: The chart.
        alt: What it shows, in words.
        foot: What stands under it. The tags that assets/components/markup.js knows are kept.
        saved: A file to hand to the browser.
        answers: Whether clicks on its points are sent to `house`.
    """
    words = {
        "alt": alt,
        "clicks": name if answers else None,
        "height": drawn.height,
        "foot": foot,
        "saved": saved,
    }
    data = json.dumps(words).encode() + b"\n" + drawn.json
    component("chart", isolated=False)(key=f"tjfig-{name}", data=data)


class Saved(TypedDict):
    """A text that the browser saves as a file, once for each `time`."""

    name: str
    text: str
    time: float


def save(saved: Saved) -> None:
    """Hands a text to the browser as a file."""
    component("save")(key=f"save-{saved['name']}", data=[dict(saved)])


def house(
    page: str,
    model: str,
    measure: str,
    clicked: Callable[[object, object], None],
    asked: Callable[[object, object], None],
    go_to: Callable[[object], None],
) -> None:
    """What the page as a whole needs of JavaScript.

    Enter traces, the text is measured while it is typed, figures are saved as files, clicks on
    their points, on the buttons under them and on links to pages are heard.

    Args:
        page: Its name in the navigation.
        model: Name of the model that measures the text.
        measure: Where the server answers how long a text is.
        clicked: Called with a figure's name and its point when one was clicked.
        asked: Called with "table" or "csv" and a figure's name when that button was pressed.
        go_to: Called with a page's URL path when a link to it was clicked.
    """
    key = "w.house"

    def themed() -> None:
        """The script runs again, and with it the figures get the colours of the other theme."""

    def click() -> None:
        click = st.session_state[key].get("click")
        if isinstance(click, dict):
            clicked(click.get("figure"), click.get("point"))
        st.rerun(state.STAGE)

    def ask() -> None:
        ask = st.session_state[key].get("asked")
        if isinstance(ask, dict):
            asked(ask.get("what"), ask.get("figure"))
        st.rerun(state.STAGE)

    def go() -> None:
        link = st.session_state[key].get("page")
        if isinstance(link, dict):
            go_to(link.get("path"))

    component("house")(
        key=key,
        data=[{"page": page, "model": model, "measure": measure, "kept": list(state.CORE)}],
        on_theme_change=themed,
        on_click_change=click,
        on_asked_change=ask,
        on_page_change=go,
    )
