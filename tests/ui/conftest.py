"""The app without a browser: Streamlit's AppTest from the frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.driver import turn_to

PROJECT = Path(__file__).resolve().parents[2]
FRAME = PROJECT / "tokenjourney" / "ui" / "frame.py"
_AROUND = ("house", "chips", "measured")
_WORDS = ("<style", "<p", "<header", "<aside", '<div class="tj-wordmark"', "<hr")


class App:
    """The app as a visitor has it on screen."""

    def __init__(self, page: str, query: dict[str, object]) -> None:
        self.test = AppTest.from_file(FRAME, default_timeout=120)
        for name, value in query.items():
            self.test.query_params[name] = str(value)
        self.go(page)

    def run(self) -> App:
        """Run the script, which may not raise."""
        self.test.run()
        assert not self.test.exception, [error.value for error in self.test.exception]
        return self

    def go(self, page: str) -> App:
        """Open another page, as its link in the navigation does."""
        turn_to(self.test, page)
        return self.run()

    def write(self, prompt: str) -> App:
        """Put a text into the prompt box."""
        self.test.text_area(key="w.prompt").set_value(prompt)
        return self.run()

    def choose(self, key: str, value: object) -> App:
        """Choose an option of the buttons with that key."""
        self.test.button_group(key=key).set_value(value)
        return self.run()

    def keys(self) -> set[str]:
        """Keys of the groups of buttons on the page."""
        return {element.key for element in self.test.get("button_group")}

    def html(self) -> str:
        """All HTML on the page, one after the other, and what stands under its charts."""
        bodies = [element.proto.body for element in self.test.get("html")]
        bodies += [
            json.loads(element.proto.bytes.partition(b"\n")[0])["foot"]
            for element in self.test.get("bidi_component")
            if element.proto.component_name == "tokenjourney.chart"
        ]
        return "\n".join(body for body in bodies if not body.startswith("<style"))

    def cards(self) -> list[str]:
        """The cards that say what is the matter."""
        bodies = [element.proto.body for element in self.test.get("html")]
        return [body for body in bodies if body.startswith('<div class="tj-card')]

    def drawn(self) -> list[str]:
        """What each figure, picture and component on the page is drawn from."""
        components = [
            f"{element.proto.json}{_picture(element)!r}{element.proto.mixed}"
            for element in self.test.get("bidi_component")
            if element.proto.component_name.split(".")[-1] not in _AROUND
        ]
        bodies = [element.proto.body for element in self.test.get("html")]
        return components + [body for body in bodies if not body.startswith(_WORDS)]

    def chips(self) -> str:
        """What the row of token chips is drawn from."""
        found = [e for e in self.test.get("bidi_component") if e.key == "w.chips"]
        return json.dumps(*json.loads(found[0].proto.json)) if found else ""

    def measured(self, part: str) -> dict[str, Any]:
        """What is drawn of the length of the text in the box: "count" or "beyond"."""
        found = [e for e in self.test.get("bidi_component") if e.key == f"w.measured-{part}"]
        return json.loads(found[0].proto.json)[0]

    def link(self) -> dict[str, str]:
        """The query string, as a mapping."""
        values = dict(self.test.query_params).items()
        return {name: value[0] if isinstance(value, list) else value for name, value in values}


def _picture(element: Any) -> bytes:
    """What a component draws from: of a chart, without the words under it."""
    data: bytes = element.proto.bytes
    is_chart = element.proto.component_name == "tokenjourney.chart"
    return data.partition(b"\n")[2] if is_chart else data


@pytest.fixture
def app() -> Callable[..., App]:
    """Opens the app: `app("tokens", prompt="The dog", token=1)`."""
    return lambda page="start", **query: App(page, query)
