import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.analysis.neighbours import cosine_matrix
from tokenjourney.analysis.positions import (
    Word,
    cosines_of_two,
    occurrences,
    padded_rows,
    places_with,
    similarity_by_distance,
    sinusoidal_positions,
    swap_effect,
    swapped_order,
    two_places,
    two_words,
    way_up,
    words_of,
)
from tokenjourney.journey import trace
from tokenjourney.model import Model
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.tokenizer import Tokenizer

TOKENIZER = Tokenizer.from_merges([(b" ", b"d"), (b" d", b"o"), (b"o", b"g")])
SIZES = {"n_layers": 2, "n_heads": 2, "d_model": 8, "d_vocab": TOKENIZER.n_vocab, "n_ctx": 32}
ROWS = np.random.default_rng(4).normal(size=(9, 6)).astype(np.float32)


def test_the_formula_of_the_paper():
    table = sinusoidal_positions(50, 16)
    for place, pair in [(0, 0), (7, 3), (49, 7)]:
        angle = place / 10000 ** (2 * pair / 16)
        assert table[place, 2 * pair] == pytest.approx(np.sin(angle), abs=1e-6)
        assert table[place, 2 * pair + 1] == pytest.approx(np.cos(angle), abs=1e-6)


def test_a_longer_table_begins_with_the_shorter_one():
    np.testing.assert_array_equal(sinusoidal_positions(400, 32)[:50], sinusoidal_positions(50, 32))


def test_how_alike_two_fixed_positions_are_depends_on_their_distance_alone():
    _, low, high = similarity_by_distance(sinusoidal_positions(64, 32))
    np.testing.assert_allclose(low, high, atol=1e-5)


def test_every_fixed_position_has_the_same_length():
    lengths = np.linalg.norm(sinusoidal_positions(64, 32), axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(16), rtol=1e-5)


@pytest.mark.parametrize("d_model", [1, 5, 6])
def test_odd_widths_work(d_model):
    assert sinusoidal_positions(3, d_model).shape == (3, d_model)


def test_at_distance_0_a_row_is_compared_with_itself_and_at_the_last_the_ends_are():
    mean, low, high = similarity_by_distance(ROWS)
    assert mean[0] == pytest.approx(1)
    assert mean[-1] == low[-1] == high[-1] == cosine_matrix(ROWS)[0, -1]
    assert np.all(low <= mean + 1e-6)
    assert np.all(mean <= high + 1e-6)


def test_only_tokens_that_stand_twice_are_found():
    assert occurrences([5, 6, 5, 7, 5, 6]) == {5: (0, 2, 4), 6: (1, 5)}
    assert occurrences([1, 2, 3]) == {}


def test_the_followed_token_is_compared_with_its_nearest_double():
    ids = [5, 6, 5, 7, 5, 6]
    assert two_places(ids, 4) == (2, 4)
    assert two_places(ids, 0) == (0, 2)
    assert two_places(ids, 3) == (0, 2)
    assert two_places([1, 2, 3], 0) is None


def test_one_word_at_two_places_is_equal_as_a_token_and_not_with_its_place_added():
    token, place = ROWS[[0, 1, 0]], ROWS[3:6]
    found = cosines_of_two([token, token + place], 0, 2)
    assert found[0] == pytest.approx(1)
    assert found[1] < 0.99


@given(st.lists(st.integers(1, 4), min_size=2, max_size=8), st.data())
def test_swapping_twice_restores_the_prompt(sizes, data):
    first, second = (data.draw(st.integers(0, len(sizes) - 1)) for _ in range(2))
    order = swapped_order(sizes, first, second)
    assert sorted(order) == list(range(sum(sizes)))
    new_sizes = list(sizes)
    new_sizes[first], new_sizes[second] = sizes[second], sizes[first]
    back = swapped_order(new_sizes, first, second)
    assert [order[place] for place in back] == list(range(sum(sizes)))


@pytest.fixture(scope="module")
def model() -> Model:
    network = GPT2(GPT2Config(**SIZES))
    network.initialise(torch.Generator().manual_seed(3))
    return Model("tiny", network.eval(), TOKENIZER)


def test_words_cover_the_prompt_token_by_token(model):
    journey = trace(model, "a dog, a cat")
    words = words_of(journey)
    assert [word.label for word in words] == ["a", "·dog", ",", "·a", "·cat"]
    ends = [word.first + word.size for word in words]
    assert [0, *ends[:-1]] == [word.first for word in words]
    assert ends[-1] == len(journey)


def test_without_a_tokenizer_every_token_is_a_word(model):
    journey = trace(Model("ids", model.network), [5, 7, 5])
    assert [word.label for word in words_of(journey)] == ["5", "7", "5"]


def test_the_way_up_begins_with_the_tokens_alone_then_their_sums(model):
    journey = trace(model, "a dog")
    stations = way_up(journey)
    assert len(stations) == SIZES["n_layers"] + 2
    np.testing.assert_allclose(stations[1], stations[0] + journey["hook_pos_embed"], atol=1e-6)
    np.testing.assert_array_equal(stations[-1], journey["blocks.1.hook_resid_post"])


def test_a_swap_leaves_tokens_and_all_that_stands_before_it_as_they_were(model):
    journey = trace(model, "a dog, a cat")
    order = swapped_order([word.size for word in words_of(journey)], 2, 4)
    effect = swap_effect(journey, order)
    first = words_of(journey)[2].first
    assert model.tokenizer.decode(effect.token_ids) == "a dog cat a,"
    np.testing.assert_allclose(effect.cosines[:, 0], 1, atol=1e-5)
    np.testing.assert_allclose(effect.cosines[:first], 1, atol=1e-5)
    assert effect.cosines[first, 1] < 0.999
    assert effect.prediction.moved > 0


def test_an_order_that_swaps_nothing_changes_nothing(model):
    journey = trace(model, "a dog, a cat")
    effect = swap_effect(journey, range(len(journey)))
    np.testing.assert_allclose(effect.cosines, 1, atol=1e-5)
    assert effect.prediction.moved == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("The dog chased the cat", (1, 4)), ("a dog saw another dog .", (1, 3)), ("a a", (0, 1)),
     (". dog", (0, 1)), ("dog dog cat", (1, 2)), ("a b", (0, 1))],
)  # fmt: skip
def test_the_words_proposed_for_a_swap_differ_where_they_can(text, pair):
    words = [Word(label, i, 1) for i, label in enumerate(text.split())]
    assert two_words(words) == pair


def test_padding_adds_rows_without_numbers():
    padded = padded_rows(ROWS, 12)
    np.testing.assert_array_equal(padded[:9], ROWS)
    assert np.isnan(padded[9:]).all()


@pytest.mark.parametrize("n", [1, 7, 256, 400, 401, 1024])
def test_of_many_positions_few_are_drawn_and_the_followed_one_is_among_them(n):
    for place in {0, 1, n // 2, n - 1} & set(range(n)):
        drawn = places_with(place, n, most=400)
        assert place in drawn
        assert 1 <= len(drawn) <= 400
        assert drawn[-1] + drawn.step >= n > drawn[-1]
