import numpy as np
import pytest

from tokenjourney.figures.lookup import lookup_figure, lookup_table
from tokenjourney.figures.theme import LIGHT, FigureError

ROWS = np.random.default_rng(1).normal(size=(5, 24)).astype(np.float32)
LABELS = ["a", "·dog", "<b>x</b>", "·cat", "d"]


def figure(**changes):
    arguments = {"first": 40, "chosen": 42, "labels": LABELS, "d_vocab": 100} | changes
    return lookup_figure(ROWS, **arguments)


def by_name(fig, name):
    return next(trace for trace in fig.data if trace.name == name)


def test_the_rows_and_the_vector_are_the_numbers_given_on_one_scale():
    fig = figure()
    rows, vector = by_name(fig, "rows of W_E"), by_name(fig, "vector")
    np.testing.assert_array_equal(rows.z, ROWS)
    np.testing.assert_array_equal(np.asarray(vector.z).ravel()[:24], ROWS[2])
    assert vector.zmin == rows.zmin == -rows.zmax


def test_the_place_in_the_list_is_the_id_and_its_row_is_outlined():
    fig = figure()
    assert by_name(fig, "place in the list").y == (42,)
    outlined = [s for s in fig.layout.shapes if s.line.color == LIGHT.accent and s.yref == "y2"]
    assert [(s.y0, s.y1) for s in outlined] == [(1.5, 2.5)]


def test_a_tag_in_a_token_is_shown_as_text():
    assert "<b>x" not in figure().to_json()


@pytest.mark.parametrize("changes", [{"chosen": 45}, {"labels": ["a"]}, {"d_vocab": 42}])
def test_what_does_not_fit_is_refused(changes):
    with pytest.raises(FigureError):
        figure(**changes)


def test_the_table_has_every_number_of_the_row():
    columns, rows = lookup_table(ROWS[2], token_id=42, label="x")
    assert columns[-1] == "value"
    assert [row[-1] for row in rows] == ROWS[2].tolist()
