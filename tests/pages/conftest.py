"""A person on a page: widgets by their name in the link, figures by their name in the texts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pages import driver

_WIDGETS = ("text_input", "slider", "selectbox", "toggle", "button_group", "text_area")


class Visit:
    """A person on one page.

    Attributes:
        app: Streamlit's own driver, for what is not here.
    """

    def __init__(self, page: str, prompt: str, **link: object) -> None:
        self.page = page
        self.app = driver.open_page(page, prompt=prompt, **link)

    def set(self, name: str, value: Any) -> Visit:
        """Sets the widget of that name in the link."""
        keys = (f"w.{self.page}.{name}", f"w.{name}")
        for kind in _WIDGETS:
            for widget in self.app.get(kind):
                if widget.key in keys:
                    widget.set_value(value)
                    driver.run(self.app)
                    return self
        raise AssertionError(f"No widget for {name!r} on {self.page}.")

    def press(self, label: str) -> Visit:
        """Presses the button with that label."""
        next(button for button in self.app.button if button.label == label).click()
        driver.run(self.app)
        return self

    def type(self, prompt: str) -> Visit:
        """Changes the prompt."""
        return self.set("prompt", prompt)

    @property
    def figures(self) -> dict[str, list[dict[str, Any]]]:
        """The traces of each figure."""
        return {
            name.removeprefix(f"{self.page}-"): traces
            for name, traces in driver.charts(self.app).items()
        }

    @property
    def layouts(self) -> dict[str, dict[str, Any]]:
        """The layout of each figure: its marks, notes and axes."""
        return {
            name.removeprefix(f"{self.page}-"): figure["layout"]
            for name, figure in driver.figures(self.app).items()
        }

    @property
    def text(self) -> str:
        """All HTML that the page wrote."""
        return driver.html(self.app)

    @property
    def link(self) -> dict[str, str]:
        """The query string."""
        return {
            name: value[-1] if isinstance(value, list) else value
            for name, value in self.app.query_params.items()
        }


@pytest.fixture
def visit():
    """`visit("attention", "The dog", token=1)` opens a page with that prompt and link."""
    return Visit
