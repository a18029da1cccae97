"""The frame around every page: the main script that the server runs for each visitor."""

from __future__ import annotations

import streamlit as st

from tokenjourney.ui import shell
from tokenjourney.ui.places import places

st.set_page_config(
    page_title="Token Journey",
    page_icon=shell.ICON,
    layout="wide",
    initial_sidebar_state="auto",
)
with places().one():
    shell.run()
