import numpy as np
import pytest

from tokenjourney.analysis.projections import principal_plane

ROWS = np.random.default_rng(2).normal(size=(30, 12)) * np.linspace(3, 0.2, 12)


def test_points_that_lie_in_a_plane_keep_all_their_distances():
    flat = np.random.default_rng(0).normal(size=(15, 2)) @ np.linalg.qr(ROWS[:12])[0][:2]
    found = principal_plane(flat)
    assert found.shares.sum() == pytest.approx(1)
    before = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    after = np.linalg.norm(found.points[:, None] - found.points[None], axis=-1)
    np.testing.assert_allclose(after, before, atol=1e-5)


def test_the_shares_are_those_of_the_largest_singular_values():
    singular = np.linalg.svd(ROWS - ROWS.mean(0), compute_uv=False) ** 2
    np.testing.assert_allclose(principal_plane(ROWS).shares, (singular / singular.sum())[:2], 1e-5)


def test_the_map_is_centred_and_its_first_axis_shows_most():
    found = principal_plane(ROWS)
    np.testing.assert_allclose(found.points.mean(axis=0), 0, atol=1e-5)
    assert found.shares[0] >= found.shares[1]


def test_the_same_tokens_always_make_the_same_map_in_whatever_order():
    order = np.random.default_rng(1).permutation(len(ROWS))
    np.testing.assert_allclose(
        principal_plane(ROWS[order]).points, principal_plane(ROWS).points[order], atol=1e-5
    )
    np.testing.assert_array_equal(principal_plane(ROWS).points, principal_plane(ROWS).points)


def test_the_row_furthest_out_lies_on_the_positive_side():
    points = principal_plane(ROWS).points
    assert np.all(points[np.abs(points).argmax(axis=0), [0, 1]] > 0)


@pytest.mark.parametrize("rows", [ROWS[:1], np.ones((4, 12)), np.zeros((2, 3))])
def test_one_token_or_equal_ones_lie_in_the_middle(rows):
    found = principal_plane(rows)
    np.testing.assert_array_equal(found.points, np.zeros((len(rows), 2)))
    np.testing.assert_array_equal(found.shares, [0, 0])


def test_two_tokens_lie_on_a_line():
    found = principal_plane(ROWS[:2])
    assert found.shares.tolist() == pytest.approx([1, 0])
    assert found.points[:, 1].tolist() == [0, 0]
