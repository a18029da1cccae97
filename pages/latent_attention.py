"""Latent attention: how little of a token must be kept, so that later ones can look at it."""

from tokenjourney import ui
from tokenjourney.analysis.beyond import (
    DEEPSEEK_V3,
    absorbed_scores,
    by_head,
    kept_numbers,
    largest_difference,
)
from tokenjourney.analysis.heads import head_survey
from tokenjourney.beyond import attention
from tokenjourney.figures.bars import bars_figure
from tokenjourney.figures.heads import heads_figure, heads_table
from tokenjourney.figures.latent import latent_figure, latent_table
from tokenjourney.figures.text import count, number
from tokenjourney.ui import small as smalls

MOST_KEYS = 16

page = ui.open_page("latent_attention")
name = page.choose("latent_of", page.plain("words.model"), page.text_table("models"))
small = smalls.small(page, name)
journey, config, token = small.journey, small.model.config, small.token
followed = ui.token(small.labels[token])
kept_here = config.d_latent + config.d_rope
page.say("said.cut" if small.cut else "said.own", n=config.n_ctx)


def strips(block: int) -> None:
    """The latent and the rotated key, lit, and the keys and values rebuilt from them."""
    keys, values = by_head(journey["k", block][..., : config.d_nope]), by_head(journey["v", block])
    parts = [
        (page.plain("parts.latent"), str(config.d_latent), journey["latent", block], True),
        (page.plain("parts.rotated"), str(config.d_rope), journey["k_rot", block], True),
        (page.plain("parts.keys"), page.plain("parts.rebuilt", n=keys.shape[1]), keys, False),
        (page.plain("parts.values"), page.plain("parts.rebuilt", n=values.shape[1]), values, False),
    ]
    page.figure(
        "strips",
        latent_figure(parts=parts, labels=small.labels, followed=token, theme=page.theme),
        lambda: latent_table(parts=parts, labels=small.labels),
        of="model", kept=kept_here, whole=2 * config.n_heads * config.d_nope,
    )  # fmt: skip


def absorbed(block: int, head: int) -> float:
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
    error = largest_difference(with_keys, without)
    page.figure(
        "absorbed",
        bars_figure(
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
        of="model", error=f"{error:.0e}",
    )  # fmt: skip
    return error


def patterns(block: int, head: int) -> None:
    """The patterns of all heads of the trained model on this prompt."""
    page.section("patterns")
    blocks = range(config.n_layers)
    survey = page.remember(
        f"patterns {name} {journey.token_ids}",
        lambda: head_survey((journey["pattern", i] for i in blocks), journey.token_ids, most=48),
        of="model",
    )
    none = [[""] * config.n_heads for _ in blocks]
    page.figure(
        "patterns",
        heads_figure(patterns=survey.thumbnails, chosen=(block, head), kinds=none, width=320,
                     theme=page.theme),
        lambda: heads_table(names=list(page.text_table("scores").values()),
                            scores=survey.scores.values, kinds=none, off=()),
        clicks={"lblock": "y", "lhead": "x"}, of="model",
    )  # fmt: skip


def one_of(n: int):
    """Reads a block or a head from the link."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text[:4]) >= n:
            raise ValueError(f"It must be a number from 0 to {n - 1}.")
        return int(text)

    return parse


def sizes(key: str, sized, n_layers: int, bytes_each: int) -> None:
    """Numbers kept of one token in one block, by kind of attention, and memory for a long text."""
    kept = kept_numbers(sized)
    names = page.text_table("kinds")
    page.section(key)
    page.figure(
        key,
        bars_figure(
            labels=[names[kind] for kind in kept], values=list(kept.values()),
            axis=page.plain("words.kept"), texts=[count(n) for n in kept.values()],
            highlight=[list(kept).index("mla")], theme=page.theme,
        ),
        lambda: (["attention", "numbers of a token and block", "blocks", "bytes a number"],
                 [(names[kind], n, n_layers, bytes_each) for kind, n in kept.items()]),
        of="model", kept=count(kept["mla"]), whole=count(kept["mha"]),
        times=number(kept["mha"] / kept["mla"], 1),
    )  # fmt: skip


block, _ = page.extra("lblock", 0, one_of(config.n_layers))
head, _ = page.extra("lhead", 0, one_of(config.n_heads))
page.section("strips", block=block)
strips(block)
page.look_for(token=followed, kept=kept_here)
left, right = page.columns([1.5, 1])
with right:
    patterns(block, head)
with left:
    absorbed(block, head)
left, right = page.columns(2)
with left:
    sizes("here", config, config.n_layers, 4)
with right:
    sizes("large", DEEPSEEK_V3, DEEPSEEK_V3.n_layers, 2)
page.section("compared")
page.picture("compared", smalls.table_html(smalls.comparison()), smalls.comparison)

latent_now = journey["latent", block][token]
page.formula(
    r"c = x\, W_{DKV}, \qquad k^{C} = c\, W_{UK}, \quad v = c\, W_{UV}, \qquad "
    r"k^{R} = \operatorname{RoPE}(x\, W_{KR}), \qquad k = [k^{C}; k^{R}], \qquad "
    r"q^{C} \cdot (c\, W_{UK}) = (q^{C}\, W_{UK}^{\top}) \cdot c",
    [
        (rf"c_{{{token}}}", rf"= [{', '.join(f'{float(n):.2f}' for n in latent_now[:4])}, \dots] "
         rf"\quad \text{{({config.d_latent} numbers)}}"),
        (rf"k^R_{{{token}}}",
         rf"= [{', '.join(f'{float(n):.2f}' for n in journey['k_rot', block][token][:4])}, \dots] "
         rf"\quad \text{{({config.d_rope} numbers)}}"),
        (r"\text{query}", rf"{config.d_model} \to {config.d_query_latent} \to "
         rf"{config.n_heads} \times ({config.d_nope} + {config.d_rope})"),
    ],
)  # fmt: skip
page.source(attention.LatentAttention)
