"""The treemap is there to be clicked."""

from urllib.parse import parse_qs


def test_a_click_on_a_tile_opens_that_tensor(visitor):
    visitor.open("/parameters", prompt="The dog chased another dog")
    visitor.figures()
    chart = visitor.page.locator(".st-key-tjfig-parameters-treemap .js-plotly-plot")
    box = chart.locator(".bars .point").nth(6).bounding_box()
    with visitor.rerun():
        visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    (name,) = parse_qs(visitor.query())["tensor"]
    assert f"One tensor: {name}" in visitor.page.locator("[data-testid=stMain]").inner_text()
