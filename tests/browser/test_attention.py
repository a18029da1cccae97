"""The attention page in a browser: cells, heads and lines answer to the mouse."""

from __future__ import annotations

import re

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


def cell(visitor, matrix, key, query):
    """Where a cell of one of the four matrices lies, for `hover` and `click`."""
    figure = "attention-matrices"
    plot = visitor.page.locator(f".st-key-tjfig-{figure} .js-plotly-plot")
    start = plot.evaluate("(plot, matrix) => plot._fullLayout.meta.starts[matrix]", matrix)
    return figure, "xaxis", "yaxis", start + key, query


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
    assert "“·was” looks at “Once” with" in hover(opened, *cell(opened, 3, 0, 5))
    assert "excluded" in hover(opened, *cell(opened, 3, 6, 2))


def shown(visitor):
    """The text of the card."""
    return visitor.page.locator(".st-key-tjfig-attention-card .card").inner_html()


def written(visitor):
    """The card as it is spoken."""
    return visitor.page.locator(".st-key-tjfig-attention-card .says").inner_text()


def test_pointing_at_a_cell_marks_it_in_all_four_and_opens_it_without_a_rerun(opened):
    runs, kept = opened.page.evaluate("window.runs"), written(opened)
    said = hover(opened, *cell(opened, 3, 2, 5))
    share = re.search(r"with (\d\.\d\d)", said)[1]
    opened.page.wait_for_function(
        "document.querySelectorAll('.st-key-tjfig-attention-matrices .tj-marks rect').length === 8"
    )
    assert written(opened) == f"·was looks at ·a₂ with {share}"
    match = re.search(r"= (−?[\d.,]+)", hover(opened, *cell(opened, 0, 2, 5)))
    assert f">{match[1]} ÷ 5.66 = " in shown(opened)
    hover(opened, *cell(opened, 3, 6, 2))
    assert written(opened) == "·a₂ may not look at ·a₆"
    assert "becomes −∞" in shown(opened)
    opened.page.mouse.move(5, 5)
    opened.page.wait_for_function("!document.querySelector('.tj-marks')?.children.length")
    assert written(opened) == kept
    assert opened.page.evaluate("window.runs") == runs


def test_the_keyboard_goes_from_cell_to_cell_and_keeps_one(opened):
    card = opened.page.get_by_role("group", name="One cell of the attention pattern")
    card.focus()
    before = written(opened)
    opened.page.keyboard.press("ArrowUp")
    opened.page.keyboard.press("Home")
    assert written(opened).startswith("·a₆ ")
    assert written(opened) != before
    with opened.rerun():
        opened.page.keyboard.press("Enter")
    assert "token=6" in opened.query()
    assert opened.followed() == "·a"


def test_a_click_on_a_cell_follows_its_query_and_opens_its_key(opened):
    click(opened, *cell(opened, 0, 2, 5))
    assert "token=5" in opened.query()
    assert "key=2" in opened.query()
    assert opened.followed() == "·was"
    assert re.match("·was looks at ·a₂ with", written(opened))


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
    badge = opened.page.locator(".st-key-knock-outs .tj-badge")
    assert badge.inner_text() == "all attention off"
    assert opened.figures() != before
    opened.page.get_by_role("button", name="Undo").click()
    opened.page.wait_for_timeout(200)
    opened.settle()
    assert "off" not in opened.query()
    assert opened.page.locator(".tj-badge").count() == 0


def test_nothing_stands_beyond_the_edge_of_the_window_however_wide_it_becomes(visit):
    visitor = visit(width=1600, dark=True).open("/attention", prompt=PROMPT, off="0.1")
    assert visitor.figures()
    for width in (1600, 1280, 1000):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.page.wait_for_function(
            """width => [...document.querySelectorAll('.js-plotly-plot .main-svg')].every(
              (drawn) => drawn.getBoundingClientRect().right <= width)""",
            arg=width,
        )
