"""The map of the journey, as people meet it: drawn, followed, scrubbed, played, opened."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Locator, expect

PROMPT = "Once upon a time there was a little"
expect.set_options(timeout=20_000)
LAST_STATION = "10"  # tokens, embedding, position, six blocks, final LN, next token


class Map:
    """The map on the start page of a visitor."""

    def __init__(self, visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page
        self.root: Locator = self.page.locator(".journey-map")
        expect(self.root.locator(".token").first).to_be_attached(timeout=30_000)

    @property
    def chips(self) -> Locator:
        return self.root.locator(".token")

    @property
    def scrubber(self) -> Locator:
        return self.root.get_by_role("slider", name="Station of the journey")

    @property
    def sentence(self) -> Locator:
        return self.root.locator(".sentence")

    def press(self, *keys: str) -> None:
        self.scrubber.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def expect_token(self, position: int | None) -> None:
        wanted = rf"\btoken={position}\b" if position is not None else r"^(?!.*\btoken=)"
        expect(self.page).to_have_url(re.compile(wanted))
        self.visitor.settle()

    def track_point(self, position: int) -> tuple[float, float]:
        """A place on a token's track, right before the ring of block 0."""
        box = self.root.locator(f'.track[data-position="{position}"]').first.bounding_box()
        ring = self.root.locator(".ring").first.bounding_box()
        assert box is not None
        assert ring is not None
        return ring["x"] - 3, box["y"] + box["height"] / 2


@pytest.fixture
def open_map(visit: Callable[..., object]) -> Callable[..., Map]:
    def opened(prompt: str = PROMPT, **options: object) -> Map:
        query = options.pop("query", {})
        return Map(visit(**options).open("/", prompt=prompt, **query))

    return opened


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 1920])
def test_the_map_is_drawn_from_the_first_token_to_the_prediction(
    open_map: Callable[..., Map], dark: bool, width: int
) -> None:
    shown = open_map(dark=dark, width=width)
    assert shown.chips.locator(".word").all_text_contents() == shown.visitor.chips()
    assert shown.root.locator(".map .track").count() == 2 * 8
    assert shown.root.locator(".strip").count() == 2 * 8
    assert shown.root.locator(".curve").count() > 20
    assert shown.root.locator(".ring").count() >= 6 * 8
    guesses = shown.root.locator(".guess").all_text_contents()
    assert len(guesses) == 7
    answer = shown.root.locator("text.next.answer").text_content()
    assert guesses[-1] == answer
    assert answer in shown.sentence.inner_text()


def test_nothing_of_the_map_is_cut_off_at_the_right(open_map: Callable[..., Map]) -> None:
    for prompt, query in ((PROMPT, {}), (PROMPT, {"token": 3}), ("friendship", {})):
        shown = open_map(prompt, query=query)
        room = shown.root.bounding_box()
        ends = shown.root.locator(".map text").evaluate_all(
            "texts => texts.map((text) => [text.getBoundingClientRect().right, text.textContent])"
        )
        assert ends
        assert [text for end, text in ends if end > room["x"] + room["width"] + 1] == []


def test_clicking_a_chip_of_the_map_follows_its_token_everywhere(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    shown.chips.nth(3).click()
    shown.expect_token(3)
    assert shown.visitor.followed() == "·time"
    expect(shown.chips.nth(3)).to_have_attribute("aria-checked", "true")
    expect(shown.sentence).to_contain_text("After ·time the text goes on with ·there")
    shown.visitor.go("Attention")
    assert shown.visitor.followed() == "·time"


def test_clicking_a_track_follows_its_token(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    shown.page.mouse.click(*shown.track_point(2))
    shown.expect_token(2)


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        (r"^Tokens:", "tokens", {}),
        (r"^Embedding:", "embeddings", {}),
        (r"^Next token:", "output", {}),
        (r"^Block 2, .*to open", "attention", {"block": "2"}),
    ],
)
def test_a_station_opens_its_page_and_the_link_keeps_what_was_chosen(
    open_map: Callable[..., Map], name: str, path: str, query: dict[str, str]
) -> None:
    shown = open_map(query={"token": 3})
    shown.root.get_by_role("link", name=re.compile(name)).first.click()
    expect(shown.page).to_have_url(re.compile(rf"/{path}\?"))
    shown.visitor.settle()
    found = parse_qs(shown.visitor.query())
    assert found["prompt"] == [PROMPT]
    assert found["token"] == ["3"]
    for key, value in query.items():
        assert found[key] == [value]
    assert shown.visitor.followed() == "·time"


def test_a_stations_link_opens_in_a_new_tab_too(open_map: Callable[..., Map]) -> None:
    shown = open_map(query={"token": 3})
    link = shown.root.get_by_role("link", name=re.compile(r"^Tokens:")).get_attribute("href")
    assert link is not None
    path, _, query = link.partition("?")
    assert path == "tokens"
    assert parse_qs(query) == {"prompt": [PROMPT], "token": ["3"]}


