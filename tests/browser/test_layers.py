"""The logit lens is there to be clicked."""

from playwright.sync_api import expect

PROMPT = "Once upon a time there was a little"


def test_a_click_on_a_cell_of_the_lens_follows_its_token_and_watches_its_guess(visit):
    visitor = visit().open("/layers", prompt=PROMPT)
    chart = visitor.page.locator(".st-key-tjfig-layers-lens .js-plotly-plot")
    expect(chart).to_be_visible(timeout=30_000)
    visitor.figures()
    box = chart.bounding_box()
    # second token of eight, each 28 px high, last column of seven; inside the figure's margins
    visitor.page.mouse.click(box["x"] + 116 + (box["width"] - 128) * 6.5 / 7, box["y"] + 34 + 42)
    expect(visitor.page.locator('.chip[aria-checked="true"]')).to_contain_text(
        "·upon", timeout=30_000
    )
    visitor.settle()
    assert "token=1" in visitor.query()
    assert visitor.errors == []
    assert visitor.foreign == []


def test_taking_tokens_away_is_stopped_by_its_button(visit, tall):
    visitor = visit(at=tall).open("/layers", prompt="the cat sat on the mat " * 8, model="tall")
    try_it = visitor.page.locator(".st-key-try-without button")
    try_it.click()
    visitor.press_as_soon_as("Stop (finished runs are kept)", "[data-testid=stProgress]")
    expect(visitor.page.locator("[data-testid=stProgress]")).to_have_count(0)
    expect(try_it).to_be_visible()
    visitor.settle()
    expect(visitor.page.locator(".st-key-tjfig-layers-occlusion")).to_have_count(0)
    assert "without" not in visitor.query()
    try_it.click()  # some were still to do
    visitor.press_as_soon_as("Stop (finished runs are kept)", "[data-testid=stProgress]")
    expect(try_it).to_be_visible()
    visitor.settle()
