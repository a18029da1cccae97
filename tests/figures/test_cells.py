import re

import numpy as np

from tokenjourney.figures.cells import gaps
from tokenjourney.figures.theme import LIGHT


def lines(shape):
    """The ends (x0, y0, x1, y1) of each line of a path."""
    found = re.findall(r"M([-\d.]+),([-\d.]+)L([-\d.]+),([-\d.]+)", shape["path"])
    return [tuple(map(float, ends)) for ends in found]


def test_gaps_lie_between_all_rows_and_all_columns_and_have_the_colour_of_the_ground():
    shape = gaps(np.ones((2, 3), bool), LIGHT, width=2)
    assert lines(shape) == [(0.5, -0.5, 0.5, 1.5), (1.5, -0.5, 1.5, 1.5), (-0.5, 0.5, 2.5, 0.5)]
    assert shape["line"] == {"width": 2, "color": LIGHT.bg}
    assert shape["layer"] == "above"


def test_there_is_no_gap_where_there_is_no_cell():
    assert lines(gaps(np.tri(3, dtype=bool), LIGHT)) == [
        (0.5, 0.5, 0.5, 2.5), (1.5, 1.5, 1.5, 2.5), (-0.5, 0.5, 0.5, 0.5), (-0.5, 1.5, 1.5, 1.5),
    ]  # fmt: skip


def test_gaps_may_be_only_between_rows_and_cells_of_any_size():
    shape = gaps(np.ones((2, 3), bool), LIGHT, x=(0, 0.5), y=(10, 4), along="y", xref="x2")
    assert lines(shape) == [(0, 14, 1.5, 14)]
    assert shape["xref"] == "x2"


def test_one_cell_has_none():
    assert lines(gaps(np.ones((1, 1), bool), LIGHT)) == []
