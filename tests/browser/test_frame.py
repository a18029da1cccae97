"""The frame in a real browser: prompt, chips, link, presets, errors."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

PATHS = ("/", "/tokens")
WATCH_WIDTHS = """
  window.widths = {}
  const watch = () => {
    for (const [name, selector] of [['side', '[data-testid="stSidebar"]'],
                                    ['main', '.stMainBlockContainer']]) {
      const width = document.querySelector(selector)?.getBoundingClientRect().width
      if (width) window.widths[name] = [...new Set([...window.widths[name] ?? [], width])]
    }
    requestAnimationFrame(watch)
  }
  watch()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_a_page_is_dressed_from_its_first_picture_on(visit, dark):
    opened = visit(dark=dark, width=1920)
    opened.page.add_init_script(WATCH_WIDTHS)
    opened.page.goto(opened.url, wait_until="commit")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    opened.page.wait_for_function("document.body")
    assert opened.page.evaluate(ground) == ("rgb(14, 17, 23)" if dark else "rgb(255, 255, 255)")
    opened.settle()
    assert opened.page.evaluate("widths") == {"side": [256], "main": [1280]}


def test_a_typed_prompt_becomes_chips_when_enter_is_pressed(visitor):
    visitor.open("/")
    visitor.write("The dog chased another dog")
    assert "".join(visitor.chips()) == "The·dog·chased·another·dog"
    assert parse_qs(visitor.query())["prompt"] == ["The dog chased another dog"]


def test_the_trace_button_traces_what_is_in_the_box(visitor):
    visitor.open("/")
    visitor.prompt.fill("friendship")
    with visitor.rerun():
        visitor.page.get_by_role("button", name="Trace").click()
    assert "".join(visitor.chips()) == "friendship"


def test_a_prompt_of_two_lines_goes_through_the_link_and_back(visit):
    first = visit().open("/")
    first.prompt.fill("One line")
    first.prompt.press("Shift+Enter")
    first.prompt.press_sequentially("and another")
    with first.rerun():
        first.prompt.press("Enter")
    assert "↵" in "".join(first.chips())
    second = visit()
    second.page.goto(first.page.url)
    second.settle()
    expect(second.prompt).to_have_value("One line\nand another")
    assert second.chips() == first.chips()


def test_html_in_a_prompt_is_shown_as_text(visitor):
    visitor.open(
        "/tokens", prompt="<b>bold</b> <script>document.title='x'</script> &amp; **y** $z$"
    )
    assert "".join(visitor.chips()).startswith("<b>bold</b>·<script>")
    assert visitor.page.locator(".tj-pieces b", has_text="bold").count() <= 1
    assert visitor.page.title() != "x"
    assert visitor.page.locator(".stMain script").count() == 0


def test_the_followed_token_is_the_same_on_every_page_and_in_the_link(visitor):
    visitor.open("/", prompt="The dog chased another dog")
    visitor.follow(1)
    assert parse_qs(visitor.query())["token"] == ["1"]
    name = visitor.followed()
    visitor.go("Tokens")
    assert visitor.followed() == name
    assert parse_qs(visitor.query())["token"] == ["1"]
    assert visitor.page.locator(".tj-card-token.tj-on b").inner_text() == name


@pytest.mark.parametrize("token", [130, 209])
def test_the_followed_chip_of_a_long_prompt_is_whole_in_the_row(visitor, token):
    visitor.open("/block", prompt="The dog ran over the hill. " * 30, token=token)
    chip, row = visitor.page.locator('.chip[aria-checked="true"]'), visitor.page.locator(".row")
    expect(chip).to_be_visible()
    visitor.page.wait_for_timeout(300)  # the frames in which far chips get their widths
    inner, outer = chip.bounding_box(), row.bounding_box()
    assert outer["y"] <= inner["y"]
    assert inner["y"] + inner["height"] <= outer["y"] + outer["height"]


def test_the_chips_are_a_radio_group_for_the_keyboard(visitor):
    visitor.open("/", prompt="The dog chased another dog", token=0)
    visitor.page.locator('.chip[aria-checked="true"]').focus()
    with visitor.rerun():
        visitor.page.keyboard.press("ArrowRight")
    assert parse_qs(visitor.query())["token"] == ["1"]
    assert visitor.page.evaluate(
        "document.activeElement.shadowRoot?.activeElement?.dataset.position"
        " ?? document.activeElement.dataset.position"
    ) == "1"  # fmt: skip


