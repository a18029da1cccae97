"""What is switched off on one page is off on the others, and for whoever opens the link."""

import pytest

PROMPT = "Once upon a time there was a little"


def test_heads_are_switched_off_on_attention_seen_on_output_and_undone(visit):
    visitor = visit().open("/output", prompt=PROMPT)
    untouched = visitor.figures()
    visitor.open("/attention", prompt=PROMPT, block=0, head=3)
    with visitor.rerun():
        visitor.page.get_by_role("button", name="Attention of block 0 off").click()
    visitor.go("Output")
    assert "off=0" in visitor.query()
    badge = visitor.page.locator(".st-key-knock-outs .tj-badge")
    assert badge.inner_text() == "6 heads off"
    changed = visitor.figures()
    assert changed[0] != untouched[0]
    assert "with everything on" in changed[0]

    link = visitor.page.url
    other = visit()
    other.page.goto(link)
    other.settle()
    assert other.figures() == changed

    visitor.page.mouse.wheel(0, 600)
    assert badge.is_visible()
    with visitor.rerun():
        visitor.page.get_by_role("button", name="Undo").click()
    assert "off" not in visitor.query()
    assert badge.count() == 0
    assert visitor.figures() == untouched


def test_on_the_map_the_untouched_values_stay_as_rings_and_say_so(visit):
    visitor = visit().open("/", prompt=PROMPT, off="m0")
    rings = visitor.page.locator(".journey-map .map .before")
    bars = visitor.page.locator(".journey-map .map .bar")
    assert rings.count() == bars.count()
    girl = visitor.page.get_by_role("img", name="“·girl”").first
    assert "% with everything on" in girl.get_attribute("aria-label")
    visitor.open("/", prompt=PROMPT)
    assert visitor.page.locator(".journey-map .map .bar").count() > 0
    assert rings.count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_a_head_that_is_on_stands_out_from_one_that_is_off(visit, dark):
    visitor = visit(dark=dark).open("/block", prompt=PROMPT, off="0.3")
    heads = visitor.page.locator("[class*=st-key-w-heads-on] button p")
    looks = heads.evaluate_all(
        "found => found.map(p => { const s = getComputedStyle(p);"
        " return [s.fontWeight, s.textDecorationLine, s.color] })"
    )
    on, off = looks[0], looks[3]
    assert looks == [on, on, on, off, on, on]
    assert on[:2] == ["650", "none"]
    assert off[1] == "line-through"
    assert on[2] != off[2]
