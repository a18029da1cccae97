"""One block, walked step by step."""

from tokenjourney import ui
from tokenjourney.analysis.blocks import block_walk, degrees, dropout_example, layer_norm_stages
from tokenjourney.figures.block import StepRow, steps_figure, steps_table
from tokenjourney.figures.layer_norm import layer_norm_figure, layer_norm_table
from tokenjourney.figures.text import number
from tokenjourney.model import gpt2

page = ui.open_page("block")
page.shapes("(T, d_model)", "(T, d_model)", "(T, d_model)")
journey, token = page.journey, page.token
label = page.labels[token]

block = page.block_picker()
walk = block_walk(journey, block, token)
lengths = walk.lengths


def said(step: str) -> str:
    """The second line of a step's row."""
    if step == "resid_pre":
        return page.plain(f"said.{step}" if block else f"said.{step}_first", before=block - 1)
    if step == "resid_post":
        last = block == page.model.config.n_layers - 1
        return page.plain(f"said.{step}_last" if last else f"said.{step}", after=block + 1)
    if step == "resid_mid":
        return page.plain(f"said.{step}")
    attention = step in ("attn_out", "ln1.normalized")
    source = "resid_pre" if attention else "resid_mid"
    if step.startswith("ln"):
        return page.plain("said.norm", variance=number(float(walk.vectors[source].var())))
    angle = walk.attention_angle if attention else walk.mlp_angle
    return page.plain(
        f"said.{step}", ratio=number(lengths[step] / lengths[source]), angle=f"{degrees(angle):.0f}"
    )


def row(step: str, kind: str = "stream") -> StepRow:
    """One step of the walk as a row of the figure."""
    name = page.plain(f"steps.{step.partition('.')[0]}", token=label)
    return StepRow(name, said(step), walk.vectors[step], kind)


rows = [
    row("resid_pre"),
    row("ln1.normalized", "inner"),
    row("attn_out", "added"),
    row("resid_mid"),
    row("ln2.normalized", "inner"),
    row("mlp_out", "added"),
    row("resid_post"),
]
page.section("walk", block=block, token=page.token_html)
one_scale = page.toggle("onescale", page.plain("words.one_scale"))
page.figure(
    "walk",
    steps_figure(rows=rows, one_scale=one_scale, theme=page.theme),
    lambda: steps_table(rows),
    block=block,
    token=page.token_html,
    d_model=page.model.config.d_model,
    scale=page.plain("words.scale_one" if one_scale else "words.scale_own"),
)
page.look_for(token=page.token_html)


@ui.part
def norm() -> None:
    """One of the two LayerNorms as three histograms."""
    page.section("norm")
    which = page.choose("norm", page.plain("words.which"), page.text_table("norms"))
    stages = layer_norm_stages(
        walk.vectors["resid_pre" if which == "ln1" else "resid_mid"],
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
        layer_norm_figure(**arrays, theme=page.theme),
        lambda: layer_norm_table(**arrays),
        d_model=page.model.config.d_model,
        token=page.token_html,
    )


@ui.part
def dropout() -> None:
    """What a dropout mask would do in training."""
    page.section("dropout")
    left, right = page.columns(2)
    with left:
        rate = page.slider("drop", page.plain("words.rate"), 0.0, 0.9, 0.1, 0.05)
    with right:
        seed = page.slider("mask", page.plain("words.seed"), 0, 20, 0)
    example = dropout_example(walk.vectors["attn_out"], rate, int(seed))
    drawn = [
        StepRow(page.plain("dropout.here"), page.plain("dropout.here_said"),
                walk.vectors["attn_out"], "added"),
        StepRow(page.plain("dropout.mask"), page.plain("dropout.mask_said", rate=f"{rate:g}"),
                example.drawn, "added"),
    ]  # fmt: skip
    own = page.model.config.dropout
    page.figure(
        "dropout",
        steps_figure(rows=drawn, joined=False, theme=page.theme),
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
        (rf"\lVert {name} \rVert", f"= {lengths[step]:.2f}")
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