def test_an_example_is_one_click(visitor):
    visitor.open("/")
    with visitor.rerun():
        visitor.page.get_by_role("radio", name="friendship", exact=True).click()
    assert visitor.prompt.input_value() == "friendship"
    assert parse_qs(visitor.query())["prompt"] == ["friendship"]


def test_back_and_forward_bring_back_what_was_chosen_also_right_after_a_change(visitor):
    visitor.open("/feed-forward", prompt="The dog chased another dog", token=0)
    visitor.follow(2)
    visitor.choose("Block", "3")
    links = [visitor.query()]
    for followed, block in (("2", "0"), ("0", "0")):
        with visitor.rerun():
            visitor.page.evaluate("history.back()")
        here = visitor.page.locator('.chip[aria-checked="true"]')
        assert here.get_attribute("data-position") == followed
        assert parse_qs(visitor.query()).get("block", ["0"]) == [block]
        assert parse_qs(visitor.query())["token"] == [followed]
        links.append(visitor.query())
    for link in reversed(links[:-1]):
        with visitor.rerun():
            visitor.page.evaluate("history.forward()")
        assert visitor.query() == link


def test_back_goes_to_the_page_before_as_it_was(visitor):
    visitor.open("/positions", prompt="The dog chased another dog")
    address = visitor.page.url
    visitor.go("Tokens")
    visitor.follow(1)
    with visitor.rerun():
        visitor.page.evaluate("history.back()")
    assert visitor.page.locator("h1").inner_text() == "What does the model read?"
    assert visitor.followed() == "·dog"
    with visitor.rerun():
        visitor.page.evaluate("history.back()")
    assert visitor.page.url == address
    assert visitor.page.locator("h1").inner_text() != "What does the model read?"


def test_following_a_token_sends_the_page_and_nothing_of_the_frame_around_it(visitor):
    places = []

    def heard(frame):
        message = ForwardMsg.FromString(frame)
        if message.WhichOneof("type") in ("delta", "ref_hash"):
            places.append(tuple(message.metadata.delta_path))

    visitor.page.on("websocket", lambda stream: stream.on("framereceived", heard))
    visitor.open("/block", prompt="The dog chased another dog")
    frame, places[:] = set(places), []
    visitor.follow(1)
    stage = min(places, key=len)
    assert places
    assert all(place[: len(stage)] == stage for place in places)
    assert len({place for place in frame if place[: len(stage)] != stage}) > 20
    assert visitor.followed() == "·dog"


def test_while_a_run_takes_more_than_a_second_a_veil_lies_over_the_page(visitor):
    visitor.open("/", prompt="The dog")
    half = """() => {
      document.querySelector('.stApp').dataset.testScriptState = 'running'
      const main = document.querySelector('.stMainBlockContainer')
      const { opacity, pointerEvents } = getComputedStyle(main, '::after')
      return Number(opacity) === 0.5 && pointerEvents === 'none'
    }"""
    assert not visitor.page.evaluate(half)
    visitor.page.wait_for_function(half, timeout=5000)


def test_two_clicks_at_once_both_count(visitor):
    """The second overtakes the link that the first brings about, and may not undo it."""
    visitor.open("/feed-forward", prompt="The dog chased another dog")
    block = visitor.page.get_by_role("radiogroup", name="Block", exact=True)
    with visitor.rerun():
        visitor.page.locator(".chip").nth(1).click()
        block.get_by_role("radio", name="2", exact=True).click()
    visitor.page.wait_for_url("**block=2**")
    visitor.settle()
    assert parse_qs(visitor.query())["token"] == ["1"]


def test_every_prompt_leaves_a_page_that_says_what_is_the_matter(visitor):
    visitor.open("/", prompt="The dog chased another dog")
    for text in ("", " ", "a", "naïve 😀 \u0301 日本", "x" * 3000):
        visitor.write(text)
        assert visitor.prompt.input_value() == text
        assert visitor.chips(), "the last good journey stays on screen"


