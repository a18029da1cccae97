"""Attention: who looks at whom, from the match of two vectors to what a head writes."""

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.attention import (
    cell_steps,
    direct_effect,
    dot_products,
    log_totals,
    scaled_scores,
    strongest_pushes,
)
from tokenjourney.analysis.blocks import norms
from tokenjourney.analysis.heads import LABEL_FROM, head_survey
from tokenjourney.figures.attention import (
    attention_matrices_figure,
    attention_table,
    matrices_note,
)
from tokenjourney.figures.bars import bars_figure, pushes_figure
from tokenjourney.figures.export import matrix_table
from tokenjourney.figures.head_lines import head_lines_figure
from tokenjourney.figures.head_vectors import head_vectors_figure, products_table, vectors_table
from tokenjourney.figures.heads import head_sentence, heads_figure, heads_table
from tokenjourney.figures.text import count, number
from tokenjourney.ui.attention_card import attention_card

page = ui.open_page("attention")
page.shapes("(T, d_model)", "(n_heads, T, d_head)", "(n_heads, T, T)", "(T, d_model)")
config, token, off, journey = page.model.config, page.token, page.off, page.journey
sizes = (config.n_layers, config.n_heads)
names = list(page.text_table("scores").values())

with st.container(key="attention-pickers", horizontal=True, gap="large"):
    block = page.block_picker()
    head = page.head_picker()

q, k, v, z = (journey[name, block][:, head] for name in "qkvz")
pattern = journey["pattern", block][head]
strongest = int(pattern[token].argmax())


def position(text: str) -> int:
    """The key that the link names."""
    if not text.isascii() or not text.isdigit() or int(text) >= len(page.labels):
        raise ValueError(f"It must be a position from 0 to {len(page.labels) - 1}.")
    return int(text)


chosen_key, _ = page.extra("key", None, position)
key = strongest if chosen_key is None else chosen_key
steps = cell_steps(q, k, token, key)


products = dot_products(q, k)
scaled = scaled_scores(products, config.d_head)


def matrices() -> None:
    """The four linked matrices of the head."""
    page.section("head", block=block, head=head)
    page.figure(
        "matrices",
        lambda: attention_matrices_figure(
            dot_products=products, scaled=scaled, pattern=pattern, d_head=config.d_head,
            labels=page.texts_of_tokens, followed=token, marked=key, theme=page.theme,
        ),
        lambda: attention_table(
            dot_products=products, scaled=scaled, pattern=pattern, labels=page.texts_of_tokens
        ),
        clicks=("token", "key"), block=block, head=head, token=page.token_html,
        strongest=page.labels[strongest], share=number(pattern[token, strongest]),
        drawn=matrices_note(len(page.labels)),
    )  # fmt: skip


def card() -> None:
    """The marked cell, explained; any other one while it is pointed at."""
    attention_card(
        page, q=q, k=k, log_totals=log_totals(scaled), key=key,
        table=lambda: products_table(query=q[token], key=k[key]), d_head=config.d_head,
        said=f"figures.card.{'off' if (block, head) in off.heads else 'caption'}",
    )  # fmt: skip
    if len(page.labels) == 1:
        page.say("words.one_token")


def sentences() -> list[list[str]]:
    """What each head does, in words."""
    return [
        [
            head_sentence(b, h, list(zip(names, survey.scores.values[:, b, h], strict=True)),
                          (b, h) in off.heads)
            for h in range(sizes[1])
        ]
        for b in range(sizes[0])
    ]  # fmt: skip


def all_heads() -> None:
    """Every head's pattern as a small picture, to open."""
    page.section("heads", n=config.n_layers * config.n_heads)
    page.figure(
        "heads",
        lambda: heads_figure(
            patterns=survey.thumbnails, chosen=(block, head), kinds=kinds, sentences=sentences(),
            off=off.heads, theme=page.theme,
        ),
        lambda: heads_table(names=names, scores=survey.scores.values, kinds=kinds, off=off.heads),
        clicks={"block": "y", "head": "x"}, n=config.n_layers * config.n_heads,
        cells=page.text("words.cells", side=survey.side) if survey.side > 1 else "",
    )  # fmt: skip


def scores() -> None:
    """What the chosen head measurably does, on this prompt and on average."""
    here, average = (found.scores.values[:, block, head] for found in (survey, repeats))
    missing = page.plain("words.no_occasion")
    texts = [
        [missing if value != value else number(float(value)) for value in values]
        for values in (here, average)
    ]
    page.section("scores", block=block, head=head)
    page.say("words.called", here=called(kinds[block][head]),
             average=called(repeats.scores.kind(block, head)))  # fmt: skip
    page.figure(
        "scores",
        lambda: bars_figure(
            labels=names, values=here, marks=average, limit=1.0, groove=True,
            texts=["–" if value != value else number(float(value)) for value in here],
            hovers=[
                page.plain("words.score", name=name, here=one, average=other)
                for name, one, other in zip(names, *texts, strict=True)
            ],
            axis=page.plain("words.scores_axis"), theme=page.theme,
        ),
        lambda: (
            ["score", "on this prompt", "on average"],
            list(zip(names, here.tolist(), average.tolist(), strict=True)),
        ),
        n=repeats.n_tokens,
        runs=page.text(f"words.{'draws' if len(repeats.seeds) > 1 else 'draw'}",
                       n=len(repeats.seeds)),
    )  # fmt: skip


