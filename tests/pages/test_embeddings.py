import numpy as np
import pytest

import tokenjourney as tj

DOGS = "The dog chased another dog"
FIGURES = {"lookup", "near", "similarity", "map", "arithmetic", "matrices", "learned"}


@pytest.fixture
def page(visit):
    return visit("embeddings", DOGS)


def test_every_figure_is_drawn(page):
    assert set(page.figures) == FIGURES


@pytest.mark.parametrize("prompt", ["<b>&amp;</b> **x** $y$", "\n\n\n", "a " * 100])
def test_markup_newlines_and_many_tokens_are_drawn(visit, prompt):
    assert set(visit("embeddings", prompt).figures) == FIGURES


@pytest.mark.parametrize("prompt", [" dog", "d"])
def test_one_token_has_no_other_to_be_compared_with_and_the_rest_is_drawn(visit, prompt):
    page = visit("embeddings", prompt)
    assert set(page.figures) == FIGURES - {"similarity"}
    assert "the only token of this prompt" in page.text


def test_another_prompt_changes_its_figures(page):
    before = {name: page.figures[name] for name in FIGURES}
    page.type("Once upon a time")
    assert {name for name in FIGURES if page.figures[name] == before[name]} == {"arithmetic"}


def test_following_another_token_changes_what_is_looked_up(visit, page):
    other = visit("embeddings", DOGS, token="0")
    for name in ("lookup", "near", "learned"):
        assert other.figures[name] != page.figures[name], name


def test_the_neighbours_are_those_of_the_loaded_model(page):
    model = tj.load_model()
    unit = model.W_E / np.linalg.norm(model.W_E, axis=1, keepdims=True)
    cosines = unit @ unit[model.tokenizer.encode(DOGS)[-1]]
    bars = page.figures["near"][0]["x"]
    np.testing.assert_allclose(bars, np.sort(cosines)[::-1][1 : len(bars) + 1], atol=1e-5)


def test_a_typed_word_shows_its_neighbours_and_is_in_the_link(page):
    before = page.figures["near"]
    page.set("near", "cat")
    assert page.figures["near"] != before
    assert page.link["near"] == "cat"


def test_a_word_of_several_tokens_is_refused_with_its_pieces_and_the_rest_stays(page):
    page.set("near", "friendship")
    assert "no single token" in page.text
    assert set(page.figures) == FIGURES - {"near"}


def test_the_number_of_neighbours_changes_the_map(page):
    before = page.figures["map"]
    page.set("each", 1)
    assert page.figures["map"] != before


def test_arithmetic_with_other_words_has_another_result(page):
    before = page.figures["arithmetic"]
    page.set("plus", "cat")
    assert page.figures["arithmetic"] != before
    assert page.link["plus"] == "cat"


def test_an_example_fills_in_all_three_words(page):
    before = page.figures["arithmetic"]
    page.press("was − is \\+ are")
    assert {page.link[name] for name in ("plus", "minus", "plus2")} == {"was", "is", "are"}
    assert page.figures["arithmetic"] != before


def test_the_three_words_come_back_when_they_may_take_part(visit):
    same = {"plus": "cat", "minus": "dog", "plus2": "dog"}
    assert "lies nearest to" in visit("embeddings", DOGS, **same).text
    with_them = visit("embeddings", DOGS, **same, inputs="1").figures["arithmetic"][0]
    assert with_them["hovertext"][0].startswith("“·cat”: 1.00")


def test_another_seed_draws_another_start(page):
    before = page.figures["learned"]
    page.set("start", 3)
    assert page.figures["learned"] != before
    assert page.link["start"] == "3"


def test_the_start_of_the_bundled_model_is_known_by_what_is_left_of_it(page):
    assert "This start is the model’s own" in page.text
    page.set("start", 4)
    assert "This start is the model’s own" not in page.text
    assert "no more than chance" in page.text


def test_both_matrices_show_the_same_rows_on_one_scale(page):
    model = tj.load_model()
    start, learned = page.figures["matrices"]
    dog = model.tokenizer.encode(DOGS)[-1]
    row = model.W_E[dog] / np.linalg.norm(model.W_E[dog])
    np.testing.assert_allclose(learned["z"][0], row, atol=1e-5)
    assert (start["zmin"], start["zmax"]) == (learned["zmin"], learned["zmax"])
    assert not np.allclose(start["z"][0], learned["z"][0], atol=0.05)


def test_what_the_link_holds_and_cannot_be_used_is_said(visit):
    page = visit("embeddings", DOGS, each="many", near="zzzzqqq")
    assert "each=many" in page.text
    assert set(page.figures) == FIGURES - {"near"}
