"""Latent attention: how little of a token must be kept, so that later ones can look at it."""

import streamlit as st

from tokenjourney import ui
from tokenjourney.analysis.beyond import (
    DEEPSEEK_V3,
    absorbed_output,
    absorbed_scores,
    by_head,
    kept_numbers,
    largest,
    largest_difference,
    query_numbers,
)
from tokenjourney.analysis.heads import head_survey
from tokenjourney.beyond import attention
from tokenjourney.figures.bars import bars_figure
from tokenjourney.figures.head_vectors import head_vectors_figure, vectors_table
from tokenjourney.figures.heads import heads_figure, heads_table
from tokenjourney.figures.latent import latent_figure, latent_table
from tokenjourney.figures.parameters import short_count
from tokenjourney.figures.text import count, number, scientific
from tokenjourney.ui import small as smalls

MOST_KEYS = 16

page = ui.open_page("latent_attention")
name = page.choose("latent_of", page.plain("words.model"), page.text_table("models"))
small = smalls.small(page, name)
journey, config, token = small.journey, small.model.config, small.token
followed = ui.token(small.labels[token])
blocks, heads = range(config.n_layers), range(config.n_heads)
page.say("said.cut" if small.cut else "said.own", n=config.n_ctx)


def strips(block: int) -> None:
    """The latent and the rotated key, lit, and the keys and values rebuilt from them."""
    page.section("strips", block=block)
    keys, values = by_head(journey["k", block][..., : config.d_nope]), by_head(journey["v", block])
    parts = [
        (page.plain("parts.latent"), str(config.d_latent), journey["latent", block], True),
        (page.plain("parts.rotated"), str(config.d_rope), journey["k_rot", block], True),
        (page.plain("parts.keys"), page.plain("parts.rebuilt", n=keys.shape[1]), keys, False),
        (page.plain("parts.values"), page.plain("parts.rebuilt", n=values.shape[1]), values, False),
    ]
    page.figure(
        "strips",
        lambda: latent_figure(parts=parts, labels=small.labels, followed=token, theme=page.theme),
        lambda: latent_table(parts=parts, labels=small.labels),
        of="model", kept=config.d_latent + config.d_rope, whole=2 * config.n_heads * config.d_nope,
        some=smalls.drawn(page, small),
    )  # fmt: skip


def queries(block: int) -> None:
    """The query's own latent, and the queries of all heads made from it: none of it is kept."""
    page.section("queries", block=block)
    q, n_heads = journey["q", block], config.n_heads
    parts = [
        (page.plain("parts.query"), str(config.d_query_latent), journey["q_latent", block], False),
        (page.plain("parts.still"), f"{n_heads} × {config.d_nope}",
         by_head(q[..., : config.d_nope]), False),
        (page.plain("parts.turned"), f"{n_heads} × {config.d_rope}",
         by_head(q[..., config.d_nope :]), False),
    ]  # fmt: skip
    (here, whole), (large, large_whole) = query_numbers(config), query_numbers(DEEPSEEK_V3)
    left, right = page.columns([1.9, 1])
    with left:
        page.figure(
            "queries",
            lambda: latent_figure(
                parts=parts, labels=small.labels, followed=token, theme=page.theme
            ),
            lambda: latent_table(parts=parts, labels=small.labels),
            of="model", some=smalls.drawn(page, small),
        )  # fmt: skip
    with right:
        page.say("compressed", d_model=config.d_model, d_query=config.d_query_latent,
                 n_heads=n_heads, d_head=config.d_head, here=count(here),
                 whole=count(whole))  # fmt: skip
        page.say("compressed_large", d_model=count(DEEPSEEK_V3.d_model),
                 d_query=count(DEEPSEEK_V3.d_query_latent), n_heads=DEEPSEEK_V3.n_heads,
                 d_head=DEEPSEEK_V3.d_head, here=short_count(large),
                 whole=short_count(large_whole))  # fmt: skip


def absorbed(block: int, head: int) -> None:
    """The scores of the followed query, with keys and without a single one."""
    page.section("absorbed", block=block, head=head, token=followed)
    with_keys = journey["attn_scores", block][head, token, : token + 1]
    up = small.model.network.blocks[block].attn.up_k.weight.numpy()
    without = absorbed_scores(
        journey["q", block][token, head], journey["latent", block][: token + 1],
        journey["k_rot", block][: token + 1],
        up[:, head * config.d_nope : (head + 1) * config.d_nope],
    )  # fmt: skip
    shown = range(max(0, token + 1 - MOST_KEYS), token + 1)
    page.figure(
        "absorbed",
        lambda: bars_figure(
            labels=[small.labels[i] for i in shown], values=[float(with_keys[i]) for i in shown],
            marks=[float(without[i]) for i in shown], axis=page.plain("words.score"),
            highlight=[len(shown) - 1], theme=page.theme,
            texts=[number(float(with_keys[i]), 3) for i in shown],
            hovers=[page.plain("words.both", token=small.labels[i],
                               keys=number(float(with_keys[i]), 6),
                               latent=number(float(without[i]), 6)) for i in shown],
        ),
        lambda: (["position", "token", "score by keys", "score by latents"],
                 [(i, small.labels[i], float(with_keys[i]), float(without[i]))
                  for i in range(token + 1)]),
        of="model", error=scientific(largest_difference(with_keys, without)),
        some=page.text("some", n=MOST_KEYS) if len(shown) <= token else "",
    )  # fmt: skip


