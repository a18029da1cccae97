"""What was recorded of a training that a visitor watches, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenjourney.analysis.recording import (
    Curves,
    block_lengths,
    curves,
    map_limit,
    patterns_at,
    sharpest_head,
    strongest_shares,
    through_blocks,
)
from tokenjourney.figures.gradient_lengths import GradientPanel, gradient_lengths_figure
from tokenjourney.figures.learning_curves import curves_table, loss_curves_figure
from tokenjourney.figures.moving_map import moving_map_figure, moving_map_table
from tokenjourney.figures.patterns import PatternPanel, patterns_figure, patterns_table
from tokenjourney.figures.text import count, number, scientific, share, signed
from tokenjourney.training import parts
from tokenjourney.ui.live_training import Watched, kind, progress, sample, scrubber

if TYPE_CHECKING:
    from tokenjourney.training.moments import Moment
    from tokenjourney.ui.page import Page


def recorded(page: Page, now: Watched) -> None:
    """Everything that was recorded so far, at the newest moment or the one looked at."""
    moments = list(now.run.moments)
    progress(page, now)
    if not moments:
        return
    scrubber(page, now, moments)
    moment = now.at(moments)
    found, last = curves(moments), now.run.settings.steps
    vocabulary = len(now.beginning.vocabulary)
    page.figure(
        "losses",
        loss_curves_figure(
            steps=found.steps, train=found.train, seen_at=found.seen_at, held_out=found.held_out,
            twin=found.twin, vocabulary=vocabulary, last_step=last, marked=moment.step,
            theme=page.theme,
        ),
        lambda: curves_table(
            steps=found.steps, train=found.train, seen_at=found.seen_at, held_out=found.held_out,
            twin=found.twin,
        ),
        of="model", first=number(found.held_out[0]), now=number(found.held_out[-1]),
        fell=signed(found.held_out[-1] - found.held_out[0]),
    )  # fmt: skip
    page.say("sample_title", step=count(moment.step))
    page.show(sample(page, moment))
    with page.row("recorded"):
        _embedding(page, now, moments, moment)
        _sharpening(page, now, moments, moment)
    _lengths(page, now, found, moment)


def _embedding(page: Page, now: Watched, moments: list[Moment], moment: Moment) -> None:
    """The rows of W_E on a map, and the way that they came."""
    now.maps.catch_up(moments)
    place = now.maps.steps.index(moment.step)
    known = now.labels
    labels = [known[i] for i in now.beginning.on_map]
    kinds = [kind(label) for label in labels]
    page.figure(
        "map",
        moving_map_figure(
            trail=now.maps.points[max(0, place - 6) : place + 1], labels=labels, kinds=kinds,
            limit=map_limit(now.maps.points), shares=now.maps.shares[place].tolist(),
            theme=page.theme,
        ),
        lambda: moving_map_table(points=now.maps.points[place], labels=labels, kinds=kinds),
        of="model", step=count(moment.step), n=len(labels),
    )  # fmt: skip


def _sharpening(page: Page, now: Watched, moments: list[Moment], moment: Moment) -> None:
    """One head on a text that was held out, untrained and now."""
    first, here = patterns_at(moments[0]), patterns_at(moment)
    block, head = sharpest_head(patterns_at([m for m in moments if m.snapshot][-1]))
    known = now.labels
    labels = [known[i] for i in now.beginning.probe]
    panels = [
        PatternPanel(page.plain("untrained_step"), "", first[block, head]),
        PatternPanel(page.plain("this_step", step=count(moment.step)), "", here[block, head]),
    ]
    page.figure(
        "sharpening",
        patterns_figure(panels, labels=labels, theme=page.theme),
        lambda: patterns_table(panels, labels=labels),
        of="model", block=block, head=head, before=share(strongest_shares(first[block, head])),
        after=share(strongest_shares(here[block, head])),
    )  # fmt: skip


def _lengths(page: Page, now: Watched, found: Curves, moment: Moment) -> None:
    """How long the gradients are, with skip connections and without: of blocks, or of all parts."""
    page.section("lengths")
    names = parts.part_names(now.run.config)
    short = ["embedding", *(f"block {b}" for b in range(now.run.settings.n_layers))]
    each = page.choose("leach", page.plain("choices.each"), page.text_table("lines")) == "parts"
    panels = [
        GradientPanel(page.plain(f"panels.{key}.title"), page.plain(f"panels.{key}.note"),
                      names if each else short, values if each else through_blocks(values))
        for key, values in (("with", found.norms), ("without", found.twin_norms))
        if len(values)
    ]  # fmt: skip
    page.figure(
        "lengths",
        gradient_lengths_figure(
            panels, steps=found.steps, last_step=now.run.settings.steps, marked=moment.step,
            theme=page.theme,
        ),
        lambda: (
            ["step", *names, *(f"{name} (no skips)" for name in names if len(found.twin_norms))],
            [
                (m.step, *m.norms, *m.twin_norms)
                for m in now.run.moments[: len(found.steps)]
            ],
        ),
        of="model",
    )  # fmt: skip
    if len(found.twin_norms):
        ends = [block_lengths(values)[moment.step] for values in (found.norms, found.twin_norms)]
        page.say(
            "skips", step=count(moment.step), last=now.run.settings.n_layers - 1,
            with_first=scientific(ends[0][0]), with_last=scientific(ends[0][-1]),
            without_first=scientific(ends[1][0]), without_last=scientific(ends[1][-1]),
        )  # fmt: skip
