"""The style of the house: the palette as CSS variables, and one style sheet."""

from __future__ import annotations

from typing import Final

import streamlit as st

from tokenjourney.figures.theme import DARK, LIGHT, Theme, css_variables
from tokenjourney.ui import components, figure, measure, navigation, state, widgets
from tokenjourney.ui.text import Safe

# Red is kept for errors, so no figure has it and the palette of figures does without.
_ERROR: Final = {"light": "#B3261E", "dark": "#FF8A80"}


def sheet() -> str:
    """The style sheet of the house, and the palette that the system asks for.

    It comes with the page (see `tokenjourney.ui.server`), before anything is known of the visitor;
    `apply` then says which palette they have chosen.
    """
    light, dark = _palette(LIGHT), _palette(DARK)
    either = f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}"
    return f"{either}\n{components.file('house.css')}"


def _palette(theme: Theme) -> str:
    return (
        f":root {{ color-scheme: {theme.name}; --tj-error: {_ERROR[theme.name]}; "
        f"{css_variables(theme)} }}"
    )


def apply(page: str) -> None:
    """Put the visitor's palette and the script of the house into the page.

    Args:
        page: The page's URL path.
    """
    st.html(Safe(f"<style>{_palette(widgets.theme())}</style>"))
    components.house(
        page,
        state.current().model,
        measure.path(),
        clicked=figure.clicked,
        asked=figure.asked,
        go_to=navigation.go_to,
    )