def called(kind: str) -> ui.Safe:
    """The name of what a head does, or that it has none."""
    return (
        page.text("words.kind", name=page.text_table("scores")[kind])
        if kind
        else page.text("words.no_kind", least=number(LABEL_FROM))
    )


def switched_off() -> None:
    """Heads switched off, and what that does to the prediction."""
    page.section("off")
    page.switches(off.head(block, head), off.attention(block), off.all_attention)
    page.effect()


def lines() -> None:
    """The head's shares as lines between the tokens."""
    page.section("lines", block=block, head=head)
    page.figure(
        "lines",
        lambda: head_lines_figure(
            pattern=pattern, labels=page.texts_of_tokens, followed=token, theme=page.theme
        ),
        lambda: matrix_table(pattern, rows=page.labels, columns=page.labels, row_name="query",
                             column_name="key", value_name="share"),
        clicks="token",
    )  # fmt: skip


def vectors() -> None:
    """Query, key, value and z of the followed token."""
    page.section("vectors", token=page.token_html, head=head)
    words = page.text_table("vectors")
    rows = [
        (name, words[name], values[token])
        for name, values in (("query", q), ("key", k), ("value", v), ("z", z))
    ]
    page.figure(
        "vectors",
        lambda: head_vectors_figure(vectors=rows, theme=page.theme),
        lambda: vectors_table(rows),
        d_head=config.d_head,
    )


def writes() -> None:
    """What the head's result pushes up and down in the vocabulary."""
    page.section("writes", block=block, head=head, token=page.token_html)
    if (block, head) in off.heads:
        page.say("words.writes_nothing")
        return
    up, down = page.remember(
        f"writes {block} {head} {token}",
        lambda: strongest_pushes(
            direct_effect(
                journey["result", block][token, head],
                float(journey["ln_final.hook_scale"][token, 0]),
                page.model.parameter("ln_final.gain"),
                page.model.W_U,
            )
        ),
    )
    up_labels, down_labels = ([page.label(i) for i in found.token_ids] for found in (up, down))
    page.figure(
        "writes",
        lambda: pushes_figure(
            promoted_labels=up_labels, promoted=up.effects, suppressed_labels=down_labels,
            suppressed=down.effects, axis=page.plain("words.writes_axis"), by=f"B{block} H{head}",
            theme=page.theme,
        ),
        lambda: (
            ["token", "ID", "change of the logit"],
            [(page.label(i), i, size) for found in (up, down) for i, size in found.pairs],
        ),
    )  # fmt: skip


def written() -> None:
    """How long the vector is that each head of the block writes into the followed token."""
    sizes = [float(size) for size in norms(journey["result", block][token])]
    page.section("written", block=block, token=page.token_html)
    page.figure(
        "written",
        lambda: bars_figure(
            labels=[page.plain("words.head", head=h) for h in range(config.n_heads)],
            values=sizes, axis=page.plain("words.length"), click=range(config.n_heads),
            hovers=[
                page.plain("words.writes", block=block, head=h, length=number(size))
                for h, size in enumerate(sizes)
            ],
            highlight=[head], theme=page.theme,
        ),
        lambda: (["head", "length of what it writes"], list(enumerate(sizes))),
        clicks="head", length=number(float(norms(journey["attn_out", block][token]))),
    )  # fmt: skip


patterns = (journey.passing(b, "pattern")[0] for b in range(config.n_layers))
n_heads, n_tokens = count(config.n_layers * config.n_heads), count(len(page.labels))
with st.spinner(page.plain("words.waiting", n=n_tokens, heads=n_heads), show_time=False):
    survey = page.remember("survey", lambda: head_survey(patterns, journey.token_ids))
repeats = page.head_averages()
kinds = [[survey.scores.kind(b, h) for h in range(sizes[1])] for b in range(sizes[0])]

with st.container(key="attention-main"):
    left, right = page.columns([2.1, 1])
    with left:
        matrices()
        card()
        page.look_for()
        vectors()
    with right, st.container(key="attention-side"):
        with st.container(key="attention-heads"):
            all_heads()
        with st.container(key="attention-scores"):
            scores()
        with st.container(key="attention-off"):
            switched_off()

with st.container(key="attention-more"):
    left, right = page.columns([1, 1.3])
    with left:
        written()
    with right:
        writes()
    lines()

page.formula(
    r"\text{pattern} = \operatorname{softmax}\left("
    r"\frac{Q K^{\top}}{\sqrt{d_{\text{head}}}} + \text{mask}\right), "
    r"\qquad z = \text{pattern} \cdot V",
    [
        (
            rf"q_{{{ui.latex(page.labels[token])}}} \cdot k_{{{ui.latex(page.labels[key])}}}",
            rf"= {steps.dot_product:.2f}",
        ),
        (r"\div \sqrt{d_{\text{head}}}", rf"\div \sqrt{{{config.d_head}}} = {steps.scaled:.2f}"),
        (r"\textstyle\sum_j e^{s_j}", rf"= e^{{{steps.log_total:.3f}}}"),
        (
            r"\text{share}",
            "= 0" if steps.is_masked
            else rf"= e^{{{steps.scaled:.3f} - ({steps.log_total:.3f})}} = {steps.share:.3f}",
        ),
    ],
)  # fmt: skip
page.source(tj.model.gpt2.Attention)
