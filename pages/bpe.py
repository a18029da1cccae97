"""Byte-pair encoding: a vocabulary learned from a text, merge after merge."""

from contextlib import nullcontext

import streamlit as st

import tokenjourney as tj
from tokenjourney import ui
from tokenjourney.analysis.learned_merges import cut, learned_merges, overlapping
from tokenjourney.figures.compression import compression_figure, compression_table
from tokenjourney.figures.text import count, number
from tokenjourney.tokens import visible
from tokenjourney.training.bpe import bpe_steps
from tokenjourney.ui import merges

MOST_MERGES, SHOWN_AT_FIRST = 500, 40
LONG = 100_000  # characters, from which on learning takes longer than a moment

page = ui.open_page("bpe")
page.shapes("text", "(T)")
tokenizer, journey = page.model.tokenizer, page.journey

with st.container(key="bpe-choices", horizontal=True, gap="large"):
    source = page.choose("corpus", page.plain("choices.corpus"), page.text_table("sources"))
    unit = page.choose("unit", page.plain("choices.unit"), page.text_table("unit_names"))
try:
    text, said = merges.text_to_learn_from(page, source), f"said.{source}"
except tj.TokenJourneyError as error:
    ui.refuse(error)
    text, said = merges.latest_text(), "said.before"
page.say(said if text.strip() else "said.nothing", n=count(len(text)))
if not text.strip():
    page.stop()
name = merges.identity(text)


def learned_from(first):
    """What is learned from the text, beginning with bytes or with characters."""
    words = page.plain("waiting", n=count(len(text)))
    with st.spinner(words, show_time=False) if len(text) > LONG else nullcontext():
        return page.remember(
            f"{name} {first}", lambda: learned_merges(text, MOST_MERGES, first), of="model"
        )


learned = learned_from(unit)
last = len(learned.merges)


def merge_number(text: str) -> int:
    """The step that the link names."""
    if not text.isascii() or not text.isdigit() or int(text) > last:
        raise ValueError(f"It must be a number of merges from 0 to {last}.")
    return int(text)


def curve(step: int, words: str) -> None:
    """Tokens per character, falling: of the text, and of other words cut by the same merges."""
    page.section("curve")
    ratios, level = learned.tokens_per_character, None
    other = cut(words, learned.ranks, unit).n_tokens(last) / len(words)
    if tokenizer is not None:
        level = page.remember(
            f"level {name}", lambda: len(tokenizer.encode(text)) / len(text), of="model"
        )
    page.figure(
        "curve",
        compression_figure(
            ratios=ratios, step=step, other=other, reference=level, theme=page.theme,
            names=tuple(page.text_table("curves").values()),
            reference_name=page.plain("reference", d_vocab=count(page.model.config.d_vocab)),
        ),
        lambda: compression_table(ratios, other),
        first=number(ratios[0]), now=number(ratios[step]), step=count(step),
    )  # fmt: skip


def own_words(step: int) -> str:
    """The merges learned so far, tried on words that the reader types, or on the prompt."""
    page.section("words", step=count(step))
    typed = page.entry("words", page.plain("words_label"), placeholder=page.plain("words_empty"))
    words = typed or journey.text or text[:40]
    parts = cut(words, learned.ranks, unit).parts(step)
    on = []
    if words == journey.text:
        followed = journey.tokens[page.token]
        on = overlapping(parts, words, followed.start, followed.end)
    page.picture(
        "words",
        merges.cards(parts, learned, on),
        lambda: merges.cards_table(parts, learned),
        n=count(len(parts)), characters=count(len(words)), ratio=number(len(parts) / len(words)),
    )  # fmt: skip
    if on:
        page.say("followed" if len(on) > 1 else "followed_whole", token=page.token_html,
                 n=count(len(on)))  # fmt: skip
    return words


def never_unknown() -> None:
    """Scripts and signs that the text never held: in bytes, and in characters."""
    both = [learned_from("bytes"), learned_from("characters")]
    page.section("unknown", n=count(len(both[1].base)))
    samples = list(page.text_table("samples").values())
    found = [[cut(one, each.ranks, each.unit).parts(10**6) for each in both] for one in samples]
    heads = list(page.text_table("unit_names").values())
    page.picture(
        "unknown",
        merges.comparison(samples, heads, found, both),
        lambda: merges.comparison_table(samples, heads, found, both),
    )


@ui.part
def learning() -> None:
    """The merges, and what hangs on how many of them are done."""
    step, put = page.extra("merge", min(SHOWN_AT_FIRST, last), merge_number)
    merges.draw(page, text, learned, step, MOST_MERGES, put)
    page.look_for()
    left, right = page.columns(2)
    with right:
        words = own_words(step)
    with left:
        curve(step, words)
    never_unknown()
    page.formula(
        r"(a, b)^{*} = \operatorname*{arg\,max}_{(a,\,b)} \operatorname{count}(ab)"
        r"\qquad \text{vocabulary} \leftarrow \text{vocabulary} \cup \{a^{*}b^{*}\}",
        [
            (
                rf"{ui.latex(visible(m.left))} + {ui.latex(visible(m.right))}",
                rf"\operatorname{{count}} = {m.count}",
            )
            for m in learned.merges[max(0, step - 6) : step]
        ],
        title=page.plain("formula_title"),
    )


learning()
page.source(bpe_steps, cut, title=page.plain("source_title"))
