"""The positions page in a real browser."""

import pytest

DOGS = "The dog chased another dog"


def figures(visitor, n=8):
    """The data of the page's figures, when all n of them are drawn."""
    visitor.page.locator(".js-plotly-plot").nth(n - 1).wait_for(timeout=120_000)
    return visitor.figures()


def test_a_cold_link_shows_the_swap_that_it_names(visitor):
    visitor.open("/positions", prompt="The dog chased the cat", swap=1, **{"with": 4})
    assert "The cat chased the dog" in visitor.page.locator("[data-testid=stMain]").inner_text()


def test_choosing_other_words_to_swap_changes_only_what_hangs_on_it(visitor):
    visitor.open("/positions", prompt="The dog chased the cat")
    before = figures(visitor, 7)
    box = visitor.page.get_by_test_id("stSelectbox").filter(has_text="with").locator("input")
    box.scroll_into_view_if_needed()
    # An open list closes when the page behind it scrolls, and that is told a frame late.
    visitor.page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))"
    )
    with visitor.rerun():
        box.click()
        visitor.page.get_by_role("option").filter(has_text="2: ·chased").first.click()
    after = figures(visitor, 7)
    changed = [a != b for a, b in zip(before, after, strict=True)]
    assert sum(changed) == 2
    assert "with=2" in visitor.query()


def test_following_a_token_moves_the_accent_and_changes_the_figures(visitor):
    visitor.open("/positions", prompt=DOGS)
    before = figures(visitor)
    visitor.follow(0)
    assert figures(visitor)[0] != before[0]
    assert visitor.followed() == "The"


@pytest.mark.parametrize(("dark", "widths"), [(False, (1280, 700)), (True, (1920,))])
def test_nothing_is_wider_than_the_page(visit, dark, widths):
    visitor = visit(dark=dark, width=widths[0]).open("/positions", prompt=DOGS)
    figures(visitor)
    main = "document.querySelector('[data-testid=stMain]')"
    for width in widths:
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.page.wait_for_function(f"() => {main}.scrollWidth <= {main}.clientWidth + 1")