def test_the_length_is_counted_while_typing_and_what_does_not_fit_is_struck_through(visitor):
    visitor.open("/tokens", prompt="The dog")
    count = visitor.page.locator(".count")
    expect(count).to_have_text("2 of 256 tokens")
    visitor.prompt.focus()
    visitor.page.keyboard.press("End")
    visitor.page.keyboard.type(" chased another dog")
    expect(count).to_have_text("6 of 256 tokens")
    visitor.prompt.fill("<b>The</b> dog" * 100)
    expect(visitor.page.get_by_role("status").filter(has_text="256 at most")).to_be_visible()
    assert visitor.page.locator(".beyond s").count() == 24
    assert visitor.chips() == ["The", "·dog"], "nothing was traced yet"
    with visitor.rerun():
        visitor.page.get_by_role("button", name="Keep the first").click()
    assert visitor.chips()[:4] == ["<", "b", ">", "The"]
    expect(count).to_have_text("256 of 256 tokens")
    assert visitor.page.locator(".beyond").count() == 0


def test_a_hundred_thousand_characters_can_be_pasted_refused_and_cut(visitor):
    visitor.open("/tokens", prompt="The dog")
    visitor.prompt.fill("word " * 20_000)
    visitor.prompt.press("Enter")
    card = visitor.page.get_by_role("alert")
    card.wait_for()
    visitor.settle()
    assert "40,001" in card.inner_text()
    assert "256" in card.inner_text()
    assert visitor.chips() == ["The", "·dog"]
    with visitor.rerun():
        visitor.page.get_by_role("button", name="Keep the first").click()
    assert len(visitor.chips()) == 256
    assert visitor.page.get_by_role("alert").count() == 0


def test_an_empty_link_shows_the_way_outlined_and_typing_begins_it(visitor):
    visitor.open("/tokens", prompt="")
    assert visitor.page.locator("h1").inner_text() == "Type a text, or take one of these"
    assert visitor.page.locator(".tj-outline b").count() == 6
    visitor.write("The dog")
    assert visitor.chips() == ["The", "·dog"]


def test_what_the_link_asks_for_in_vain_falls_back_with_a_notice(visitor):
    wrong = {"model": "/etc/passwd", "token": 99, "block": 17, "head": "x"}
    visitor.open("/tokens", prompt="The dog", **wrong)
    said = visitor.page.locator(".tj-notice").all_inner_texts()
    assert [sentence for sentence in said if "no model named “/etc/passwd”" in sentence]
    assert [sentence for sentence in said if "tokens 0 to 1" in sentence]
    assert [sentence for sentence in said if "blocks 0 to" in sentence]
    assert [sentence for sentence in said if "head=x" in sentence]
    assert visitor.chips() == ["The", "·dog"]
    assert set(wrong).isdisjoint(parse_qs(visitor.query()))


def test_a_link_to_a_page_says_what_was_chosen_and_nothing_of_the_page_it_leaves(visitor):
    visitor.open("/block", prompt="The dog & cat", token=1, norm="ln2", story="engine")
    link = visitor.page.locator(".tj-nav a", has_text="Output")
    link.hover()
    path, _, query = (link.get_attribute("href") or "").partition("?")
    assert path == "./output"
    assert parse_qs(query) == {"prompt": ["The dog & cat"], "token": ["1"], "story": ["engine"]}
    with visitor.page.context.expect_page() as opened:
        link.click(modifiers=["ControlOrMeta"])
    expect(opened.value.locator("h1")).to_contain_text("score")
    assert "/block?" in visitor.page.url  # the page that was left stands
    with visitor.rerun():
        link.press("Enter")
    expect(visitor.page.locator("h1")).to_contain_text("score")
    assert visitor.page.locator('.tj-nav [aria-current="page"]').inner_text().endswith("Output")
    with visitor.rerun():
        visitor.page.go_back()
    assert parse_qs(visitor.query())["norm"] == ["ln2"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_a_cold_deep_link_opens_its_page_in_both_themes(visit, path, dark):
    visitor = visit(dark=dark).open(path, prompt="The dog chased another dog")
    expected = "rgb(14, 17, 23)" if dark else "rgb(255, 255, 255)"
    ground = "getComputedStyle(document.querySelector('.stApp')).backgroundColor"
    assert visitor.page.evaluate(ground) == expected
    assert visitor.page.locator("h1").count() == 1
    assert visitor.page.locator('[aria-current="page"]').count() == 1
