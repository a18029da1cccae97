"""The pages on latent attention and experts answer clicks, and keep them in the link."""

from urllib.parse import parse_qs

from playwright.sync_api import expect

PROMPT = "Once upon a time there was a little"


def test_a_head_is_opened_by_its_tile_and_by_the_buttons(visitor):
    visitor.open("/latent-attention", prompt=PROMPT)
    visitor.figures()
    main = visitor.page.locator("[data-testid=stMain]")
    tiles = visitor.page.locator(".st-key-tjfig-latent_attention-patterns .js-plotly-plot")
    tiles.scroll_into_view_if_needed()
    box = tiles.locator(".nsewdrag").first.bounding_box()
    x, y = box["x"] + box["width"] - 12, box["y"] + box["height"] - 12
    visitor.page.mouse.move(x, y)
    with visitor.rerun():
        visitor.page.mouse.click(x, y)  # the last head of the last block
    chosen = parse_qs(visitor.query())
    assert (chosen["lblock"], chosen["lhead"]) == (["3"], ["3"])
    expect(main).to_contain_text("Block 3, head 3: the same scores without a key")
    visitor.choose("Block", "1")
    assert parse_qs(visitor.query())["lblock"] == ["1"]
    expect(main).to_contain_text("Block 1: and the same output")


def test_a_bulb_follows_its_token_and_a_block_is_chosen(visitor):
    visitor.open("/mixture-of-experts", prompt=PROMPT)
    visitor.figures()
    bulbs = visitor.page.locator(".st-key-tjfig-mixture_of_experts-bulbs .js-plotly-plot")
    bulbs.scroll_into_view_if_needed()
    bulb = bulbs.locator(".tj-notes [data-name=lit] circle").first
    box = bulb.bounding_box()
    with visitor.rerun():
        visitor.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert parse_qs(visitor.query())["token"] == ["0"]
    visitor.choose("Block", "2")
    assert parse_qs(visitor.query())["mblock"] == ["2"]
    main = visitor.page.locator("[data-testid=stMain]")
    expect(main).to_contain_text("Block 2: how the router judges Once")
