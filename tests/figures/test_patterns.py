"""Attention patterns side by side share one pair of axes, and each cell is explained."""

import numpy as np
import pytest

from tokenjourney.figures.patterns import PatternPanel, patterns_figure
from tokenjourney.figures.theme import LIGHT, FigureError

LABELS = ["the", "<b>", "·cat"]
PATTERNS = [
    np.array([[1, 0, 0], [0.4, 0.6, 0], [0.1, 0.2, 0.7]], np.float32),
    np.eye(3, dtype=np.float32),
]
PANELS = [PatternPanel(f"panel {i}", "", pattern) for i, pattern in enumerate(PATTERNS)]


def test_every_panel_holds_its_pattern_beside_the_one_before_it():
    fig = patterns_figure(PANELS, labels=LABELS)
    maps = [trace for trace in fig.data if trace.type == "heatmap"]
    for drawn, pattern in zip(maps, PATTERNS, strict=True):
        past = np.tril(np.ones((3, 3), bool))
        np.testing.assert_allclose(np.asarray(drawn.z)[past], pattern[past])
        assert np.isnan(np.asarray(drawn.z)[~past]).all(), "the future is not drawn"
    assert max(maps[0].x) + 1 < min(maps[1].x)
    low, high = fig.layout.xaxis.range
    assert (low, high) == (-0.5, pytest.approx(max(maps[1].x) + 0.5))
    assert {key for key in fig.layout.to_plotly_json() if "axis" in key} == {"xaxis", "yaxis"}


def test_the_labels_stand_under_the_cells_of_their_token():
    fig = patterns_figure(PANELS, labels=LABELS)
    second = [trace for trace in fig.data if trace.type == "heatmap"][1]
    np.testing.assert_allclose(fig.layout.xaxis.tickvals, [0, 1, 2, *second.x])
    assert ["cat" in text for text in fig.layout.xaxis.ticktext] == [False, False, True] * 2


def test_every_cell_says_who_looks_at_whom_also_where_its_label_has_no_room():
    many = [f"t{i}" for i in range(20)]
    even = np.tril(np.ones((20, 20), np.float32)) / np.arange(1, 21, dtype=np.float32)[:, None]
    fig = patterns_figure([PatternPanel(str(i), "", even) for i in range(5)], labels=many)
    assert len(fig.layout.xaxis.ticktext) < 5 * 20
    cells = fig.data[-1]
    assert len(cells.text) == len(cells.x) == 210
    assert "“t4” looks at “t3” with 0.20" in cells.text
    assert "&lt;b&gt;" in str(patterns_figure(PANELS, labels=LABELS).data[1].text)


def test_the_followed_row_has_the_accent_in_every_panel():
    shapes = patterns_figure(PANELS, labels=LABELS, followed=1).layout.shapes
    rows = [shape for shape in shapes if shape.line.color == LIGHT.accent]
    assert [(shape.y0, shape.y1) for shape in rows] == [(0.5, 1.5)] * 2


def test_a_pattern_of_another_size_is_refused():
    with pytest.raises(FigureError, match=r"\(2, 2\)"):
        patterns_figure(PANELS, labels=["a", "b"])
