import numpy as np
import pytest

from tokenjourney.figures.layers import norms_figure, norms_table, rank_figure
from tokenjourney.figures.theme import LIGHT

LABELS = ["The", "·dog", "·dog"]
LENGTHS = np.float32([[5, 1, 2], [60, 3, 4], [80, 6, 5]])


def test_lengths_end_at_the_longest_after_the_first_token_which_is_named():
    fig = norms_figure(lengths=LENGTHS, labels=LABELS, followed=1)
    followed = next(t for t in fig.data if t.name == "followed")
    np.testing.assert_array_equal(followed.y[:3], LENGTHS[:, 1])
    assert followed.line.color == LIGHT.accent
    assert followed.hovertext[1] == "after block 0, “·dog₁” has length 3.0 (was 1.0)"
    assert fig.layout.yaxis.range[1] == pytest.approx(6 * 1.08)
    assert [n.text for n in fig.layout.annotations] == ["▲ “The” goes up to 80.0"]


def test_nothing_is_cut_where_the_first_token_is_no_longer_than_the_others():
    fig = norms_figure(lengths=LENGTHS[:, [2, 1]], labels=LABELS[1:], followed=0)
    assert not fig.layout.annotations
    assert (
        norms_figure(lengths=LENGTHS[:, :1], labels=["The"], followed=0).layout.yaxis.range[1] > 80
    )


def test_the_norms_table_has_a_column_per_depth():
    columns, rows = norms_table(lengths=LENGTHS, labels=LABELS)
    assert columns[2:] == ["before block 0", "after block 0", "after block 1"]
    assert rows[1] == (1, "·dog₁", 1.0, 3.0, 6.0)


def test_wide_ranks_side_by_side_are_not_written_over_each_other():
    def written(ranks):
        line = rank_figure(
            ranks=ranks, probabilities=[0] * len(ranks), label="a", vocabulary=50_257
        ).data[0]
        return [text.strip("\u00a0<b>/") for text in line.text]

    flat = [6468, 5777, 5714, 574, 1900, 30, 16, 11, 1, 1, 1, 1, 1]
    assert written(flat)[:5] == ["6,468", "", "5,714", "574", "1,900"]
    assert written(flat)[-5:] == ["1"] * 5
    assert written([6468, 5777, 5714]) == ["6,468", "5,777", "5,714"]


def test_rank_one_is_on_top():
    fig = rank_figure(ranks=[900, 7, 1], probabilities=[0, 0.1, 0.6], label="<b>", vocabulary=2048)
    np.testing.assert_array_equal(fig.data[0].y, [900, 7, 1])
    bottom, top = fig.layout.yaxis.range
    assert bottom > np.log10(2048) > 0 > top
    said = "after block 1, “&lt;b&gt;” is number 1 of 2,048, with 60 %"
    assert fig.data[0].hovertext[2] == said
