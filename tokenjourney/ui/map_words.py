"""What the map of a journey says: a sentence for each station, and the table behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokenjourney.analysis.journey_map import MapSummary, rows_shown, settled_from
from tokenjourney.analysis.lens import logit_lens
from tokenjourney.analysis.output import token_ranks, token_shares
from tokenjourney.figures.export import Cell
from tokenjourney.figures.text import count, number, share
from tokenjourney.ui import state

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page

Sentence = list[str | dict[str, Any]]
_MARK: Final = re.compile(r"(\{[a-z_]+\})")


@dataclass(frozen=True)
class Guess:
    """What the model would say if it stopped at one depth.

    Attributes:
        token_id: ID of the best guess.
        text: Its visible text.
        share: Its probability.
        rank: Rank that the final answer has there, from 1.
        is_answer: Whether it is the final answer.
    """

    token_id: int
    text: str
    share: float
    rank: int
    is_answer: bool


@dataclass(frozen=True)
class Token:
    """A token's text within a sentence, and whether it is the followed one."""

    text: str
    followed: bool = False


def sentence(template: str, values: Mapping[str, object]) -> Sentence:
    """A template with its values, tokens kept apart so that they can be set in bold.

    >>> sentence("{a} at {n}", {"a": Token("dog"), "n": 3})
    [{'t': 'dog', 'f': False}, ' at 3']
    """
    parts: Sentence = []
    for piece in _MARK.split(template):
        found: object = values[piece[1:-1]] if _MARK.fullmatch(piece) else piece
        if isinstance(found, Token):
            parts.append({"t": found.text, "f": found.followed})
        elif parts and isinstance(parts[-1], str):
            parts[-1] += str(found)
        elif found != "":
            parts.append(str(found))
    return parts


def next_rows(page: Page) -> list[dict[str, Any]]:
    """The top 10 after the followed token, and the token that really comes next, ranked.

    Where something is off, each has its probability with everything on as `before`, and the best
    token of then has a row as well.
    """
    journey, at = page.journey, page.token
    found = journey.next_tokens(at, k=min(10, page.model.config.d_vocab))
    comes_next = journey.token_ids[at + 1] if at + 1 < len(journey) else None
    rows: list[dict[str, Any]] = [
        {
            "id": one.token_id,
            "text": page.label(one.token_id),
            "share": one.probability,
            "logit": one.logit,
            "rank": rank,
            "true_next": one.token_id == comes_next,
        }
        for rank, one in enumerate(found, 1)
    ]
    wanted = [] if comes_next is None else [comes_next]
    if page.off:
        wanted.append(page.untouched.next_tokens(at, k=1)[0].token_id)
    there = {row["id"] for row in rows}
    rows += _far_rows(page, (i for i in dict.fromkeys(wanted) if i not in there), comes_next)
    if page.off:
        shares = token_shares(page.untouched.logits_at(at), [row["id"] for row in rows])
        for row, before in zip(rows, shares, strict=True):
            row["before"] = before
    return rows


def _far_rows(page: Page, token_ids: Iterable[int], comes_next: int | None) -> list[dict[str, Any]]:
    """The rows of tokens that are not among the most probable, those ranked higher first."""
    wanted = list(token_ids)
    if not wanted:
        return []
    logits = page.journey.logits_at(page.token)
    rows = [
        {
            "id": token_id,
            "text": page.label(token_id),
            "share": one_share,
            "logit": float(logits[token_id]),
            "rank": int(token_ranks(logits[None], np.array([token_id]))[0]),
            "true_next": token_id == comes_next,
        }
        for token_id, one_share in zip(wanted, token_shares(logits, wanted), strict=True)
    ]
    return sorted(rows, key=lambda row: int(row["rank"]))


def sentences(
    page: Page,
    summary: MapSummary,
    guesses: Sequence[Guess],
    predictions: Sequence[Mapping[str, Any]],
) -> list[Sentence]:
    """One sentence for each station: three before the stack, the blocks, the final LN, the end."""
    texts = page.texts["map"]["sentences"]
    at, config = page.token, page.model.config
    token = Token(page.labels[at], True)
    values: dict[str, object] = {
        "token": token,
        "n": count(len(page.journey)),
        "id": page.journey.token_ids[at],
        "position": at,
        "d_model": count(config.d_model),
        "entering": number(float(summary.lengths[0, at]), 1),
        "before": number(float(summary.lengths[-1, at]), 1),
        "after": number(float(summary.scaled[at]), 1),
    }
    first = [sentence(texts[name], values) for name in ("tokens", "embedding", "position")]
    blocks = [
        _block_sentence(page, summary, block, token, guesses[block + 1])
        for block in range(config.n_layers)
    ]
    norm = sentence(texts["norm"], values)
    return [*first, *blocks, norm, _last_sentence(page, token, guesses, predictions)]