def test_the_scrubber_opens_at_the_end_and_steps_through_the_stations(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    expect(shown.scrubber).to_have_attribute("aria-valuenow", LAST_STATION)
    shown.press("Home")
    expect(shown.scrubber).to_have_attribute("aria-valuenow", "0")
    expect(shown.sentence).to_contain_text("The text falls into 8 tokens")
    shown.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight")
    expect(shown.scrubber).to_have_attribute("aria-valuenow", "4")
    expect(shown.sentence).to_contain_text("Block 1: ·little")
    expect(shown.scrubber).to_have_attribute("aria-valuetext", shown.sentence.inner_text())
    expect(shown.root.locator(".column.ahead").last).to_be_attached()
    shown.press("End")
    expect(shown.root.locator(".column.ahead")).to_have_count(0)


def test_the_keyboard_follows_tokens_and_opens_stations(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    shown.press("ArrowUp")
    shown.expect_token(6)
    shown.press("ArrowDown")
    shown.expect_token(None)
    shown.press("Home", "ArrowRight", "Enter")
    expect(shown.page).to_have_url(re.compile(r"/embeddings\?"))


def test_tab_stops_once_a_station_then_at_the_followed_token_and_the_scrubber(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    shown.page.locator(".chip").last.focus()
    names = []
    while len(names) < 20 and "Station of the journey" not in names:
        shown.page.keyboard.press("Tab")
        names.append(shown.root.evaluate("root => root.getRootNode().activeElement?.ariaLabel"))
    blocks = [f"block {block}: open its page" for block in range(6)]
    assert names[0] == "The stack: 6 blocks: open its page"
    assert names[4:10] == blocks
    assert names[12].startswith("“·little”: token 7")
    assert len(names) == 14


def test_space_plays_and_stops(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    shown.press("Space")
    expect(shown.root.get_by_role("button", name="Pause")).to_be_visible()
    expect(shown.scrubber).to_have_attribute("aria-valuenow", "1", timeout=10_000)
    shown.press("Space")
    expect(shown.root.get_by_role("button", name="Play the journey")).to_be_visible()


def test_space_plays_from_anywhere_on_the_page_but_a_field(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    shown.page.keyboard.press("Space")
    expect(shown.root.get_by_role("button", name="Pause")).to_be_visible()
    shown.page.keyboard.press("Space")
    expect(shown.root.get_by_role("button", name="Play the journey")).to_be_visible()
    shown.page.get_by_role("textbox", name="Prompt").press("Space")
    expect(shown.root.get_by_role("button", name="Play the journey")).to_be_visible()


def test_with_reduced_motion_play_becomes_a_step(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    shown.page.emulate_media(reduced_motion="reduce")
    shown.press("Home", "Space")
    expect(shown.scrubber).to_have_attribute("aria-valuenow", "1")
    shown.page.wait_for_timeout(1500)
    expect(shown.scrubber).to_have_attribute("aria-valuenow", "1")


def test_add_this_appends_the_best_next_token_and_follows_it(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    answer = shown.root.locator("text.next.answer").text_content()
    shown.root.locator(".add").click()
    expect(shown.chips).to_have_count(9, timeout=10_000)
    shown.visitor.settle()
    assert shown.visitor.followed() == answer
    assert parse_qs(shown.visitor.query())["prompt"] == [PROMPT + answer.replace("·", " ")]


def test_behind_an_earlier_token_nothing_is_added_but_a_click_goes_to_the_last(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    shown.visitor.follow(3)
    button = shown.root.get_by_role("button", name="Only behind the last token")
    expect(button).to_have_text("To the end ▸")
    button.click()
    shown.expect_token(None)
    expect(shown.root.locator(".add")).to_have_text("Add this ▸")
    expect(shown.chips).to_have_count(8)


def test_strips_and_the_curves_of_the_followed_token_have_names(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    expect(
        shown.root.get_by_role("img", name="“Once”: row 420 of the embedding matrix")
    ).to_have_count(1)
    expect(shown.root.get_by_role("img", name="Position 3: row 3")).to_have_count(1)
    names = shown.root.locator(".curve.followed").evaluate_all("all => all.map(e => e.ariaLabel)")
    assert names
    assert all("“·little” looks at “" in name for name in names)


def test_a_mark_says_in_words_what_it_is(open_map: Callable[..., Map]) -> None:
    shown = open_map(width=1920)
    tip = shown.root.locator(".tip")
    shown.page.mouse.move(*shown.track_point(2))
    expect(tip).to_contain_text("“·a₂” has length")
    shown.root.locator(".strip").first.hover()
    expect(tip).to_contain_text("“Once”: row")
    expect(tip).to_contain_text("of 192:")
    shown.root.locator("image.pattern").nth(1).hover(force=True)
    expect(tip).to_contain_text(re.compile("^Block"))
    shown.page.keyboard.press("Escape")


def test_pointing_at_a_token_lets_all_other_curves_fade(open_map: Callable[..., Map]) -> None:
    shown = open_map(width=1920)
    fading = "(path) => Number(getComputedStyle(path).strokeOpacity)"
    other = shown.root.locator(".map .curve:not(.followed)").last
    before = other.evaluate(fading)
    shown.page.mouse.move(*shown.track_point(2))
    expect(shown.root.locator(".map")).to_have_class(re.compile("looking"))
    assert other.evaluate(fading) < before
    own = shown.root.locator(".curve.own:not(.weak)").first
    assert own.evaluate(fading) > other.evaluate(fading)
    shown.page.mouse.move(5, 5)
    expect(shown.root.locator(".map")).not_to_have_class(re.compile("looking"))
    assert other.evaluate(fading) == before


def test_the_curves_can_show_one_head_and_the_link_says_which(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    curves = shown.root.locator(".curve")
    before = [curve.get_attribute("d") for curve in curves.all()]
    with shown.visitor.rerun():
        shown.root.get_by_label("Whose attention the curves show").select_option("4")
    assert parse_qs(shown.visitor.query())["curves"] == ["4"]
    expect(shown.root.get_by_label("Whose attention the curves show")).to_have_value("4")
    assert [curve.get_attribute("d") for curve in curves.all()] != before


def test_on_a_narrow_screen_the_map_scrolls_and_the_chips_stay(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map(width=700)
    chip, strip = shown.chips.first, shown.root.locator(".strip").first
    left, before = chip.bounding_box(), strip.bounding_box()
    shown.root.locator(".scroll").evaluate("(part) => part.scrollBy(200, 0)")
    expect(shown.root.locator(".shelf")).to_be_visible()
    after = chip.bounding_box()
    moved = strip.bounding_box()
    assert left
    assert before
    assert after
    assert moved
    assert after["x"] == pytest.approx(left["x"], abs=1)
    assert moved["x"] == pytest.approx(before["x"] - 200, abs=1)


def test_the_map_says_its_parts_and_the_shape_that_never_changes(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    assert shown.root.locator(".part").all_text_contents() == ["Input", "Processing", "Output"]
    shapes = shown.root.locator(".shape").all_text_contents()
    assert shapes[0] == "(8)"
    assert shapes.count("(8, 192)") == 4
    assert "(8, 2,048)" in shapes


def test_the_width_of_tracks_can_be_the_square_root(open_map: Callable[..., Map]) -> None:
    shown = open_map()
    track = shown.root.locator(".track").first
    before = track.get_attribute("d")
    shown.root.get_by_role("button", name="take the square root").click()
    expect(shown.root.locator(".legend")).to_contain_text("by its square root")
    assert shown.root.locator(".track").first.get_attribute("d") != before


def test_the_map_can_be_saved_as_svg_with_its_colours_and_sentence(
    open_map: Callable[..., Map],
) -> None:
    shown = open_map()
    with shown.page.expect_download() as download:
        shown.page.locator('[data-tj-foot="svg"]').click()
    saved = download.value.path().read_text(encoding="utf-8")
    assert "The journey of ·little ends here" in saved
    assert "var(--tj" not in saved
    assert saved.count("<image") >= 16


def test_a_prompt_of_html_is_text_on_the_map(open_map: Callable[..., Map]) -> None:
    shown = open_map("<img src=x onerror=alert(1)><b>")
    assert shown.root.locator("img, .map b").count() == 0
    assert "".join(shown.chips.locator(".word").all_text_contents()).startswith("<")


def test_the_theme_changes_the_pictures_too(visit: Callable[..., object]) -> None:
    strips = []
    for dark in (False, True):
        shown = Map(visit(dark=dark).open("/", prompt=PROMPT))
        strips.append(shown.root.locator(".strip").first.get_attribute("href"))
    assert strips[0] != strips[1]


def test_48_blocks_have_their_guesses_as_flags_that_do_not_meet(
    visit: Callable[..., object], tall: object
) -> None:
    shown = Map(visit(at=tall).open("/", prompt="the cat sat on", model="tall"))
    names = shown.root.get_by_role("link", name=re.compile("^after block")).evaluate_all(
        "links => links.map((link) => link.ariaLabel)"
    )
    best = [re.search("best guess is “(.*)” with", name).group(1) for name in names]  # type: ignore[union-attr]
    changes = [now for before, now in zip([None, *best], best, strict=False) if before != now]
    assert len(best) == 48
    assert shown.root.locator(".pole").count() == len(changes) > 2
    flags = shown.root.locator(".pole + .guess")
    words = flags.all_text_contents()
    assert set(words) <= set(best)  # as they are, never a piece
    assert words[-1] == best[-1]
    boxes = [flag.bounding_box() for flag in flags.all()]
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            assert one
            assert other
            apart = abs(one["y"] - other["y"]) > 10
            assert apart or one["x"] + one["width"] <= other["x"]


def test_the_block_at_the_scrubber_opens_where_columns_are_narrow(
    visit: Callable[..., object], tall: object
) -> None:
    shown = Map(visit(at=tall).open("/", prompt="the cat sat on", model="tall"))
    expect(shown.root.locator("image.pattern")).to_have_count(0)
    shown.press("Home", *["ArrowRight"] * 20)
    expect(shown.root.get_by_text("block 17", exact=True)).to_be_visible()
    expect(shown.root.locator("image.pattern")).to_have_count(2)
    expect(shown.root.locator(".map .ring")).to_have_count(shown.chips.count())
    expect(shown.scrubber).to_be_focused()
