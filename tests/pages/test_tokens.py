import re

import pytest

import tokenjourney as tj

PROMPT = "Once upon a time there was a little"
LONG = "Once upon a time there was a little girl. " * 12


@pytest.fixture
def page(visit):
    return visit("tokens", PROMPT)


def cards(page) -> list[str]:
    """The texts of the tokens' cards."""
    return re.findall(r'<div class="tj-card-token[^>]*><i>\d+</i><b>(.*?)</b>', page.text)


def found(page) -> list[str]:
    """The texts of the rows of tokens: what was searched, then what IDs mean."""
    return re.findall(r"<li><b>(.*?)</b>", page.text)


@pytest.mark.parametrize(
    "prompt",
    [PROMPT, "x", "Café 😀 naïve\n你好", "\u0301", "a\0b", "<b>&amp;</b>", "  \n\n", "A" * 200],
)
def test_the_cards_hold_all_bytes_of_any_text(visit, prompt):
    page = visit("tokens", prompt)
    assert len(cards(page)) == min(40, len(tj.trace(tj.load_model(), prompt)))
    assert set(page.figures) == {"counts", "kinds"}
    assert "<b>&amp;</b>" not in "".join(cards(page))


def test_a_word_is_built_merge_by_merge_with_each_merges_rank(visit):
    page = visit("tokens", "friendship")
    (piece,) = tj.load_model().tokenizer.merges("friendship")
    ranks = [step.rank for step in piece.steps[1:]]
    assert re.findall(r"<em>rank ([\d,]+)</em>", page.text) == [f"{rank:,}" for rank in ranks]
    assert page.text.count('class="tj-later"') == 0
    page.set("step", 2)
    assert page.text.count('class="tj-later"') == len(ranks) - 2
    assert page.link["step"] == "2"


def test_following_a_token_shows_the_merges_of_its_piece(visit):
    assert "the merges of <" in visit("tokens", PROMPT, token=1).text
    first = visit("tokens", PROMPT, token=1)
    assert re.search(r"merges of <[^>]*>·upon<", first.text)


def test_the_vocabulary_is_searched(page):
    assert "·little" in found(page)
    page.set("find", "drag")
    assert "·dragon" in found(page)
    assert page.link["find"] == "drag"
    page.set("find", "<script>")
    assert "No token holds “&lt;script&gt;”" in page.text


def test_ids_become_text_and_a_wrong_one_is_said(page):
    page.set("ids", "420 427")
    assert ">Once upon<" in page.text
    page.set("ids", "420 99999")
    assert "99999" in page.text
    assert page.app.get("html")
    page.set("ids", "one two")
    assert "is no list of IDs" in page.text


def test_the_kinds_of_the_vocabulary_add_up_to_all_of_it(page):
    bars = page.figures["kinds"][0]
    assert sum(bars["x"]) == tj.load_model().config.d_vocab
    assert len(bars["x"]) == 4


def test_a_prompt_is_counted_in_characters_bytes_words_and_tokens(visit):
    page = visit("tokens", "Café au lait")
    n = len(tj.trace(tj.load_model(), "Café au lait"))
    assert page.figures["counts"][0]["x"] == [12, 13, 3, n]


def test_a_long_prompt_shows_a_window_and_says_so(visit):
    page = visit("tokens", LONG, token=70)
    assert len(cards(page)) == 40
    assert re.search(r"Tokens \d+ to \d+ of 1\d\d", page.text)
    assert "Shown are the first 60 of 1" in page.text


def test_a_token_that_is_part_of_a_character_is_found_by_its_id(visit):
    assert found(visit("tokens", "é"))[0] == "‹A9›"
