import numpy as np
import pytest

from tokenjourney.figures.parameters import (
    family_figure,
    family_table,
    short_count,
    values_figure,
)
from tokenjourney.figures.theme import FigureError

KINDS = {"embedding": "embedding", "feed_forward": "feed-forward"}
MODELS = [
    ("here <b>", {"embedding": 1_000, "feed_forward": 3_000}, 4_000),
    ("large", {"feed_forward": 5_000_000_000}, 1_000_000_000),
]


def test_counts_are_dots_and_parts_are_shares():
    every, active, *parts = family_figure(MODELS, kinds=KINDS).data
    assert list(every.x) == [4_000, 5_000_000_000]
    assert (list(active.x), list(active.y)) == ([1_000_000_000], [1])
    np.testing.assert_allclose([bar.x for bar in parts], [[0.25, 0], [0.75, 1]])
    assert parts[0].hovertext[0] == "here &lt;b&gt;: embedding 1,000, 25 %"
    assert every.hovertext[1].endswith("one token goes through 1,000,000,000")


def test_every_dot_lies_within_the_scale():
    low, high = family_figure([("one", {"a": 10**6}, 1_200)], kinds=KINDS).layout.xaxis.range
    assert low < np.log10(1_200)
    assert high > 6


def test_the_table_has_the_same():
    columns, rows = family_table(MODELS, KINDS)
    assert columns == [
        "model", "parameters", "embedding", "feed-forward", "one token goes through"
    ]  # fmt: skip
    assert rows[1] == ("large", 5_000_000_000, 0, 5_000_000_000, 1_000_000_000)


def test_values_are_bars_between_their_edges():
    fig = values_figure(edges=[-1, 0, 1], counts=[3, 5], mean=0.25)
    assert list(fig.data[0].x) == [-0.5, 0.5]
    assert fig.data[0].hovertext[0] == "3 numbers from −1.000 to 0.000"
    with pytest.raises(FigureError, match="edges"):
        values_figure(edges=[0, 1], counts=[3, 5], mean=0)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0, "0"), (999_999, "999,999"), (1_000_000, "1 M"), (124_439_808, "124 M"),
     (1_557_611_200, "1.56 B"), (2 * 10**12, "2 T")],
)  # fmt: skip
def test_large_counts_are_short(value, said):
    assert short_count(value) == said
