import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tokenjourney.analysis.neighbours import (
    arithmetic_vector,
    cosine_matrix,
    cosine_similarities,
    cosines_of_rows,
    nearest_rows,
    neighbourhood,
    row_lengths,
    row_overlap,
    unit_rows,
    untrained_embedding,
)
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2

MATRIX = np.random.default_rng(5).normal(size=(300, 24)).astype(np.float32)
CONFIG = GPT2Config(n_layers=3, n_heads=2, d_model=16, d_vocab=50, n_ctx=8)
numbers = arrays(np.float32, (6, 4), elements=st.integers(-800, 800).map(lambda n: n / 8))


def test_the_nearest_row_to_a_row_is_itself_and_it_can_be_left_out():
    near = nearest_rows(MATRIX, MATRIX[7], 5)
    assert near.rows[0] == 7
    assert near.cosines[0] == pytest.approx(1)
    without = nearest_rows(MATRIX, MATRIX[7], 4, without=[7])
    np.testing.assert_array_equal(without.rows, near.rows[1:])


def test_row_by_row_cosines_are_the_diagonal_of_all():
    both = np.concatenate([MATRIX, MATRIX[::-1]])
    expected = np.diag(cosine_matrix(both), len(MATRIX))
    np.testing.assert_allclose(cosines_of_rows(MATRIX, MATRIX[::-1]), expected, atol=1e-6)


def test_opposite_rows_have_the_cosine_minus_1_and_a_row_without_direction_0():
    np.testing.assert_array_equal(cosines_of_rows([[1, 0], [0, 0]], [[-2, 0], [1, 1]]), [-1, 0])


def test_neighbours_are_those_of_a_full_sort_of_all_cosines():
    vector = MATRIX[3] + MATRIX[9]
    whole = [row @ vector / np.linalg.norm(row) / np.linalg.norm(vector) for row in MATRIX]
    near = nearest_rows(MATRIX, vector, 20)
    np.testing.assert_array_equal(near.rows, np.argsort(-np.array(whole))[:20])
    np.testing.assert_allclose(near.cosines, np.sort(whole)[::-1][:20], atol=1e-6)


def test_equally_near_rows_keep_the_order_of_the_vocabulary():
    same = np.ones((9, 3), np.float32)
    assert nearest_rows(same, same[0], 4, without=[1]).rows.tolist() == [0, 2, 3, 4]


def test_no_more_neighbours_come_back_than_there_are():
    assert len(nearest_rows(MATRIX[:4], MATRIX[0], 10, without=[0, 0]).rows) == 3
    assert len(nearest_rows(MATRIX[:1], MATRIX[0], 10, without=[0]).rows) == 0


@given(numbers)
def test_cosines_stay_between_minus_one_and_one_and_do_not_depend_on_length(rows):
    cosines = cosine_similarities(rows, rows[0])
    assert np.all(np.abs(cosines) <= 1)
    np.testing.assert_allclose(cosine_similarities(4 * rows, rows[0]), cosines, atol=1e-5)


@given(numbers)
def test_a_cosine_matrix_is_symmetric_with_ones_on_its_diagonal(rows):
    cosines = cosine_matrix(rows)
    np.testing.assert_allclose(cosines, cosines.T, atol=1e-6)
    lengths = np.linalg.norm(rows, axis=1)
    np.testing.assert_array_equal(np.diag(cosines), lengths > 0)


def test_a_row_of_zeros_is_near_to_nothing():
    rows = np.array([[0, 0], [1, 0]], np.float32)
    assert cosine_similarities(rows, rows[1]).tolist() == [0, 1]
    assert cosine_similarities(rows, rows[0]).tolist() == [0, 0]


def test_rows_of_length_1_keep_their_directions():
    units = unit_rows(MATRIX)
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(cosine_matrix(units[:9]), cosine_matrix(MATRIX[:9]), atol=1e-5)


def test_lengths_handed_in_change_nothing():
    lengths = row_lengths(MATRIX)
    np.testing.assert_allclose(lengths, np.linalg.norm(MATRIX, axis=1), rtol=1e-6)
    np.testing.assert_array_equal(
        cosine_similarities(MATRIX, MATRIX[1], lengths), cosine_similarities(MATRIX, MATRIX[1])
    )


def test_a_minus_a_plus_c_is_c():
    assert nearest_rows(MATRIX, arithmetic_vector(MATRIX, 4, 4, 9), 1).rows.tolist() == [9]


def test_a_neighbourhood_names_no_token_twice():
    own, others = neighbourhood(MATRIX, [5, 8, 5], 6)
    assert own == (5, 8)
    assert len(set(others)) == len(others)
    assert not set(own) & set(others)
    near = [nearest_rows(MATRIX, MATRIX[row], 6, without=[5, 8]).rows.tolist() for row in (5, 8)]
    assert list(others) == list(dict.fromkeys(near[0] + near[1]))


def test_a_neighbourhood_is_never_larger_than_the_matrix():
    assert neighbourhood(MATRIX[:3], [0, 2], 5) == ((0, 2), (1,))
    assert neighbourhood(MATRIX[:3], [0, 1, 2], 5) == ((0, 1, 2), ())
    assert neighbourhood(MATRIX, [4], 0) == ((4,), ())


def test_the_untrained_matrix_is_the_one_a_whole_new_network_starts_with():
    network = GPT2(CONFIG)
    network.initialise(torch.Generator().manual_seed(11))
    drawn = untrained_embedding(CONFIG, 11)
    np.testing.assert_array_equal(drawn, network.W_E.detach().numpy())
    assert not np.array_equal(drawn, untrained_embedding(CONFIG, 12))


def test_what_is_left_of_a_start_is_told_from_chance():
    start, other = untrained_embedding(CONFIG, 1), untrained_embedding(CONFIG, 2)
    moved = start + other
    assert row_overlap(start, start).mean == pytest.approx(1)
    assert row_overlap(moved, start).mean == pytest.approx(0.5**0.5, abs=0.1)
    assert not row_overlap(moved, start).is_chance
    assert row_overlap(start, other).is_chance


def test_results_cannot_be_written_to():
    for array in (row_lengths(MATRIX), cosine_matrix(MATRIX[:3]), untrained_embedding(CONFIG, 0)):
        assert not array.flags.writeable