def _block_sentence(
    page: Page, summary: MapSummary, block: int, token: Token, guess: Guess
) -> Sentence:
    texts = page.texts["map"]["sentences"]
    found, at = summary.sources, page.token
    shares = found.shares[block, at]
    keys = [int(key) for key in found.keys[block, at]]
    n = int((shares[:2] >= 0.05).sum())
    values: dict[str, object] = {
        "block": block,
        "token": token,
        "looks": texts["looks"][state.current().story],
        "guess": Token(guess.text),
        "share": share(guess.share),
        "itself": number(max(0.0, 1.0 - float(shares.sum()))),
    }
    for name, rank in (("first", 0), ("second", 1)):
        if rank < len(keys):
            values[name] = Token(page.labels[keys[rank]])
            values[f"{name}_share"] = number(float(shares[rank]))
    kind = "alone" if at == 0 else ("block_none", "block_one", "block")[n]
    return sentence(texts[kind], values)


def _last_sentence(
    page: Page, token: Token, guesses: Sequence[Guess], predictions: Sequence[Mapping[str, Any]]
) -> Sentence:
    texts = page.texts["map"]["sentences"]
    answer = predictions[0]
    values: dict[str, object] = {
        "token": token,
        "guess": Token(answer["text"]),
        "share": share(answer["share"]),
    }
    changed = _with_everything_on(page, answer["id"])
    true_next = next((row for row in predictions if row["true_next"]), None)
    if true_next is not None:
        values |= {
            "next": Token(true_next["text"]),
            "share": share(true_next["share"]),
            "rank": count(true_next["rank"]),
        }
        return [*sentence(texts["inside"], values), *changed]
    settled = settled_from([guess.token_id for guess in guesses])
    if settled == 0:
        return [*sentence(texts["next_always"], values), *changed]
    return [*sentence(texts["next"], values | {"block": settled - 1}), *changed]


def _with_everything_on(page: Page, answer: int) -> Sentence:
    """What the best token was before parts were switched off."""
    if not page.off:
        return []
    best = page.untouched.next_tokens(page.token, k=1)[0]
    kind = "same_before" if best.token_id == answer else "best_before"
    values = {"guess": Token(page.label(best.token_id)), "share": share(best.probability)}
    return sentence(page.texts["map"]["sentences"][kind], values)


def table_columns(page: Page) -> list[str]:
    """The names of the table's columns."""
    names = list(page.texts["map"]["table"])
    return [*names, page.texts["map"]["words"]["before"]] if page.off else names


def table_rows(page: Page, summary: MapSummary) -> Iterator[tuple[Cell, ...]]:
    """The table behind the map: a row for each token and station, in the order of reading.

    Behind the followed token come the bars, where something is off with their rings. In a prompt
    too long for the map, only the tokens around the followed one have best guesses.
    """
    journey, found = page.journey, summary.sources
    shown = rows_shown(len(journey), page.token)[1:] or (0,)
    first, end = (0 if len(shown) == len(journey) - 1 else shown[0]), shown[-1] + 1
    lens = page.remember(
        f"map-lens-{first}", lambda: logit_lens(page.model, journey, slice(first, end))
    )
    rings: tuple[Cell, ...] = (None,) if page.off else ()
    for position, token_id in enumerate(journey.token_ids):
        same = (position, page.labels[position], token_id)
        guesses: list[tuple[Cell, ...]] = [("", None)] * (page.model.config.n_layers + 1)
        if first <= position < end:
            at = position - first
            guesses = [
                (page.label(int(token)), float(share))
                for token, share in zip(lens.best[:, at], lens.probability[:, at], strict=True)
            ]
        yield (*same, "input", float(summary.lengths[0, position]), "", None, *guesses[0], *rings)
        for block in range(page.model.config.n_layers):
            source: tuple[Cell, ...] = (
                page.labels[int(found.keys[block, position, 0])],
                float(found.shares[block, position, 0]),
            )
            length = float(summary.lengths[block + 1, position])
            looks = source if position else ("", None)
            yield (*same, f"block {block}", length, *looks, *guesses[block + 1], *rings)
        yield (*same, "final LN", float(summary.scaled[position]), "", None, *guesses[-1], *rings)
        for row in next_rows(page) if position == page.token else ():
            ring: tuple[Cell, ...] = (float(row["before"]),) if page.off else ()
            bar = (f"next token, rank {row['rank']}", None, "", None, row["text"], row["share"])
            yield (*same, *bar, *ring)
