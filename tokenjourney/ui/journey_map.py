"""The map of a journey: what the component in assets/components/journey_map is given, and does.

Everything that it draws goes to the browser in one block of bytes: a length, a JSON header, and
the arrays that the header describes, so that hovering, scrubbing and playing ask for nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tokenjourney.analysis.heads import KINDS, LABEL_FROM
from tokenjourney.analysis.journey_map import (
    Curves,
    MapSummary,
    Sources,
    curves_shown,
    map_summary,
    packed,
    rows_shown,
    sources_of_head,
    strongest_overall,
    whole_steps,
)
from tokenjourney.analysis.lens import logit_lens, residual_stack, token_depths
from tokenjourney.ui import components, figure, navigation, state
from tokenjourney.ui.map_words import Guess, next_rows, sentences, table_columns, table_rows

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

    from tokenjourney.analysis.journey_map import Array
    from tokenjourney.ui.page import Page

_SCRIPTS: Final = (
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
_KEY: Final = "w.journey-map"
_OPEN: Final = "w.journey-map.open"


def draw(page: Page) -> None:
    """The map of the journey on screen, with its caption and the table behind it."""
    _open_station()
    summary = page.remember("map", lambda: _summary(page))
    guesses = page.remember(f"map-guesses-{page.token}", lambda: _guesses(page))
    last = len(page.journey) - 1
    head, choose_head = page.extra("curves", None, partial(_head, page))

    def followed() -> None:
        position = st.session_state[_KEY].get("follow")
        if isinstance(position, int) and 0 <= position <= last:
            state.put(token=None if position == last else position)

    def added() -> None:
        prompt, _ = _longer_prompt(page)
        if prompt is not None:
            state.put(prompt=prompt)

    def chosen() -> None:
        choose_head(st.session_state[_KEY].get("heads") or None)

    def opened() -> None:
        st.session_state[_OPEN] = st.session_state[_KEY].get("open")

    with st.container(key="tjfig-journey-map", gap=None):
        _component()(
            key=_KEY,
            data=map_bytes(page, summary, guesses, head),
            on_follow_change=followed,
            on_add_change=added,
            on_heads_change=chosen,
            on_open_change=opened,
        )
        figure.foot(
            "journey-map",
            page.text("figures.map.caption"),
            lambda: (table_columns(page), list(table_rows(page, summary))),
            saves=True,
        )


def _open_station() -> None:
    """Go to the page of a station that was clicked, with everything that was chosen."""
    wanted = st.session_state.pop(_OPEN, None)
    if not isinstance(wanted, dict):
        return
    entries = {entry.path: entry for entry in navigation.entries()}
    entry = entries.get(str(wanted.get("path")))
    chosen = {name: wanted[name] for name in ("block", "head") if isinstance(wanted.get(name), int)}
    if entry is None:
        return
    if chosen:
        state.put(**chosen)
    choice = state.current()
    choice.nav = choice.core()
    st.switch_page(str(entry.script), query_params=choice.nav)


def where_next(page: Page) -> None:
    """The pages of the journey in three parts, each with a link and a line on what it shows."""
    entries = {entry.path: entry for entry in navigation.entries()}
    query = state.current().core()
    parts = page.texts["next"]
    for column, name in zip(page.columns(len(parts), gap="medium"), parts, strict=True):
        with column.container(border=True, gap=None, height="stretch", key=f"next-{name}"):
            page.show(page.text(f"next.{name}.title"), "tj-next")
            page.show(page.text(f"next.{name}.note"), "tj-note")
            with st.container(horizontal=True, gap="small"):
                for path, label in parts[name]["pages"].items():
                    if path in entries:
                        st.page_link(str(entries[path].script), label=label, query_params=query)


# ---- the numbers


def _summary(page: Page) -> MapSummary:
    journey = page.journey

    def blocks() -> Iterator[tuple[Array, Array, Array]]:
        for block in range(journey.config.n_layers):
            pattern, middle, written = journey.passing(block, "pattern", "resid_mid", "mlp_out")
            yield pattern, middle, written

    eps = journey.config.layer_norm_eps
    return map_summary(journey.token_ids, residual_stack(journey), blocks(), eps)


def _sources_of(page: Page, head: int) -> Sources:
    blocks = range(page.journey.config.n_layers)
    return sources_of_head((page.journey.passing(b, "pattern")[0] for b in blocks), head)


def _guesses(page: Page) -> tuple[Guess, ...]:
    """The best guess before block 0 and after each block, and how the final one ranks there."""
    journey, at = page.journey, page.token
    lens = logit_lens(page.model, journey, slice(at, at + 1))
    answer = journey.next_tokens(at, k=1)[0].token_id
    ranks = token_depths(page.model, journey, at, answer).rank
    return tuple(
        Guess(int(token), page.label(int(token)), float(share), int(rank), int(token) == answer)
        for token, share, rank in zip(lens.best[:, 0], lens.probability[:, 0], ranks, strict=True)
    )


def _head(page: Page, text: str) -> int | None:
    """The head whose attention the curves are; none for the mean."""
    head, most = int(text), page.model.config.n_heads - 1
    if not 0 <= head <= most:
        raise ValueError(f"The heads of this model are numbered 0 to {most}.")
    return head


def map_bytes(
    page: Page, summary: MapSummary, guesses: Sequence[Guess], head: int | None = None
) -> bytes:
    """All that the component draws, packed; curves are the mean of the heads, or one head's."""
    rows = rows_shown(len(page.journey), page.token)
    sources = summary.sources
    if head is not None:
        sources = page.remember(f"map-head-{head}", lambda: _sources_of(page, head))
    curves = curves_shown(sources, page.token, rows)
    arrays, facts = _arrays(page, summary, curves, rows)
    header = facts | _words(page, summary, curves, guesses, rows) | {"curves_of": head}
    return packed(header, arrays)


