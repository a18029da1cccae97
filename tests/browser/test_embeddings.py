"""The embeddings page in a real browser: clicks and hovers on what only a browser draws."""

import pytest

DOGS = "The dog chased another dog"


def figures(visitor, n):
    """The data of the page's figures, when all n of them are drawn."""
    visitor.page.locator(".js-plotly-plot").nth(n - 1).wait_for(timeout=120_000)
    return visitor.figures()


def plot(visitor, name):
    """The figure of that name, scrolled into view."""
    figures(visitor, 6)
    found = visitor.page.locator(f".st-key-tjfig-embeddings-{name}")
    found.scroll_into_view_if_needed()
    visitor.page.wait_for_timeout(300)
    return found


def test_a_click_on_a_neighbour_walks_on_to_its_neighbours(visitor):
    visitor.open("/embeddings", prompt=DOGS)
    box = plot(visitor, "near").locator(".bars .point").first.bounding_box()
    with visitor.rerun():
        visitor.page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    typed = visitor.page.get_by_label("Neighbours of", exact=True).input_value()
    assert typed != "·dog"
    assert "near=" in visitor.query()


def test_a_click_on_a_row_of_the_similarities_follows_that_token(visitor):
    visitor.open("/embeddings", prompt=DOGS)
    box = plot(visitor, "similarity").locator(".nsewdrag").first.bounding_box()
    with visitor.rerun():
        visitor.page.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.06)
    assert visitor.followed() == "The"


def test_hovering_the_vector_reads_out_a_number_with_a_real_minus(visitor):
    visitor.open("/embeddings", prompt=DOGS)
    figure = plot(visitor, "lookup")
    box = figure.locator(".nsewdrag").last.bounding_box()
    said = set()
    for step in range(12):
        visitor.page.mouse.move(box["x"] + (step + 0.5) * box["width"] / 12, box["y"] + 20)
        visitor.page.wait_for_timeout(60)
        said |= set(figure.locator(".hoverlayer .hovertext").all_text_contents())
    assert any("dimension" in text and "·dog" in text for text in said)
    assert any("−" in text for text in said)
    assert not any("-0." in text for text in said)


@pytest.mark.parametrize(("dark", "widths"), [(False, (1280, 700)), (True, (1920,))])
def test_nothing_is_wider_than_the_page(visit, dark, widths):
    visitor = visit(dark=dark, width=widths[0]).open("/embeddings", prompt=DOGS)
    figures(visitor, 6)
    main = "document.querySelector('[data-testid=stMain]')"
    for width in widths:
        visitor.page.set_viewport_size({"width": width, "height": 900})
        visitor.page.wait_for_function(f"() => {main}.scrollWidth <= {main}.clientWidth + 1")


def test_a_tag_in_the_prompt_stays_text_in_every_figure(visitor):
    visitor.open("/embeddings", prompt="<img src=x onerror=alert(1)> <b>dog</b>")
    assert "&lt;" in "".join(figures(visitor, 6))
    assert visitor.page.locator("[data-testid=stMain] img[src='x']").count() == 0
