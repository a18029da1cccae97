"""A generation as a tree shows every branch from where it left."""

import numpy as np
import pytest

from tokenjourney.figures.theme import LIGHT, FigureError
from tokenjourney.figures.tree import TreeRow, tree_figure, tree_table

ROWS = [
    TreeRow("open now", ["·a", "<b>", "·c"], [0.5, 0.25, 0.1], 0, -1, 1.0, ("x.1.2.3", None)),
    TreeRow("branch 1", ["·a", "·d"], [0.5, 0.75], 1, 0, 0.5, ("x.1.4", "x_1.2.3")),
]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_each_token_stands_once_with_its_probability_as_a_bar():
    figure = tree_figure(ROWS, steps=range(3))
    texts = [note.text for note in figure.layout.annotations]
    assert sum("·a" in text for text in texts) == 1
    assert any("&lt;b&gt;" in text for text in texts)
    bars = [s for s in figure.layout.shapes if s.fillcolor in (LIGHT.accent, LIGHT.quantity)]
    shares = [(bar.x1 - bar.x0) / 0.93 for bar in bars]
    assert shares == pytest.approx([0.5, 0.25, 0.1, 0.75])


def test_a_click_on_a_branch_reports_where_it_leads():
    targets = named(tree_figure(ROWS, steps=range(3)), "branches")
    assert {tuple(found) for found in targets.customdata} == {
        ("x.1.2.3", None), ("x.1.4", "x_1.2.3"),
    }  # fmt: skip
    assert "branch 1, step 2: “·d” with 75 %. Click to go back" in " ".join(targets.hovertext)


def test_a_branch_hangs_on_the_row_that_it_leaves():
    joints = named(tree_figure(ROWS, steps=range(3)), "joints")
    assert np.isclose(joints.x[0], 0.94)
    assert joints.y[0] < 1 < joints.y[1]


def test_only_the_steps_asked_for_are_drawn_and_a_shorter_branch_says_that_it_ended():
    figure = tree_figure(ROWS, steps=range(2, 3))
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert "·a" not in texts
    assert "ends before" in texts


def test_a_parent_that_does_not_come_before_is_refused():
    with pytest.raises(FigureError, match="before"):
        tree_figure([TreeRow("x", ["a"], [1.0], 0, 0, 0.0, (None, None))], steps=range(1))


def test_the_table_has_every_token_where_it_is_drawn():
    assert [row[:3] for row in tree_table(ROWS)[1]] == [
        ("open now", 1, "·a"), ("open now", 2, "<b>"), ("open now", 3, "·c"), ("branch 1", 2, "·d"),
    ]  # fmt: skip