def _arrays(
    page: Page, summary: MapSummary, curves: Curves, rows: Sequence[int]
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    chosen = list(rows)
    tokens = page.journey["hook_embed"][chosen]
    places = page.journey["hook_pos_embed"][chosen]
    token_rows, token_step = whole_steps(tokens)
    place_rows, place_step = whole_steps(places)
    thumbnails = summary.survey.thumbnails
    counted = slice(1, None) if len(page.journey) > 1 else slice(None)
    arrays: dict[str, NDArray[Any]] = {
        "token_rows": token_rows,
        "place_rows": place_rows,
        "lengths": summary.lengths[:, chosen].astype(np.float32),
        "middles": summary.middles[:, chosen].astype(np.float32),
        "writes": summary.writes[:, chosen].astype(np.float32),
        "scaled": summary.scaled[chosen].astype(np.float32),
        "thumbnails": np.rint(255 * thumbnails).astype(np.uint8),
        "means": np.rint(255 * thumbnails.mean(axis=1)).astype(np.uint8),
        "curve_blocks": curves.blocks.astype(np.uint16),
        "curve_queries": curves.queries.astype(np.uint16),
        "curve_keys": curves.keys.astype(np.uint16),
        "curve_shares": curves.shares.astype(np.float32),
        "curve_heads": curves.heads.astype(np.uint16),
        "curve_head_shares": curves.head_shares.astype(np.float32),
    }
    if thumbnails.shape[1] >= 16 or 8 < len(thumbnails) < 24:  # there only means have room
        arrays["thumbnails"] = np.zeros((*thumbnails.shape[:3], 0), np.uint8)
    facts = {
        "token_step": token_step,
        "place_step": place_step,
        "limit": float(np.percentile(np.abs(np.concatenate([tokens, places])), 99)) or 1.0,
        "top": float(summary.lengths[:, counted].max()),
        "most_written": float(summary.writes[:, counted].max()) or 1.0,
        "at_least": curves.at_least,
        "side": summary.survey.side,
        "cells": thumbnails.shape[-1],
        "kinds": _kinds(summary),
    }
    return arrays, facts


def _kinds(summary: MapSummary) -> list[list[list[Any] | None]]:
    """For each head what it does most, and its score; none where it does nothing much."""
    scores = np.nan_to_num(summary.survey.scores.values, nan=0.0)
    best = scores.argmax(axis=0)
    return [
        [
            [KINDS[kind], round(float(scores[kind, block, head]), 3)]
            if scores[kind, block, head] >= LABEL_FROM
            else None
            for head, kind in enumerate(row)
        ]
        for block, row in enumerate(best)
    ]


def _words(
    page: Page,
    summary: MapSummary,
    curves: Curves,
    guesses: Sequence[Guess],
    rows: Sequence[int],
) -> dict[str, Any]:
    journey, config, theme = page.journey, page.model.config, page.theme
    shown = state.current()
    texts = page.texts["map"]
    predictions = next_rows(page)
    keys = sorted({int(key) for key in curves.keys} - set(rows))
    _, problem = _longer_prompt(page)
    return {
        "prompt": [shown.shown, page.model.name],
        "n_tokens": len(journey),
        "n_chars": len(journey.text) if page.model.tokenizer else 0,
        "followed": page.token,
        "label": page.labels[page.token],
        "rows": list(rows),
        "keep": [0, page.token, *strongest_overall(summary, page.token)],
        "labels": [page.labels[position] for position in rows],
        "texts": [page.texts_of_tokens[position] for position in rows],
        "ids": [journey.token_ids[position] for position in rows],
        "others": {key: page.labels[key] for key in keys},
        "config": {
            name: getattr(config, name) for name in ("n_layers", "n_heads", "d_model", "d_vocab")
        },
        "guesses": [
            {"text": one.text, "share": one.share, "rank": one.rank, "answer": one.is_answer}
            for one in guesses
        ],
        "answer": guesses[-1].text,
        "predictions": predictions,
        "rest": _rest(predictions, config.d_vocab),
        "sentences": sentences(page, summary, guesses, predictions),
        "stations": _stations(texts["stations"], shown.story),
        "words": texts["words"],
        "hover": texts["hover"],
        "colors": {"seq": theme.seq, "div": theme.div},
        "pages": [entry.path for entry in navigation.entries()],
        "query": shown.core(),
        "add": {
            "shown": page.token == len(journey) - 1,
            "problem": problem,
            "says": texts["words"]["add_says"].replace("{token}", predictions[0]["text"]),
        },
    }


def _rest(predictions: Sequence[Mapping[str, Any]], d_vocab: int) -> dict[str, Any]:
    """The tokens without a bar of their own, together."""
    sides = ("share", "before") if "before" in predictions[0] else ("share",)
    left = {side: max(0.0, 1.0 - sum(row[side] for row in predictions)) for side in sides}
    return {"n": d_vocab - len(predictions)} | left


def _stations(texts: Mapping[str, Any], story: str) -> dict[str, dict[str, str]]:
    return {
        name: {
            "title": words["title"],
            "brief": words.get("brief", words["title"]),
            "story": words.get(story, ""),
        }
        for name, words in texts.items()
    }


def _longer_prompt(page: Page) -> tuple[str | None, str]:
    """The prompt with the best next token, or none and why it cannot be added."""
    journey, tokenizer = page.journey, page.model.tokenizer
    words = page.texts["map"]["words"]
    best = journey.next_tokens(k=1)[0]
    if len(journey) >= page.model.config.n_ctx:
        return None, str(words["add_full"])
    prompt, _ = state.current().shown or ("", "")
    if tokenizer is None:
        return f"{prompt} {best.token_id}", ""
    if best.token_id in tokenizer.special_tokens.values():
        return None, str(words["add_end"])
    if not best.text or "\ufffd" in best.text:
        return None, str(words["add_bytes"])
    return prompt + best.text, ""


# ---- the component


def _component() -> ComponentRenderer:
    scripts = [f"journey_map/{name}" for name in _SCRIPTS]
    return components.joined("journey_map", scripts, "journey_map/journey_map")
