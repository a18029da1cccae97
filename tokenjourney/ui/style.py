"""The style of the house: the palette as CSS variables, and one style sheet."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tokenjourney.figures.theme import css_variables
from tokenjourney.ui import components, figure, measure, navigation, state, widgets
from tokenjourney.ui.text import Safe

# Red is kept for errors, so no figure has it and the palette of figures does without.
_ERROR: Final = {"light": "#B3261E", "dark": "#FF8A80"}


def apply(page: str) -> None:
    """Put the style and the script of the house into the page; `page` is its URL path."""
    theme = widgets.theme()
    st.html(
        Safe(
            f"<style>:root {{ color-scheme: {theme.name}; --tj-error: {_ERROR[theme.name]}; "
            f"{css_variables(theme)} }}\n"
            f"{components.file('house.css')}</style>"
        )
    )
    components.house(
        page,
        state.current().model,
        measure.path(),
        clicked=figure.clicked,
        asked=figure.asked,
        go_to=navigation.go_to,
    )