def output(block: int) -> None:
    """What all heads together write, computed both ways."""
    page.section("output", block=block, token=followed)
    expanded, without = page.remember(
        f"output {name} {block}", lambda: absorbed_output(small.model, journey, block)
    )
    ways = [
        (page.plain("ways.expanded.name"), page.plain("ways.expanded.note"), expanded[token]),
        (page.plain("ways.absorbed.name"), page.plain("ways.absorbed.note"), without[token]),
    ]
    page.figure(
        "output",
        lambda: head_vectors_figure(vectors=ways, theme=page.theme),
        lambda: vectors_table(ways),
        of="model", n=count(len(journey)), d_model=config.d_model,
        error=scientific(largest_difference(expanded, without)), most=number(largest(expanded)),
    )  # fmt: skip


def patterns(block: int, head: int) -> None:
    """The patterns of all heads of the trained model on this prompt."""
    page.section("patterns")
    survey = page.remember(
        f"patterns {name} {journey.token_ids}",
        lambda: head_survey(
            (journey.passing(i, "pattern")[0] for i in blocks), journey.token_ids, most=48
        ),
        of="model",
    )
    none = [[""] * config.n_heads for _ in blocks]
    page.figure(
        "patterns",
        lambda: heads_figure(patterns=survey.thumbnails, chosen=(block, head), kinds=none,
                             width=320, theme=page.theme),
        lambda: heads_table(names=list(page.text_table("scores").values()),
                            scores=survey.scores.values, kinds=none, off=()),
        clicks={"lblock": "y", "lhead": "x"}, of="model",
        cells=page.text("words.cells", side=survey.side) if survey.side > 1 else "",
    )  # fmt: skip


def sizes(key: str, sized, n_layers: int, bytes_each: int) -> None:
    """Numbers kept of one token in one block, by kind of attention, and memory for a long text."""
    kept = kept_numbers(sized)
    names = page.text_table("kinds")
    page.section(key)
    page.figure(
        key,
        lambda: bars_figure(
            labels=[names[kind] for kind in kept], values=list(kept.values()),
            axis=page.plain("words.kept"), texts=[count(n) for n in kept.values()],
            strong=[list(kept).index("mla")], theme=page.theme,
        ),
        lambda: (["attention", "numbers of a token and block", "blocks", "bytes a number"],
                 [(names[kind], n, n_layers, bytes_each) for kind, n in kept.items()]),
        of="model", kept=count(kept["mla"]), whole=count(kept["mha"]),
        times=number(kept["mha"] / kept["mla"], 1),
    )  # fmt: skip


def formula(block: int) -> None:
    """The equations, with this prompt's numbers."""
    latent, rotated = journey["latent", block][token], journey["k_rot", block][token]
    page.formula(
        r"c = x\, W_{DKV}, \qquad k^{C} = c\, W_{UK}, \quad v = c\, W_{UV}, \qquad "
        r"k^{R} = \operatorname{RoPE}(x\, W_{KR}), \qquad k = [k^{C}; k^{R}], \qquad "
        r"q^{C} \cdot (c\, W_{UK}) = (q^{C}\, W_{UK}^{\top}) \cdot c, \qquad "
        r"\textstyle\sum_s p_s\, (c_s W_{UV}) = \left(\sum_s p_s\, c_s\right) W_{UV}",
        [
            (rf"c_{{{token}}}", rf"= [{', '.join(f'{float(n):.2f}' for n in latent[:4])}, \dots] "
             rf"\quad \text{{({config.d_latent} numbers)}}"),
            (rf"k^R_{{{token}}}",
             rf"= [{', '.join(f'{float(n):.2f}' for n in rotated[:4])}, \dots] "
             rf"\quad \text{{({config.d_rope} numbers)}}"),
            (r"\text{query}", rf"{config.d_model} \to {config.d_query_latent} \to "
             rf"{config.n_heads} \times ({config.d_nope} + {config.d_rope})"),
        ],
    )  # fmt: skip


@ui.part
def of_a_head() -> None:
    """Everything that hangs on the chosen block and head, and what stands between."""
    with st.container(key="latent-pickers", horizontal=True, gap="large"):
        block = int(page.choose("lblock", page.plain("words.block"), list(map(str, blocks))))
        head = int(page.choose("lhead", page.plain("words.head"), list(map(str, heads))))
    strips(block)
    page.look_for(token=followed, kept=config.d_latent + config.d_rope)
    left, right = page.columns([1.5, 1])
    with right:
        patterns(block, head)
    with left:
        absorbed(block, head)
    output(block)
    queries(block)
    left, right = page.columns(2)
    with left:
        sizes("here", config, config.n_layers, 4)
    with right:
        sizes("large", DEEPSEEK_V3, DEEPSEEK_V3.n_layers, 2)
    page.section("compared")
    page.picture("compared", smalls.table_html(smalls.comparison()), smalls.comparison)
    formula(block)


of_a_head()
page.source(attention.LatentAttention)
