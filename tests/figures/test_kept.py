"""The growing cache: what has come is drawn, and nothing of what has not."""

import numpy as np
import pytest

from tokenjourney.figures.kept import kept_figure, kept_table
from tokenjourney.figures.theme import FigureError

rng = np.random.default_rng(0)
LABELS = ["The", "·dog", "·saw", "·a", "·dog"]
KEYS, VALUES = rng.normal(size=(2, 5, 4)).astype(np.float32)
PARTS = [("keys", "4 numbers each", KEYS), ("values", "4 numbers each", VALUES)]


def drawn(step, parts=PARTS, labels=LABELS):
    return kept_figure(parts=parts, labels=labels, step=step)


def test_a_column_comes_with_each_step_and_those_before_stay():
    for step in range(1, 6):
        keys, values = drawn(step).data[:2]
        np.testing.assert_array_equal(keys.z, KEYS[:step].T)
        np.testing.assert_array_equal(values.z, VALUES[:step].T)
        assert (keys.zmax, values.zmax) == tuple(part.zmax for part in drawn(5).data[:2])


def test_only_the_new_column_is_outlined_and_the_old_ones_are_hatched_without_the_cache():
    figure = drawn(4)
    outlined = [s for s in figure.layout.shapes if s.type == "rect" and s.line.width]
    assert [(s.x0, s.x1) for s in outlined] == [(2.5, 3.5)]
    hatched = next(t for t in figure.data if t.name == "excluded")
    assert -0.5 < min(hatched.x) < max(hatched.x) < 2.5
    assert [t.name for t in drawn(1).data] == ["keys", "values", "with the cache", "without it"]


def test_hover_says_what_happens_to_each_column():
    with_cache, without = drawn(3).data[-2:]
    assert with_cache.text[:4] == (
        "is kept, and only read", "is kept, and only read", "is new, and computed",
        "has not come yet",
    )  # fmt: skip
    assert without.text[0] == "is computed again"
    assert with_cache.customdata[:, 0].tolist() == [1, 2, 3, 4, 5]


def test_a_long_text_is_a_window_around_the_new_token():
    many = rng.normal(size=(200, 4)).astype(np.float32)
    figure = drawn(150, [("keys", "", many)], ["·a"] * 200)
    assert figure.layout.meta["caption"].endswith("Tokens 119–178 of 200.")
    assert list(figure.data[0].x) == list(range(119, 150))
    np.testing.assert_array_equal(figure.data[0].z, many[119:150].T)


def test_the_table_holds_what_has_come():
    _, rows = kept_table(parts=PARTS, labels=LABELS, step=2)
    assert len(rows) == 2 * 2 * 4
    assert rows[-1] == (1, "·dog₁", "values", 3, float(VALUES[1, 3]))


@pytest.mark.parametrize("step", [0, 6])
def test_a_step_that_is_not_there_is_refused(step):
    with pytest.raises(FigureError, match="from 1 to 5"):
        drawn(step)


def test_parts_of_other_lengths_are_refused():
    with pytest.raises(FigureError, match="5 rows"):
        drawn(1, [("keys", "", KEYS[:4])])
