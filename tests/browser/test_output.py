"""Drawing again and again, as people do it."""

import re

from playwright.sync_api import expect

PROMPT = "Once upon a time there was a little"


def test_draw_again_moves_the_arrow_and_the_link_with_it(visit):
    visitor = visit().open("/output", prompt=PROMPT)
    chart = visitor.page.locator(".st-key-tjfig-output-choice .js-plotly-plot")
    expect(chart).to_be_visible(timeout=90_000)
    before = visitor.figures()[0]
    visitor.page.get_by_role("button", name="Draw again").click()
    expect(visitor.page).to_have_url(re.compile(r"\bseed=8\b"), timeout=90_000)
    visitor.settle()
    after = visitor.figures()[0]
    assert "seed 8 draws" in after
    assert after != before
    assert visitor.errors == []
    assert visitor.foreign == []
