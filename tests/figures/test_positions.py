import numpy as np
import pytest

from tokenjourney.figures.positions import (
    distance_figure,
    position_pictures_figure,
    positions_table,
    two_places_figure,
)
from tokenjourney.figures.theme import LIGHT


def matrix(rows, columns):
    return np.random.default_rng(1).normal(size=(rows, columns)).astype(np.float32)


def test_the_rows_in_use_tell_their_numbers_over_a_picture_of_all():
    given = matrix(256, 192)
    fig = position_pictures_figure(panels=[("Learned", "W_pos", given)], tokens=8, followed=5)
    np.testing.assert_array_equal(fig.data[0].z, given[:8])
    assert fig.layout.images[0].sizey == 256
    assert fig.data[0].hovertemplate.startswith("position %{y}, dimension %{x}")
    assert [n.text for n in fig.layout.annotations if n.name == "followed"] == ["◀ <b>5</b>"]
    assert fig.layout.xaxis.title.text == "dimension"
    assert fig.layout.yaxis.title.text == "position"


def test_a_large_one_becomes_a_picture_and_says_what_was_merged():
    fig = position_pictures_figure(panels=[("Learned", "", matrix(1024, 768))])
    assert fig.data[0].type == "scatter"
    assert fig.layout.meta["caption"] == (
        "1,024 × 768 numbers are too many to draw: each cell is the mean of 2 × 1 of them."
    )
    small = position_pictures_figure(panels=[("Learned", "", matrix(4, 8))])
    assert fig.layout.height == small.layout.height


def test_each_panel_has_a_scale_of_its_own():
    first, second = position_pictures_figure(
        panels=[("Learned", "", matrix(9, 8)), ("Sinusoidal", "", 10 * matrix(9, 8))], tokens=3
    ).data
    assert second.zmax == pytest.approx(10 * first.zmax, rel=1e-5)
    assert first.zmin == -first.zmax


def test_the_distance_curve_is_the_mean_with_its_range():
    mean, low, high = np.float32([1, 0.5]), np.float32([1, 0.2]), np.float32([1, 0.8])
    band, curve = distance_figure(curves=[("learned", mean, low, high)]).data
    np.testing.assert_array_equal(curve.y, mean)
    assert sorted(band.y) == pytest.approx([0.2, 0.8, 1, 1])
    assert curve.hovertext[1] == "learned: 1 apart, cosine 0.50 (0.20 to 0.80)"


def test_one_word_in_two_places_is_drawn_in_the_accent_station_by_station():
    fig = two_places_figure(
        cosines=[1, 0.68, 0.52], stations=["token", "sum", "0"], labels=("·dog₁", "·dog₅")
    )
    assert fig.data[0].line.color == LIGHT.accent
    assert list(fig.layout.xaxis.ticktext) == ["token", "sum", "0"]
    assert fig.data[0].hovertext[1] == "“·dog₁” and “·dog₅”, sum: cosine 0.68"


def test_the_table_has_one_row_per_position():
    columns, rows = positions_table(positions=matrix(3, 2))
    assert columns == ["position", "dimension 0", "dimension 1"]
    assert [row[0] for row in rows] == [0, 1, 2]
