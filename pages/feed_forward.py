"""The feed-forward part: what each token makes of itself, neuron by neuron."""

from tokenjourney import ui
from tokenjourney.analysis.attention import Pushed, direct_effect, strongest_pushes
from tokenjourney.analysis.neurons import (
    covered,
    gelu_curve,
    neuron_effect,
    strongest_neurons,
    strongest_positions,
    writing_strengths,
)
from tokenjourney.figures.bars import bars_figure, pushes_figure
from tokenjourney.figures.block import StepRow, steps_figure, steps_table
from tokenjourney.figures.feed_forward import gelu_figure, gelu_table
from tokenjourney.figures.text import number, share
from tokenjourney.model import gpt2

MOST_NEURONS, MOST_TOKENS = 12, 16

page = ui.open_page("feed_forward")
page.shapes("(T, d_model)", "(T, d_mlp)", "(T, d_model)")
journey, token, config = page.journey, page.token, page.model.config


def existing(text: str) -> int:
    """The neuron that the link names."""
    if not text.isascii() or not text.isdigit() or len(text) > 6 or int(text) >= config.d_mlp:
        raise ValueError(f"It must be a neuron from 0 to {config.d_mlp - 1}.")
    return int(text)


block = page.block_picker()
is_off = block in page.off.mlps
pre, post = journey["pre", block][token], journey["post", block][token]
w_down = page.model.parameter(f"blocks.{block}.mlp.down.weight")
strongest = strongest_neurons(post, w_down, MOST_NEURONS)
strengths = writing_strengths(post, w_down)
chosen, _ = page.extra("neuron", None, existing)
neuron = strongest[0] if chosen is None else chosen
through_the_end = {
    "scale": float(journey["ln_final.hook_scale"][token, 0]),
    "gain": page.model.parameter("ln_final.gain"),
    "W_U": page.model.W_U,
}


def curve() -> None:
    """The GELU curve with this token's activations."""
    page.section("curve", block=block, d_mlp=f"{config.d_mlp:,}", token=page.token_html)
    page.figure(
        "curve",
        lambda: gelu_figure(curve=gelu_curve(pre), pre=pre, post=post, strongest=strongest[:5],
                            chosen=neuron, theme=page.theme),
        lambda: gelu_table(pre=pre, post=post),
        clicks="neuron", token=page.token_html, block=block,
    )  # fmt: skip


def neurons() -> None:
    """The neurons that write the longest vectors."""
    page.section("neurons", token=page.token_html, share=share(covered(post, w_down, MOST_NEURONS)))
    sizes = [abs(float(strengths[i])) for i in strongest]
    page.figure(
        "neurons",
        lambda: bars_figure(
            labels=[str(i) for i in strongest], values=sizes, axis=page.plain("words.axis"),
            texts=[page.plain("words.fired", post=number(float(post[i]))) for i in strongest],
            hovers=[
                page.plain("words.row", length=number(size), post=number(float(post[i])))
                for i, size in zip(strongest, sizes, strict=True)
            ],
            click=strongest, theme=page.theme,
        ),
        lambda: (
            ["neuron", "activation", "length of what it writes"],
            [(i, float(post[i]), abs(float(strengths[i]))) for i in strongest],
        ),
        clicks="neuron",
    )  # fmt: skip


def pushes(name: str, up: Pushed, down: Pushed, by: str) -> None:
    """Promoted and suppressed tokens as bars."""
    page.figure(
        name,
        lambda: pushes_figure(
            promoted_labels=[page.label(i) for i in up.token_ids], promoted=up.effects,
            suppressed_labels=[page.label(i) for i in down.token_ids], suppressed=down.effects,
            axis=page.plain("words.writes_axis"), by=by, theme=page.theme,
        ),
        lambda: (
            ["token", "ID", "change of the logit"],
            [(page.label(i), i, size) for found in (up, down) for i, size in found.pairs],
        ),
    )  # fmt: skip


def effect() -> None:
    """What the chosen neuron pushes up and down."""
    page.section("effect", neuron=neuron, post=number(float(post[neuron])))
    found = page.remember(
        f"effect {block} {neuron} {token}",
        lambda: neuron_effect(neuron, post, w_down, **through_the_end),
    )
    pushes("effect", found.promoted, found.suppressed, f"Neuron {neuron}")


def whole() -> None:
    """What all neurons together push up and down."""
    page.section("whole", block=block, token=page.token_html)
    if is_off:
        page.say("words.writes_nothing_whole")
        return
    up, down = page.remember(
        f"whole {block} {token}",
        lambda: strongest_pushes(
            direct_effect(journey["mlp_out", block][token], **through_the_end)
        ),
    )
    pushes("whole", up, down, f"Block {block}")


def where() -> None:
    """At which tokens of the prompt the chosen neuron fires."""
    page.section("where", neuron=neuron)
    values = journey["post", block][:, neuron]
    positions = strongest_positions(values, MOST_TOKENS)
    some = len(positions) < len(values)
    texts = [number(float(values[p])) for p in positions]
    labels = [page.labels[p] for p in positions]
    page.figure(
        "where",
        lambda: bars_figure(
            labels=labels, values=values[positions], axis=page.plain("words.activation"),
            texts=texts, click=positions,
            highlight=[row for row, p in enumerate(positions) if p == token],
            hovers=[
                page.plain("words.fires", neuron=neuron, token=label, value=text)
                for label, text in zip(labels, texts, strict=True)
            ],
            theme=page.theme,
        ),
        lambda: (
            ["position", "token", "activation"],
            [(p, page.labels[p], float(values[p])) for p in range(len(values))],
        ),
        clicks="token", most=page.plain("words.most", n=MOST_TOKENS) if some else "",
    )  # fmt: skip


def widths() -> None:
    """The three widths as strips: in, neurons, out."""
    page.section("widths", d_model=config.d_model, d_mlp=f"{config.d_mlp:,}")
    vectors = {
        "normalized": journey["ln2.normalized", block][token],
        "post": post,
        "out": journey["mlp_out", block][token],
    }
    said = {
        name: page.plain(f"steps.{name}_said", n=f"{len(values):,}")
        for name, values in vectors.items()
    }
    if is_off:
        said["out"] = page.plain("words.writes_nothing_out")
    rows = [
        StepRow(page.plain(f"steps.{name}"), said[name], values, "inner")
        for name, values in vectors.items()
    ]
    page.figure(
        "widths",
        lambda: steps_figure(rows=rows, lengths=False, joined=False, theme=page.theme),
        lambda: steps_table(rows),
        token=page.token_html,
    )


if is_off:
    page.say("words.writes_nothing", block=block)
widths()
left, right = page.columns([1.25, 1])
with left:
    curve()
    page.look_for(token=page.token_html)
with right:
    neurons()
left, right = page.columns([1.25, 1])
with left:
    effect()
with right:
    where()
whole()

page.formula(
    r"\operatorname{MLP}(x) = \operatorname{GELU}(x\, W_{\text{up}} + b_{\text{up}})\, "
    r"W_{\text{down}} + b_{\text{down}}, \qquad \operatorname{GELU}(x) = "
    r"\tfrac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)",
    [
        (rf"\operatorname{{GELU}}({float(pre[i]):.3f})", rf"= {float(post[i]):.3f} \quad "
         rf"\text{{(neuron {i})}}")
        for i in (neuron, *[one for one in strongest[:3] if one != neuron])
    ],
)  # fmt: skip
page.source(gpt2.MLP)
