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
