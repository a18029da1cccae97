"""The prompt through one model at several moments of its training, drawn."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from tokenjourney.analysis.growth import Stage, StageView, stage_view, stages, written_behind
from tokenjourney.figures.growth import StageColumn, stages_figure, stages_table
from tokenjourney.figures.patterns import PatternPanel, patterns_figure, patterns_table
from tokenjourney.figures.text import count, number
from tokenjourney.ui import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenjourney.ui.page import Page


def growing(page: Page) -> None:
    """What each of the kept models expects, where one of its heads looks, and what it writes."""
    kept = page.remember("stages", stages, of="model")
    grown = kept[-1].model
    page.section("growing", parameters=count(grown.n_parameters), n=len(kept))
    ids = _token_ids(page, kept[-1])
    if not 1 <= len(ids) <= grown.config.n_ctx:
        page.say("too_long", n=count(len(ids)), most=count(grown.config.n_ctx))
        return
    same = page.model.tokenizer is not None and tuple(ids) == tuple(page.journey.token_ids)
    position = page.token if same else len(ids) - 1
    views = [
        page.remember(f"stage {stage.step}", partial(stage_view, stage, ids)) for stage in kept
    ]
    labels = [_label(kept[-1], token_id) for token_id in ids]
    _expected(page, kept, views, labels, position)
    _attended(page, kept, views, labels, position)
    _written(page, kept, ids)


def _token_ids(page: Page, stage: Stage) -> Sequence[int]:
    """The prompt in tokens of the kept models, whatever the loaded model's are."""
    assert stage.model.tokenizer is not None
    return stage.model.tokenizer.encode(page.journey.text)


def _label(stage: Stage, token_id: int) -> str:
    assert stage.model.tokenizer is not None
    return stage.model.tokenizer.visible(token_id)


def _title(page: Page, stage: Stage) -> str:
    return page.plain("stage" if stage.step else "stage_0", step=count(stage.step))


def _expected(
    page: Page, kept: Sequence[Stage], views: Sequence[StageView], labels: Sequence[str],
    position: int,
) -> None:  # fmt: skip
    """A column per model: its best guesses behind the followed token."""
    came = labels[position + 1] if position + 1 < len(labels) else ""
    columns = [
        StageColumn(
            _title(page, stage),
            (
                page.plain("stage_held_out", bits=number(stage.bits)),
                page.plain("stage_loss", loss=number(view.losses.mean_loss))
                if len(labels) > 1 else "",
            ),
            [_label(stage, token_id) for token_id, _ in best],
            [probability for _, probability in best],
            view.came(position),
        )
        for stage, view in zip(kept, views, strict=True)
        for best in (view.best(position),)
    ]  # fmt: skip
    page.figure(
        "stages",
        lambda: stages_figure(columns, came=came, theme=page.theme),
        lambda: stages_table(columns, came=came),
        of="model", token=text.token(labels[position]),
    )  # fmt: skip


def _attended(
    page: Page, kept: Sequence[Stage], views: Sequence[StageView], labels: Sequence[str],
    position: int,
) -> None:  # fmt: skip
    """One head of each model, beside each other."""
    config = kept[-1].model.config
    with st.container(key="training-grown", horizontal=True, gap="large"):
        block = int(page.slider("gblock", page.plain("choices.block"), 0,
                                config.n_layers - 1, 2, width=220))  # fmt: skip
        head = int(page.slider("ghead", page.plain("choices.head"), 0,
                               config.n_heads - 1, 0, width=220))  # fmt: skip
    panels = [
        PatternPanel(_title(page, stage), "", view.patterns[block, head])
        for stage, view in zip(kept, views, strict=True)
    ]
    page.figure(
        "grown",
        lambda: patterns_figure(panels, labels=labels, followed=position, theme=page.theme),
        lambda: patterns_table(panels, labels=labels),
        caption=None if len(labels) > 1 else "figures.grown.alone",
        of="model", block=block, head=head,
    )  # fmt: skip


def _written(page: Page, kept: Sequence[Stage], ids: Sequence[int]) -> None:
    """What each model writes behind the prompt, for whoever asks: it takes longer than all else."""
    if len(ids) == kept[-1].model.config.n_ctx:
        page.say("no_room", most=count(len(ids)))
        return
    if not page.toggle("gwrite", page.plain("choices.write")):
        return
    for stage in kept:
        sample = page.remember(f"written {stage.step}", partial(written_behind, stage, ids))
        page.say("stage_sample", stage=_title(page, stage), text=sample)
