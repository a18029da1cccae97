"""What the map of a journey is given: all that it draws, in one block of bytes.

A length, a JSON header, and the arrays that the header describes, so that hovering, scrubbing and
playing ask for nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.heads import KINDS, LABEL_FROM
from tokenjourney.analysis.journey_map import (
    Curves,
    MapSummary,
    Sources,
    curves_shown,
    packed,
    rows_shown,
    sources_of_head,
    strongest_overall,
    whole_steps,
)
from tokenjourney.ui import navigation, state
from tokenjourney.ui.map_words import Guess, next_rows, sentences

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page


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
    _, problem = longer_prompt(page)
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


def longer_prompt(page: Page) -> tuple[str | None, str]:
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


def _sources_of(page: Page, head: int) -> Sources:
    blocks = range(page.journey.config.n_layers)
    return sources_of_head((page.journey.passing(b, "pattern")[0] for b in blocks), head)
