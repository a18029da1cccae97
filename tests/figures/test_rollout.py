"""What an answer rests on, drawn: the bars are the numbers."""

import numpy as np
import pytest

from tokenjourney.figures.rollout import occlusion_figure, rollout_figure, rollout_table
from tokenjourney.figures.text import share
from tokenjourney.figures.theme import LIGHT, FigureError

LABELS = ["The", "·dog", "·ran"]
MEAN, ROLLOUT = np.float32([0.7, 0.2, 0.1]), np.float32([0.5, 0.2, 0.3])
CHANGES, SHARES = np.float32([-2.0, 0.5, np.nan]), np.float32([0.1, 0.4, np.nan])


def test_every_token_has_both_shares_side_by_side():
    fig = rollout_figure(mean=MEAN, rollout=ROLLOUT, labels=LABELS, followed=2)
    drawn = {trace.name: trace.y for trace in fig.data}
    np.testing.assert_array_equal(drawn["mean attention"], MEAN)
    np.testing.assert_array_equal(drawn["attention rollout"], ROLLOUT)
    assert fig.data[1].hovertext[0] == f"“The” gets {share(0.5)} by attention rollout"


def test_what_is_missed_goes_down_and_what_was_in_the_way_goes_up():
    fig = occlusion_figure(
        changes=CHANGES, probabilities=SHARES, labels=LABELS, answer="·far", followed=2
    )
    (bars,) = fig.data
    assert bars.y[:2] == pytest.approx([-2.0, 0.5])
    assert bars.marker.color[:2] == (LIGHT.down, LIGHT.up)
    assert "logit of “·far” changes by −2.00" in bars.hovertext[0]
    assert share(0.1) in bars.hovertext[0]
    assert "not tried yet" in bars.hovertext[2]


def test_a_long_prompt_is_windowed_around_the_followed_token_and_says_so():
    many = np.full(200, 0.005, np.float32)
    fig = rollout_figure(mean=many, rollout=many, labels=["a"] * 200, followed=150)
    assert fig.layout.meta["caption"] == "Tokens 120–179 of 200."
    many[0] = 0.3
    fig = rollout_figure(mean=many, rollout=many, labels=["a"] * 200, followed=150)
    assert "“a₀” gets most, up to 30 %" in fig.layout.meta["caption"]
    assert fig.layout.yaxis.range[1] < 0.01  # what is drawn fills the picture
    assert list(fig.data[0].x) == list(range(120, 180))
    assert [row[0] for row in fig.data[0].customdata] == list(range(120, 180))


def test_the_table_has_a_row_for_each_token():
    columns, rows = rollout_table(
        mean=MEAN, rollout=ROLLOUT, changes=CHANGES, probabilities=SHARES, labels=LABELS
    )
    assert len(columns) == 6
    assert [row[1] for row in rows] == LABELS
    assert rows[0][2:] == pytest.approx((0.7, 0.5, -2.0, 0.1))
    assert len(rollout_table(mean=MEAN, rollout=ROLLOUT, labels=LABELS)[0]) == 4


def test_shares_that_belong_to_other_tokens_are_refused():
    with pytest.raises(FigureError):
        rollout_figure(mean=MEAN, rollout=ROLLOUT, labels=LABELS[:2], followed=0)
