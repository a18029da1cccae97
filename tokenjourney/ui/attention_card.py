"""The card of one cell of an attention pattern; pointing at the matrices opens any cell in it.

The component in assets/components/attention_card.js gets the queries and keys of the head, so that
hovering multiplies them in the browser and asks for nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tokenjourney.analysis.journey_map import packed
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import symmetric_limit
from tokenjourney.ui import components, figure, knock_outs, state

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page

_KEY: Final = "w.attention-card"


def attention_card(
    page: Page,
    *,
    q: NDArray[Any],
    k: NDArray[Any],
    log_totals: NDArray[Any],
    key: int,
    table: Callable[[], Table],
    said: str = "figures.card.caption",
    **values: object,
) -> None:
    """The cell of the followed token and `key`: two vectors, their products, four steps.

    Args:
        page: The page, whose followed token asks.
        q: (T, d_head), the queries of one head.
        k: (T, d_head), its keys.
        log_totals: (T,), logarithms of the denominators of the softmax.
        key: Position of the token that answers.
        table: The same numbers as a table.
        said: Key of its caption.
        **values: What `{name}` in the caption stands for.
    """
    header = {
        "labels": page.labels,
        "query": page.token,
        "key": key,
        "d_head": int(q.shape[1]),
        "limit": symmetric_limit(q, k),
        "div": page.theme.div,
        "words": page.text_table("card"),
        "figure": f"{page.name}-matrices",
    }
    arrays = {"q": q, "k": k, "log_totals": log_totals}

    def kept() -> None:
        found = st.session_state[_KEY].get("keep")
        chosen = [found.get(name) for name in ("token", "key")] if isinstance(found, dict) else []
        if chosen and all(isinstance(p, int) and 0 <= p < len(page.labels) for p in chosen):
            state.put(token=chosen[0], key=chosen[1])

    with st.container(key=f"tjfig-{page.name}-card", gap=None):
        components.component("attention_card", "attention_card")(
            key=_KEY,
            data=packed(header, {name: np.asarray(a, np.float32) for name, a in arrays.items()}),
            on_keep_change=kept,
        )
        caption = knock_outs.marked(page, page.text(said, **values))
        figure.foot(f"{page.name}-card", caption, table, saves=True)
