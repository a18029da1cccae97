"""Tokens: how a text becomes IDs."""

from tokenjourney import ui

page = ui.open_page("tokens")
page.shapes("(T)", "(T, d_model)")
