"""The widgets of sampling, shared by the pages that draw a token: one setting for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st

from tokenjourney.ui import state, widgets
from tokenjourney.ui.text import load

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page

_MOST_SEED: Final = 999_999
_TOP_K: Final = 40
_TOP_P: Final = 0.9
_SEED: Final = 7


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. It is part of the link as temp, topk, topp and seed.

    Attributes:
        temperature: From 0 (greedy) up.
        top_k: Draw from the k most probable only; None from all.
        top_p: Draw from the fewest that reach this probability; None from all.
        seed: Of the draw.
    """

    temperature: float
    top_k: int | None
    top_p: float | None
    seed: int

    @property
    def settings(self) -> dict[str, float | int | None]:
        """The same by the names of the arguments of `tokenjourney.generate`."""
        return {
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "seed": self.seed,
        }


def sampling_row(page: Page, again: bool = True) -> Sampling:
    """Temperature, top-k, top-p, the seed, and with `again` a button that takes the next seed."""
    words = load("sampling")
    shares = (3, 3, 3, 2, 2)
    temperature, k, p, number, last = st.columns(shares, gap="medium", vertical_alignment="bottom")
    with temperature:
        heat = page.slider("temp", words["temperature"], 0.0, 2.0, 1.0, 0.05,
                           help=words["temperature_help"])  # fmt: skip
    with k:
        top_k = page.slider("topk", words["top_k"], 0, 100, _TOP_K, help=words["top_k_help"])
    with p:
        top_p = page.slider("topp", words["top_p"], 0.05, 1.0, _TOP_P, 0.05,
                            help=words["top_p_help"])  # fmt: skip
    with number:
        seed = _seed(page, words["seed"])
    if again:
        last.button(words["again"], key=f"{page.name}.again", type="primary", width="stretch",
                    on_click=_next_seed, args=(seed,))  # fmt: skip
    return Sampling(
        temperature=round(heat, 2),
        top_k=int(top_k) or None,
        top_p=None if top_p >= 1 else round(top_p, 2),
        seed=seed,
    )


def _seed(page: Page, label: str) -> int:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) <= _MOST_SEED):
            raise ValueError(f"It must be a whole number from 0 to {_MOST_SEED:,}.")
        return int(text)

    def put_number(new: int | None) -> None:
        put(_SEED if new is None else int(new))

    value, put = widgets.extra("seed", _SEED, parse)
    key, changed = state.bind_key(f"w.{page.name}.seed", value, put_number)
    st.number_input(label, 0, _MOST_SEED, step=1, key=key, on_change=changed)
    return int(value)


def _next_seed(seed: int) -> None:
    following = (seed + 1) % (_MOST_SEED + 1)
    state.put(seed=None if following == _SEED else following)
