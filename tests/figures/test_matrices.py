import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.figures.matrices import (
    as_vector,
    downsampled,
    require_same_length,
    symmetric_limit,
)
from tokenjourney.figures.theme import FigureError


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 900))
def test_merging_keeps_the_sum_and_never_leaves_too_many_cells(rows, columns, most):
    matrix = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns) / 7
    found = downsampled(matrix, most)
    heights = np.diff(np.append(found.row_starts, rows))
    widths = np.diff(np.append(found.column_starts, columns))
    assert found.values.size <= most
    assert (found.values * np.outer(heights, widths)).sum() == pytest.approx(matrix.sum(), rel=1e-4)
    assert bool(found.statement) == (rows * columns > most)


def test_what_was_merged_is_said_in_words():
    assert downsampled(np.ones((1024, 768)), 400_000).statement == (
        "1,024 × 768 numbers are too many to draw: each cell is the mean of 2 × 1 of them."
    )


def test_a_scale_is_never_empty_and_ignores_what_is_masked():
    assert symmetric_limit(np.zeros(4)) == 1
    assert symmetric_limit([-np.inf, np.nan, 2.0]) == 2
    assert symmetric_limit([]) == 1
    sparse = np.zeros(1000)
    sparse[0] = -3
    assert symmetric_limit(sparse) == 3


def test_strips_that_are_compared_share_the_larger_limit():
    one, other = np.linspace(-1, 1, 100), np.linspace(-5, 5, 100)
    assert symmetric_limit(one) < symmetric_limit(one, other) < symmetric_limit(other)


def test_wrong_shapes_are_named():
    with pytest.raises(FigureError, match=r"logits has the shape \(2, 2\).*1 axis"):
        as_vector(np.ones((2, 2)), "logits")
    with pytest.raises(FigureError, match=r"values has the shape \(0,\)"):
        as_vector([])
    with pytest.raises(FigureError, match="a has 1, b has 2"):
        require_same_length(a=[1], b=[1, 2])
