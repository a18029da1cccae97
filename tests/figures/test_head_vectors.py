"""The strips of a head hold the vectors they are given."""

import numpy as np
import pytest

from tokenjourney.figures.head_vectors import head_vectors_figure, products_table, vectors_table
from tokenjourney.figures.theme import FigureError

Q = np.array([1.0, -2.0, 0.5, 3.0], np.float32)
K = np.array([2.0, 1.0, 4.0, -1.0], np.float32)


def test_nothing_and_vectors_of_different_length_are_refused():
    with pytest.raises(FigureError, match="at least one"):
        head_vectors_figure(vectors=[])
    with pytest.raises(FigureError, match="query"):
        head_vectors_figure(vectors=[("query", "to ask with", Q), ("key", "to be found by", K[:2])])


def test_the_strips_of_a_head_share_one_scale_and_their_table_has_all_numbers():
    vectors = [("query", "to ask with", Q), ("key", "to be found by", K)]
    figure = head_vectors_figure(vectors=vectors)
    assert len({trace.zmax for trace in figure.data}) == 1
    columns, rows = vectors_table(vectors)
    assert columns == ["dimension", "query", "key"]
    assert rows[3] == (3, 3.0, -1.0)


def test_the_table_of_a_cell_multiplies_query_and_key_dimension_by_dimension():
    assert products_table(query=Q, key=K)[1][1] == (1, -2.0, 1.0, -2.0)
