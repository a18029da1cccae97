import numpy as np
import pytest

DOGS = "The dog chased another dog"
ALWAYS = {"sum", "pictures", "learned", "fixed", "distance"}
SWAP = {"swap", "prediction"}


@pytest.fixture
def page(visit):
    return visit("positions", DOGS)


def test_every_figure_is_drawn(page):
    assert set(page.figures) == ALWAYS | SWAP | {"two"}


@pytest.mark.parametrize(
    ("prompt", "drawn"),
    [
        (" dog", ALWAYS),
        ("The dog chased a cat", ALWAYS | SWAP),
        ("it it it", ALWAYS | SWAP | {"two"}),
        ("<b>x</b> $y$ **z**\n\n", ALWAYS | SWAP | {"two"}),
        ("a b " * 60, ALWAYS | SWAP | {"two"}),
    ],
)
def test_what_can_be_compared_is_drawn(visit, prompt, drawn):
    page = visit("positions", prompt)
    assert set(page.figures) >= drawn - {"two"}
    assert ("two" in page.figures) == ("two" in drawn)


def test_another_prompt_changes_its_figures(page):
    before = {name: page.figures[name] for name in ("sum", "two", "swap", "prediction")}
    page.type("The cat saw the dog and the cat")
    assert all(page.figures[name] != data for name, data in before.items())


def test_following_another_token_marks_it_in_the_figures_of_places(visit, page):
    other = visit("positions", DOGS, token="0")
    assert other.link["token"] == "0"
    assert other.layouts["sum"] != page.layouts["sum"]
    assert other.layouts["pictures"] != page.layouts["pictures"]


def test_the_sum_is_the_token_plus_its_place(page):
    token, place, total = (np.array(t["z"], float) for t in page.figures["sum"])
    np.testing.assert_allclose(total, token + place, atol=1e-5)


def test_a_prompt_without_a_repeated_token_offers_one_that_has_one(visit):
    page = visit("positions", "The dog chased a cat")
    page.press("The dog chased another dog")
    assert page.link["prompt"] == DOGS
    assert "two" in page.figures


def test_swapping_other_words_changes_what_is_compared(visit):
    page = visit("positions", "The dog chased the cat")
    assert "The cat chased the dog" in page.text
    before = page.figures["swap"], page.figures["prediction"]
    page.set("with", "2")
    assert "The chased dog the cat" in page.text
    assert (page.figures["swap"], page.figures["prediction"]) != before
    assert page.link["with"] == "2"


def test_the_same_word_twice_is_nothing_to_swap(visit):
    page = visit("positions", DOGS, swap="1", **{"with": "4"})
    assert "nothing to swap" in page.text
    assert not SWAP & set(page.figures)


def test_a_word_that_the_prompt_does_not_have_falls_back_with_a_notice(visit):
    page = visit("positions", DOGS, swap="77")
    assert "swap=77" in page.text
    assert set(page.figures) >= SWAP


def test_of_a_long_prompt_only_what_was_swapped_is_read_out(visit):
    text = "Once upon a time there was a little girl. " * 6
    page = visit("positions", text, swap="1", **{"with": "3"})
    said = next(part for part in page.text.split("</p>") if "Around the swapped words" in part)
    assert "Once time a upon there was" in said
    assert len(said) < len(text)
