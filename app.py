"""The entry: `streamlit run app.py`, or any ASGI server with `app:app`."""

import streamlit as st

from tokenjourney.ui.server import lifespan, middleware, routes

app = st.App(
    "tokenjourney/ui/frame.py", lifespan=lifespan, middleware=middleware(), routes=routes()
)
