"""Writing a text token by token, as people do it: by clicks."""

from playwright.sync_api import expect

PROMPT = "Once upon a time there was a little"


def press(visitor, name):
    visitor.page.get_by_role("button", name=name, exact=True).click()
    visitor.page.wait_for_timeout(200)
    return visitor.settle()


def test_a_text_is_written_opened_elsewhere_and_branched_off_by_a_click(visit):
    visitor = visit().open("/generation", prompt=PROMPT, seed=0)
    new = visitor.page.locator(".tj-story-text .tj-new")
    press(visitor, "Add one token")
    expect(new).to_have_count(1, timeout=30_000)
    press(visitor, "Add 20 tokens")
    expect(new).to_have_count(21, timeout=30_000)
    text = visitor.page.locator(".tj-story-text p").first.inner_text()
    link = visitor.page.url
    visitor.page.goto("about:blank")
    visitor.page.goto(link)
    visitor.settle()
    expect(visitor.page.locator(".tj-story-text p").first).to_have_text(text)
    chart = visitor.page.locator(".st-key-tjfig-generation-steps .js-plotly-plot")
    expect(chart).to_be_visible(timeout=30_000)
    visitor.figures()
    box = chart.bounding_box()
    # the third candidate of the second of eight columns shown
    visitor.page.mouse.click(box["x"] + 8 + (box["width"] - 16) / 8 * 1.4, box["y"] + 50 + 32 * 2.5)
    expect(new).to_have_count(16, timeout=30_000)
    visitor.settle()
    # what was left hangs in the tree, and a click on it opens it again
    tree = visitor.page.locator(".st-key-tjfig-generation-tree .js-plotly-plot")
    tree.scroll_into_view_if_needed()
    visitor.figures()
    box = tree.bounding_box()
    visitor.page.mouse.click(box["x"] + box["width"] - 60, box["y"] + 30 + 40 * 1.5)
    expect(new).to_have_count(21, timeout=30_000)
    visitor.settle()
    assert visitor.errors == []
    assert visitor.foreign == []


def test_stop_ends_it_at_once_and_what_is_written_stays(visit, tall):
    visitor = visit(at=tall).open("/generation", prompt="the cat sat on", model="tall", many=100)
    visitor.page.get_by_role("button", name="Add 100 tokens", exact=True).click()
    visitor.press_as_soon_as("Stop", ".tj-new", n=3)
    expect(visitor.page.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    visitor.settle()
    panel = visitor.page.locator(".tj-story-text").first
    assert 3 <= panel.locator(".tj-new").count() < 100
    assert "stopped" not in panel.inner_text()  # by itself
