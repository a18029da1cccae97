"""Every page: it follows what the person chose, and no prompt brings it down."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from tokenjourney.ui import cache, components
from tokenjourney.ui.navigation import entries
from tokenjourney.ui.text import load

PAGES = [entry.file.removesuffix(".py") for entry in entries()]
SHARING = [
    entry.file.removesuffix(".py")
    for entry in entries()
    if re.search(r"lambda: \w+_figure\(|journey_map", entry.script.read_text(encoding="utf-8"))
]
"""Pages with charts that are drawn once for all who see the same."""
EXTRAS = {"curves": 1, "each": 3, "walk": 2, "onescale": 1, "mask": 3, "key": 0, "neuron": 5}
EXTRAS |= {"watch": 9, "temp": 2, "seed": 4, "topk": 5, "swap": 0, "with": 1}
EXTRAS |= {"gblock": 1, "ghead": 2}
EXTRAS |= {"lblock": 1, "lhead": 2, "mblock": 3, "kvstep": 2, "kvbytes": "fp32", "tensor": "W_pos"}
EXTRAS |= {"latent_of": "mla-moe", "experts_of": "mla-moe", "d_model": 384, "n_layers": 12}
STRANGE = [
    "a",
    "   ",
    "\n\n",
    "\u0301\u0301 שלום \u202eabc\u202c 👩\u200d👩\u200d👧",
    "\x00\x07\x1b[31m",
    "naïve 😀‍🔥 ́ 日本 \x00 ￿",
    "<script>alert(1)</script> &amp; $x$ **y** %{z}",
]


@pytest.mark.parametrize("page", PAGES)
def test_another_prompt_changes_what_is_drawn(app, page):
    opened = app(page, prompt="The dog chased another dog")
    before = opened.drawn()
    assert before
    opened.write("Once upon a time")
    assert opened.drawn() != before
    assert not opened.cards()


@pytest.mark.parametrize("page", PAGES)
def test_block_and_head_change_what_is_drawn_where_they_can_be_chosen(app, page):
    opened = app(page, prompt="The dog chased another dog")
    for key in sorted({"w.block", "w.head"} & opened.keys()):
        before = opened.drawn()
        opened.choose(key, 3)
        assert opened.drawn() != before, key
        assert opened.link()[key.removeprefix("w.")] == "3"


@pytest.mark.parametrize("page", SHARING)
def test_a_chart_from_the_cache_is_the_one_that_would_be_drawn(app, page):
    asked = [{}, {"token": 1}, {"block": 2, "head": 1, "story": "off"}, {"off": "0.3,m1"}, EXTRAS]
    given = [app(page, prompt="The dog chased another dog", **one).drawn() for one in asked]
    for one, shown in zip(asked, given, strict=True):
        cache._pictures.clear()
        assert app(page, prompt="The dog chased another dog", **one).drawn() == shown, one


def test_who_opens_the_same_link_gets_the_charts_that_were_drawn(app, monkeypatch):
    first = app("attention", prompt="The dog chased another dog")
    monkeypatch.setattr(components, "drawn", lambda _: pytest.fail("drawn again"))
    assert app("attention", prompt="The dog chased another dog").drawn() == first.drawn()


def test_a_picture_that_hangs_on_less_than_the_link_is_one_for_many_links():
    def script():
        import streamlit as st

        from tokenjourney.ui import state
        from tokenjourney.ui.page import Page

        choice = state.read("positions", "The dog", ("bundled",))
        for number, prompt in enumerate(("The dog", "A cat")):
            choice.shown = (prompt, choice.model)
            page = Page("positions")
            st.write(page.shared("alike", lambda n=number: f"drawn {n}", hangs_on=(3,)))
            st.write(page.shared("alike", lambda n=number: f"drawn {n}", hangs_on=(number,)))
            st.write(page.shared("alike", lambda n=number: f"drawn {n}"))

    app = AppTest.from_function(script).run()
    drawn = [one.value.removeprefix("drawn ") for one in app.markdown]
    assert drawn == ["0", "0", "0", "0", "1", "1"]


def test_a_part_that_runs_after_a_click_leaves_its_old_picture_to_nobody():
    def script():
        import streamlit as st

        from tokenjourney.ui import state
        from tokenjourney.ui.page import Page

        choice = state.read("attention", "The dog", ("bundled",))
        choice.shown = (choice.prompt, choice.model)
        before = Page("attention")
        state.put(block=2)
        st.write(before.shared("picture", lambda: "of block 0"))
        for number in range(2):
            st.write(Page("attention").shared("picture", lambda n=number: f"of block 2, {n}"))

    app = AppTest.from_function(script).run()
    assert [one.value for one in app.markdown] == ["of block 0", "of block 2, 0", "of block 2, 0"]


# Generation goes on from the last token, whichever is followed.
@pytest.mark.parametrize("page", [page for page in PAGES if page != "generation"])
def test_another_followed_token_changes_what_is_drawn(app, page):
    first = app(page, prompt="The dog chased another dog", token=1)
    second = app(page, prompt="The dog chased another dog", token=3)
    assert first.drawn() != second.drawn()


@pytest.mark.parametrize("page", PAGES)
def test_no_prompt_brings_it_down(app, page):
    opened = app(page, prompt="The dog")
    for text in STRANGE:
        opened.write(text)
        assert not opened.cards(), text
        assert "<script>" not in opened.html()


@pytest.mark.parametrize("page", PAGES)
def test_a_full_context_is_no_trouble(app, page):
    assert not app(page, prompt="The dog").write(" the" * 256).cards()


@pytest.mark.parametrize("page", PAGES)
def test_it_has_a_question_a_sentence_and_both_stories(app, page):
    texts = load(page)
    assert texts["title"].endswith("?")
    assert texts["sentence"]
    opened = app(page, prompt="The dog")
    assert '<span class="tj-story">' in opened.html()
    opened.choose("w.story", "engine")
    assert '<span class="tj-story">' in opened.html()
    assert not opened.cards()
