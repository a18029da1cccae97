"""Scrubbing and playing the merges, which only a browser does."""

from urllib.parse import parse_qs


def test_merges_are_stepped_played_and_kept_in_the_link(visitor):
    visitor.open("/bpe", prompt="The dog", corpus="aaab", merge=0)
    tokens = visitor.page.locator(".merges .token")
    assert tokens.all_text_contents() == list("aaabdaaabac")
    with visitor.rerun():
        visitor.page.get_by_role("button", name="One merge on").click()
    assert parse_qs(visitor.query())["merge"] == ["1"]
    assert visitor.page.locator(".merges .made").all_text_contents() == ["aa", "aa"]
    assert visitor.page.locator(".merges .won").inner_text().split() == ["a", "+", "a", "4"]
    with visitor.rerun():
        visitor.page.get_by_role("button", name="Play", exact=True).click()
    assert "merge" not in parse_qs(visitor.query()), "all three are the default here"
    assert tokens.all_text_contents() == ["aaab", "d", "aaab", "a", "c"]
    slider = visitor.page.get_by_role("slider", name="Merges done")
    slider.focus()
    with visitor.rerun():
        visitor.page.keyboard.press("Home")
    assert parse_qs(visitor.query())["merge"] == ["0"]
    assert tokens.count() == 11


def test_a_text_with_tags_stays_text(visitor):
    visitor.open("/bpe", prompt="x", corpus="own", own="<img src=x> <img src=x>", merge=0)
    assert visitor.page.locator("[data-testid=stMain] img[src='x']").count() == 0
    assert "<" in visitor.page.locator(".merges .token").all_text_contents()
