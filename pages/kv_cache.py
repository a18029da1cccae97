"""KV cache: what is kept of earlier tokens, what it saves, and what it takes."""

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.beyond import DEEPSEEK_V3
from tokenjourney.analysis.cache import (
    family_caches,
    kept_by_kind,
    kept_of_head,
    work_of_step,
)
from tokenjourney.analysis.counts import cache_bytes, kept_of_token
from tokenjourney.analysis.parameters import BYTES_EACH
from tokenjourney.analysis.speed import lengths_to_measure
from tokenjourney.figures.bars import bars_figure
from tokenjourney.figures.kept import kept_figure, kept_table
from tokenjourney.figures.speed import speed_figure, speed_table
from tokenjourney.figures.strips import window
from tokenjourney.figures.text import byte_unit, count, memory, number
from tokenjourney.model.config import GPT2Config
from tokenjourney.ui.generating import speeds

LENGTHS = tuple(2**i for i in range(18))  # up to 131,072

page = ui.open_page("kv_cache")
page.shapes("(1, d_model)", "2 × (n_layers, n_heads, T, d_head)", "(1, d_model)")
journey, config = page.journey, page.model.config
n = len(journey)
is_gpt2 = type(config) is GPT2Config


@ui.part
def growing() -> None:
    """What a head reads, column by column."""
    with st.container(key="kv-pickers", horizontal=True, gap="large"):
        block, head = page.block_picker(), page.head_picker()
    step = page.token + 1
    if n > 1:
        step = int(page.slider("kvstep", page.plain("words.step"), 1, n, step))
    names = page.text_table("parts" if is_gpt2 else "parts_other")
    kept = kept_of_head(journey, block, head)
    parts = [
        (name, page.plain("words.each", n=values.shape[1]), values)
        for name, values in zip(names.values(), kept, strict=True)
    ]
    first, end = window(n, step - 1)
    some = "" if end - first == n else page.text("some", first=first, last=end - 1, T=count(n))
    page.section("growing", block=block, head=head, step=count(step))
    page.figure(
        "growing",
        lambda: kept_figure(parts=parts, labels=page.texts_of_tokens, step=step, theme=page.theme),
        lambda: kept_table(parts=parts, labels=page.texts_of_tokens, step=step),
        clicks=("kvstep",), caption=f"figures.growing.{'caption' if step > 1 else 'first'}",
        token=ui.token(page.labels[step - 1]), some=some,
    )  # fmt: skip
    if is_gpt2:
        cached, uncached = work_of_step(config, step)
        page.say("work_of_step", step=count(step), cached=count(cached), uncached=count(uncached),
                 times=number(uncached / cached, 1),
                 memory=memory(cache_bytes(config, step)))  # fmt: skip


def work() -> None:
    """Multiplications for one new token, by formula."""
    page.section("work")
    if not is_gpt2:
        page.say("no_formula")
        return
    lengths = lengths_to_measure(config.n_ctx, n)
    spent = [work_of_step(config, length) for length in lengths]
    unit = page.plain("words.products")
    arrays = {
        "lengths": lengths,
        "cached": [cached / 1e6 for cached, _ in spent],
        "uncached": [uncached / 1e6 for _, uncached in spent],
        "unit": unit,
    }
    page.figure(
        "work",
        lambda: speed_figure(**arrays, theme=page.theme),
        lambda: speed_table(**arrays),
        of="model", n=count(lengths[-1]), times=number(spent[-1][1] / spent[-1][0], 1),
    )  # fmt: skip


@ui.part
def speed() -> None:
    """The same in milliseconds, measured when the button is pressed."""
    page.section("speed")
    if not speeds(page, journey.token_ids):
        page.say("not_measured")


@ui.part
def memories() -> None:
    """The memory of a cache, for the loaded model and the large ones."""
    page.section("memory")
    left, right = page.columns([2, 1])
    with left:
        length = page.size("kvlength", page.plain("words.length"), LENGTHS, LENGTHS[-1])
    with right:
        precision = page.choose("kvbytes", page.plain("words.precision"), ["fp16", "fp32"])
    each = BYTES_EACH[precision]
    sizes = {page.plain("words.loaded"): cache_bytes(config, length, each)}
    sizes |= family_caches(length, each)
    unit, size = byte_unit(max(sizes.values()))
    page.figure(
        "memory",
        lambda: bars_figure(
            labels=list(sizes), values=[n_bytes / size for n_bytes in sizes.values()],
            axis=page.plain("words.axis", unit=unit), texts=list(map(memory, sizes.values())),
            strong=[0], theme=page.theme,
        ),
        lambda: (["model", "tokens", "precision", "bytes"],
                 [(name, length, precision, n_bytes) for name, n_bytes in sizes.items()]),
        of="model", n=count(length), model=page.model.name, n_ctx=count(config.n_ctx),
    )  # fmt: skip


def kinds(key: str, sized: GPT2Config) -> None:
    """Numbers kept of one token in one block, by kind of attention."""
    kept, names = kept_by_kind(sized), page.text_table("kinds")
    page.figure(
        key,
        lambda: bars_figure(
            labels=[names[kind] for kind in kept], values=list(kept.values()),
            axis=page.plain("words.kept"), texts=[count(n) for n in kept.values()],
            strong=[list(kept).index("mla" if sized is DEEPSEEK_V3 else own_kind)],
            theme=page.theme,
        ),
        lambda: (["attention", "numbers of a token and block"],
                 [(names[kind], n) for kind, n in kept.items()]),
        of="model", whole=count(kept["mha"]), latent=count(kept["mla"]),
        times=number(kept["mha"] / kept["mla"], 1), n_heads=count(sized.n_heads),
    )  # fmt: skip


own_kind = getattr(config, "attention", "mha")
growing()
page.look_for(n=count(n))
left, right = page.columns(2)
with left:
    work()
with right:
    speed()
memories()
page.section("kinds")
with page.row("kinds"):
    kinds("here", config)
    kinds("large", DEEPSEEK_V3)
kept_now, all_now = kept_of_token(config), cache_bytes(config, n)
page.formula(
    r"K_T = \begin{bmatrix} K_{T-1} \\ x_T W_K \end{bmatrix}, \quad "
    r"V_T = \begin{bmatrix} V_{T-1} \\ x_T W_V \end{bmatrix}, \quad "
    r"z_T = \operatorname{softmax}\!\left(\frac{q_T K_T^{\top}}{\sqrt{d_{head}}}\right) V_T, "
    r"\qquad \text{cache} = 2 \cdot n_{layers} \cdot n_{heads} \cdot d_{head} \cdot T \cdot "
    r"\text{bytes of a number}",
    [
        ("T", f"= {n:,}"),
        (r"\text{kept of a token and block}",
         rf"= 2 \cdot {config.n_heads} \cdot {config.d_head} = {kept_now:,}" if is_gpt2
         else f"= {kept_now:,}"),
        (r"\text{cache}", rf"= {config.n_layers} \cdot {kept_now:,} \cdot {n:,} \cdot 4 = "
         rf"{all_now:,} \text{{ bytes}}"),
    ],
)  # fmt: skip
page.source(tj.record.Record, tj.record.BlockStore)
