"""Every page in a real browser, opened by a cold deep link."""

from __future__ import annotations

import pytest

from tokenjourney.ui.navigation import entries

PAGES = entries()


@pytest.mark.parametrize("entry", PAGES, ids=[entry.title for entry in PAGES])
def test_a_page_opens_by_its_link_and_follows_the_prompt(visit, entry):
    visitor = visit(dark=True).open(f"/{entry.path}", prompt="The dog chased another dog")
    assert visitor.page.locator("h1").inner_text().endswith("?")
    current = visitor.page.locator('[aria-current="page"]')
    assert current.inner_text().endswith(entry.title)
    before = visitor.figures()
    assert visitor.page.get_by_label("Prompt").count() == 1, "one thing is called so"
    visitor.write("Once upon a time")
    assert visitor.chips() == ["Once", "·upon", "·a", "·time"]
    after = visitor.figures()
    assert after != before or not before
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert visitor.page.evaluate(overflow) <= 0


def test_a_fold_is_filled_when_it_is_opened_and_keeps_up_with_the_prompt(visitor):
    visitor.open("/positions", prompt="The dog chased another dog")
    page = visitor.page
    assert page.locator(".katex, .stCode").count() == 0
    with visitor.rerun():
        page.get_by_text("The source that ran").click()
    assert "def embed" in page.locator(".stCode").first.inner_text()
    with visitor.rerun():
        page.get_by_text("The formula, with this prompt’s numbers").first.click()
    before = page.locator(".katex").all_inner_texts()
    assert before
    visitor.follow(1)
    assert page.locator(".katex").all_inner_texts() != before
    assert page.locator(".stCode").count() > 0, "an open fold stays open"
