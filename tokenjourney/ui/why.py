"""Why does this work so well? Context, scale and generalisation, each tried out on this prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from tokenjourney.analysis.evidence import (
    WordSwap,
    strongest_swap,
    substitutes,
    word_swap,
)
from tokenjourney.analysis.lens import blind_loss, logit_lens
from tokenjourney.analysis.neighbours import nearest_others
from tokenjourney.analysis.parameters import family
from tokenjourney.figures.change import change_figure, change_table
from tokenjourney.figures.evidence import (
    depth_loss_figure,
    sizes_figure,
    substitutes_figure,
    substitutes_table,
)
from tokenjourney.figures.text import count, number, share
from tokenjourney.ui import cache, text
from tokenjourney.ui.state import BUNDLED

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page

_BUDGET: Final = 15_000_000_000
"""Tokens times parameters of all the runs that are made unasked: some tenths of a second."""
_MOST_TRIED, _N_SUBSTITUTES, _MOST_PLACES = 8, 6, 200


def why_it_works(page: Page, rows: range) -> None:
    """The three sections. `rows` are the positions whose losses are averaged."""
    page.section("why")
    st.fragment(_context)(page)
    _scale(page, rows)
    _generalisation(page)


def outlook(page: Page) -> None:
    """What comes next, in two sentences each."""
    page.section("next")
    words = (f"<div>{page.text(f'next.{name}')}</div>" for name in page.texts["next"])
    page.show(text.Safe("".join(words)), "tj-outlook")


def _context(page: Page) -> None:
    """An early word replaced: the late prediction changes."""
    journey, model, position = page.journey, page.model, page.token
    page.section("context", token=page.token_html)
    if position == 0:
        page.say("context_alone")
        return
    strongest = _strongest_swap(page)
    first = strongest.at if strongest else 0
    places = {str(at): f"{page.labels[at]}  {at}" for at in range(min(position, _MOST_PLACES))}
    with page.row("swap"):
        at = int(page.choose("swapat", page.plain("swap_at"), places, str(first), as_list=True))
        typed = page.entry("swapto", page.plain("swap_to"))
    shown = strongest if strongest and at == strongest.at else None
    token_id = shown.token_id if shown else _nearest(page, at)
    if typed and model.tokenizer is not None:
        # A word takes the place of another as it stands there: with a space before it.
        spaced = journey.tokens[at].text.startswith(" ") and not typed.startswith(" ")
        token_id = model.tokenizer.encode(f" {typed}" if spaced else typed)[0]
    if not _affordable(page, 1):
        run = page.toggle("swaprun", page.plain("swap_run", T=count(position + 1)))
        if not run:
            return
    found: WordSwap
    if shown and token_id == shown.token_id:
        found = shown
    else:
        found = page.remember(
            f"swap {position} {at} {token_id}",
            lambda: word_swap(model, journey, position, at, token_id),
        )
    change = found.prediction
    labels = [page.label(i) for i in change.token_ids]
    arrays: dict[str, Any] = {"labels": labels, "before": change.before, "after": change.after}
    page.figure(
        "context",
        lambda: change_figure(**arrays, theme=page.theme),
        lambda: change_table(**arrays),
        token=page.token_html,
        old=text.token(page.labels[at], followed=False),
        new=text.token(page.label(token_id), followed=False),
        apart=count(position - at),
        moved=share(change.moved),
    )


def _nearest(page: Page, at: int) -> int:
    """The token whose row of W_E has the largest cosine with that of the one at a position."""
    token_id = page.journey.token_ids[at]
    (found,) = page.remember(
        f"nearest {token_id}",
        lambda: nearest_others(page.model.W_E, [token_id], page.row_lengths()).tolist(),
        of="model",
    )
    return int(found)


def _affordable(page: Page, runs: int) -> bool:
    return runs * (page.token + 1) * page.model.n_parameters <= _BUDGET


def _strongest_swap(page: Page) -> WordSwap | None:
    """What is shown unless asked: of the first half the token whose change moves most."""
    places = range(min((page.token + 1) // 2, _MOST_TRIED))
    if not places or not _affordable(page, len(places)):
        return None
    found: WordSwap | None = page.remember(
        f"strongest swap {page.token}",
        lambda: strongest_swap(page.model, page.journey, page.token, places, page.row_lengths()),
    )
    return found


def _scale(page: Page, rows: range) -> None:
    """The family by parameters, and what each block adds to the prediction."""
    page.section("scale")
    bundled = cache.model(BUNDLED)
    sizes = {page.plain("bundled"): bundled.n_parameters}
    if page.model is not bundled:
        sizes[page.model.name] = page.model.n_parameters
    own = len(sizes) - 1
    sizes |= {one.name: one.total for one in family()}
    names, counts = list(sizes), list(sizes.values())
    with page.row("scale"):
        page.figure(
            "family",
            lambda: sizes_figure(names=names, sizes=counts, own=own, theme=page.theme),
            lambda: (["model", "parameters"], list(zip(names, counts, strict=True))),
            of="model",
            own=names[own],
            n=count(counts[own]),
        )
        _depth_losses(page, rows)


def _depth_losses(page: Page, rows: range) -> None:
    if len(page.journey) == 1:
        page.say("loss_alone")
        return
    places = slice(rows.start, rows.stop)
    lens = page.remember(f"lens {rows.start}", lambda: logit_lens(page.model, page.journey, places))
    losses, before = lens.mean_loss, None
    if page.off:
        before = page.remember(
            f"lens before {rows.start}", lambda: logit_lens(page.model, page.untouched, places)
        ).mean_loss
    page.figure(
        "depth",
        lambda: depth_loss_figure(
            losses=losses,
            blind=blind_loss(page.model.config.d_vocab),
            before=before,
            theme=page.theme,
        ),
        lambda: (
            ["blocks", "mean loss in nats"],
            [(depth, float(loss)) for depth, loss in enumerate(losses)],
        ),
        first=rows.start,
        last=rows.stop - 1,
        start=number(float(losses[0])),
        end=number(float(losses[-1])),
    )


def _generalisation(page: Page) -> None:
    """Neighbours of the followed token that stand in for it."""
    page.section("generalisation", token=page.token_html)
    found = page.remember(
        f"substitutes {page.token}",
        lambda: substitutes(
            page.model, page.journey, page.token, _N_SUBSTITUTES, page.row_lengths()
        ),
    )
    labels = [page.label(one.token_id) for one in found]
    arrays = {
        "cosines": [one.cosine for one in found],
        "beside": [one.beside for one in found],
        "overlaps": [one.overlap for one in found],
    }
    page.figure(
        "substitutes",
        lambda: substitutes_figure(
            labels=labels, **arrays, token=page.labels[page.token], theme=page.theme
        ),
        lambda: substitutes_table(labels=labels, **arrays),
        token=page.token_html,
    )
