"""One block, walked step by step."""

import streamlit as st

from tokenjourney import ui
from tokenjourney.analysis.blocks import (
    WalkStep,
    block_walk,
    dropout_example,
    layer_norm_stages,
)
from tokenjourney.figures.block import StepRow, steps_figure, steps_table
from tokenjourney.figures.layer_norm import layer_norm_figure, layer_norm_table
from tokenjourney.figures.text import number, small
from tokenjourney.model import gpt2

page = ui.open_page("block")
page.shapes("(T, d_model)", "(T, d_model)", "(T, d_model)")
journey, token = page.journey, page.token
label = page.labels[token]

block = page.block_picker()
walk = block_walk(journey, block, token)
last = block == page.model.config.n_layers - 1


def words(step: WalkStep) -> dict[str, object]:
    """The numbers of a step, for its texts."""
    source = walk[step.source]
    return {
        "token": page.token_html, "block": block, "before": block - 1, "after": block + 1,
        "d_model": page.model.config.d_model, "length": number(step.length),
        "from": number(source.length), "ratio": number(step.ratio), "angle": f"{step.angle:.0f}",
        "mean": number(source.mean), "variance": small(source.variance),
        "mean_after": number(step.mean), "variance_after": small(step.variance),
    }  # fmt: skip


def key(step: WalkStep) -> str:
    """The name of a step's texts; what comes into the first block and leaves the last differs."""
    ends = {"resid_pre": "_first" if block == 0 else "", "resid_post": "_last" if last else ""}
    return step.name.partition(".")[0] + ends.get(step.name, "")


def row(step: WalkStep) -> StepRow:
    """One step of the walk as a row of the figure."""
    name = page.plain(f"steps.{step.name.partition('.')[0]}", token=label)
    return StepRow(name, page.plain(f"said.{key(step)}", **words(step)), step.vector, step.kind)


@ui.part
def steps() -> None:
    """The walk, as far as the person went."""
    page.section("walk", block=block, token=page.token_html)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="walk-row"):
        at = int(page.slider("walk", page.plain("words.step"), 1, len(walk), len(walk)))
        for name, to in (("back", at - 1), ("next", at + 1)):
            st.button(
                page.plain(f"words.{name}"), key=f"walk.{name}", on_click=ui.put,
                kwargs={"walk": None if to == len(walk) else to},
                disabled=not 1 <= to <= len(walk),
            )  # fmt: skip
        one_scale = page.toggle("onescale", page.plain("words.one_scale"))
    step = list(walk.values())[at - 1]
    page.show(page.text(f"sentences.{key(step)}", **words(step)), "tj-step")
    rows = [row(step) for step in walk.values()]
    page.figure(
        "walk",
        lambda: steps_figure(rows=rows, one_scale=one_scale, at=at - 1, theme=page.theme),
        lambda: steps_table(rows),
        block=block,
        token=page.token_html,
        d_model=page.model.config.d_model,
        scale=page.plain("words.scale_one" if one_scale else "words.scale_own"),
    )


def switched_off() -> None:
    """The parts of this block switched off, and what that does to the prediction."""
    page.section("off", block=block)
    left, right = page.columns(2)
    with left:
        page.head_pills(block)
        page.switches(page.off.attention(block), page.off.mlp(block))
    with right:
        page.effect()


steps()
page.look_for(token=page.token_html)
switched_off()


@ui.part
def norm() -> None:
    """One of the two LayerNorms as three histograms."""
    page.section("norm")
    which = page.choose("norm", page.plain("words.which"), page.text_table("norms"))
    stages = layer_norm_stages(
        walk["resid_pre" if which == "ln1" else "resid_mid"].vector,
        float(journey[f"{which}.scale", block][token, 0]),
        page.model.parameter(f"blocks.{block}.{which}.gain"),
        page.model.parameter(f"blocks.{block}.{which}.bias"),
    )
    arrays = {
        "before": stages.before,
        "standardised": stages.standardised,
        "after": stages.after,
    }
    page.figure(
        "norm",
        lambda: layer_norm_figure(**arrays, theme=page.theme),
        lambda: layer_norm_table(**arrays),
        d_model=page.model.config.d_model,
        token=page.token_html,
    )


@ui.part
def dropout() -> None:
    """What a dropout mask would do in training."""
    page.section("dropout")
    with page.row("dropout"):
        rate = page.slider("drop", page.plain("words.rate"), 0.0, 0.9, 0.1, 0.05)
        seed = page.slider("mask", page.plain("words.seed"), 0, 20, 0)
    example = dropout_example(walk["attn_out"].vector, rate, int(seed))
    drawn = [
        StepRow(page.plain("dropout.here"), page.plain("dropout.here_said"),
                walk["attn_out"].vector, "added"),
        StepRow(page.plain("dropout.mask"), page.plain("dropout.mask_said", rate=f"{rate:g}"),
                example.drawn, "added"),
    ]  # fmt: skip
    own = page.model.config.dropout
    page.figure(
        "dropout",
        lambda: steps_figure(rows=drawn, joined=False, theme=page.theme),
        lambda: steps_table(drawn),
        seed=seed,
        zeroed=example.zeroed,
        d_model=page.model.config.d_model,
        factor=number(example.factor),
        own=page.plain("words.own_rate", rate=f"{own:g}") if own else page.plain("words.own_none"),
    )


norm()
dropout()

page.formula(
    r"\begin{aligned} x_{\text{mid}} &= x + \operatorname{attention}(\operatorname{LN}_1(x)) \\"
    r"x_{\text{out}} &= x_{\text{mid}} + \operatorname{MLP}(\operatorname{LN}_2(x_{\text{mid}}))"
    r"\end{aligned}",
    [
        (rf"\lVert {name} \rVert", f"= {walk[step].length:.2f}")
        for name, step in (
            ("x", "resid_pre"),
            (r"\text{attention}", "attn_out"),
            (r"x_{\text{mid}}", "resid_mid"),
            (r"\text{MLP}", "mlp_out"),
            (r"x_{\text{out}}", "resid_post"),
        )
    ],
)
page.source(gpt2.Block, gpt2.LayerNorm)
