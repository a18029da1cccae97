"""The attention page in a browser: cells, heads and lines answer to the mouse."""

from __future__ import annotations

import pytest

PROMPT = "Once upon a time there was a little"


def place(visitor, figure, x_axis, y_axis, x, y):
    """Where a point of a figure's plot lies in the window, scrolled into view."""
    plot = visitor.page.locator(f".st-key-tjfig-{figure} .js-plotly-plot")
    plot.scroll_into_view_if_needed()
    left, top = plot.evaluate(
        """(plot, [xAxis, yAxis, x, y]) => {
          const [one, other] = [plot._fullLayout[xAxis], plot._fullLayout[yAxis]]
          const box = plot.getBoundingClientRect()
          return [box.left + one._offset + one.d2p(x), box.top + other._offset + other.d2p(y)]
        }""",
        [x_axis, y_axis, x, y],
    )
    return left, top


def hover(visitor, figure, *where):
    visitor.page.mouse.move(*place(visitor, figure, *where))
    said = visitor.page.locator(f".st-key-tjfig-{figure} .hoverlayer .hovertext")
    said.first.wait_for()
    return said.first.inner_html()


def click(visitor, figure, *where):
    x, y = place(visitor, figure, *where)
    visitor.page.mouse.move(x, y)
    before = visitor.query()
    visitor.page.mouse.click(x, y)
    visitor.page.wait_for_function("before => location.search.slice(1) !== before", arg=before)
    return visitor.settle()


@pytest.fixture
def opened(visit):
    visitor = visit(width=1600, height=1100)
    visitor.open("/attention", prompt=PROMPT, block=3, head=4)
    visitor.figures()
    return visitor


def test_a_cell_says_in_words_what_it_is(opened):
    assert "“·was” looks at “Once” with" in hover(
        opened, "attention-matrices", "xaxis4", "yaxis4", 0, 5
    )
    assert "excluded" in hover(opened, "attention-matrices", "xaxis4", "yaxis4", 6, 2)


def test_a_click_on_a_cell_follows_its_query_and_opens_its_key(opened):
    click(opened, "attention-matrices", "xaxis", "yaxis", 2, 5)
    assert "token=5" in opened.query()
    assert "key=2" in opened.query()
    assert opened.followed() == "·was"
    card = opened.page.locator(".st-key-tjfig-attention-card").inner_text()
    assert "·was" in card
    assert "·a₂" in card


def test_a_click_on_a_thumbnail_opens_its_head(opened):
    before = opened.figures()
    click(opened, "attention-heads", "xaxis", "yaxis", 1, 2)
    assert "block=2" in opened.query()
    assert "head=1" in opened.query()
    assert opened.figures() != before
    chosen = opened.page.get_by_role("radiogroup", name="Block").get_by_role("radio", checked=True)
    assert chosen.inner_text() == "2"


def test_a_click_on_a_token_of_the_lines_follows_it(opened):
    click(opened, "attention-lines", "xaxis", "yaxis", -0.08, 4)
    assert opened.followed() == "·there"


def test_one_click_switches_all_attention_off_and_one_undoes_it(opened):
    before = opened.figures()
    opened.page.get_by_role("button", name="All attention off").click()
    opened.page.wait_for_timeout(200)
    opened.settle()
    assert "off=all" in opened.query()
    assert opened.page.locator(".tj-badge").inner_text() == "all attention off"
    assert opened.figures() != before
    opened.page.get_by_role("button", name="Undo").click()
    opened.page.wait_for_timeout(200)
    opened.settle()
    assert "off" not in opened.query()
    assert opened.page.locator(".tj-badge").count() == 0


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1000, 1280, 1600])
def test_nothing_stands_beyond_the_edge_of_the_window(visit, width, dark):
    visitor = visit(width=width, dark=dark)
    visitor.open("/attention", prompt=PROMPT, off="0.1")
    visitor.figures()
    right = visitor.page.evaluate(
        "Math.max(...[...document.querySelectorAll('.js-plotly-plot')]"
        ".map((plot) => plot.getBoundingClientRect().right))"
    )
    assert right <= width
