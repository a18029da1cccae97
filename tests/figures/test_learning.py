import numpy as np
import pytest

from tokenjourney.figures.learning import (
    Neighbourhood,
    neighbourhoods_figure,
    neighbourhoods_table,
)
from tokenjourney.figures.theme import FigureError

COSINES = np.random.default_rng(6).uniform(-0.3, 0.6, size=(2, 500)).astype(np.float32)


def sides():
    return [
        Neighbourhood(title, "", cosines, ["·cat", "<i>"], np.sort(cosines)[::-1][:2])
        for title, cosines in zip(("start", "end"), COSINES, strict=True)
    ]


def figure(given=None, **changes):
    return neighbourhoods_figure(given or sides(), **{"label": "·dog", "itself": 3} | changes)


def test_every_other_token_is_counted_once():
    for trace, cosines in zip(figure().data[::2], COSINES, strict=True):
        assert np.square(trace.y).sum() == pytest.approx(len(cosines) - 1)


def test_the_bars_are_the_nearest_and_all_panels_share_one_axis():
    fig = figure()
    for trace, side in zip(fig.data[1::2], sides(), strict=True):
        np.testing.assert_array_equal(trace.x, side.nearest)
    ranges = {tuple(fig.layout[f"xaxis{n}"].range) for n in ("", 2, 3, 4)}
    assert len(ranges) == 1


def test_a_tag_in_a_token_is_shown_as_text():
    assert "<i>" not in figure().to_json()


def test_a_vocabulary_of_one_token_has_no_neighbours_and_is_drawn():
    alone = [Neighbourhood("a", "", [1.0], [], []) for _ in range(2)]
    assert len(figure(alone, itself=0).data) == 2


def test_one_side_alone_is_refused():
    with pytest.raises(FigureError):
        figure(sides()[:1])


def test_the_table_names_the_nearest_of_both_sides():
    _, rows = neighbourhoods_table(sides())
    assert [row[:3] for row in rows][::2] == [("start", 1, "·cat"), ("end", 1, "·cat")]
