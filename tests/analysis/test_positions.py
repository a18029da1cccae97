import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.analysis.neighbours import cosine_matrix
from tokenjourney.analysis.positions import (
    cosines_of_rows,
    cosines_of_two,
    occurrences,
    similarity_by_distance,
    sinusoidal_positions,
    swapped_order,
    two_places,
)

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


def test_row_by_row_cosines_are_the_diagonal_of_all():
    both = np.concatenate([ROWS, ROWS[::-1]])
    np.testing.assert_allclose(
        cosines_of_rows(ROWS, ROWS[::-1]), np.diag(cosine_matrix(both), len(ROWS)), atol=1e-6
    )


@given(st.lists(st.integers(1, 4), min_size=2, max_size=8), st.data())
def test_swapping_twice_restores_the_prompt(sizes, data):
    first, second = (data.draw(st.integers(0, len(sizes) - 1)) for _ in range(2))
    order = swapped_order(sizes, first, second)
    assert sorted(order) == list(range(sum(sizes)))
    new_sizes = list(sizes)
    new_sizes[first], new_sizes[second] = sizes[second], sizes[first]
    back = swapped_order(new_sizes, first, second)
    assert [order[place] for place in back] == list(range(sum(sizes)))
