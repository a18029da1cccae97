import numpy as np
import pytest

from tokenjourney.figures.positions import (
    distance_figure,
    position_pictures_figure,
    positions_table,
    two_places_figure,
)
from tokenjourney.figures.theme import LIGHT
from tokenjourney.figures.written import figure_json


def matrix(rows, columns):
    return np.random.default_rng(1).normal(size=(rows, columns)).astype(np.float32)


def test_over_a_picture_of_all_every_row_says_what_is_in_it():
    given = matrix(256, 192)
    given[200] = 0
    given[200, [7, 150, 30]] = 2, -2, 1
    padded = np.vstack([given, np.full((64, 192), np.nan, np.float32)])
    fig = position_pictures_figure(panels=[("Learned", "W_pos", padded)], tokens=8, followed=5)
    (rows,) = fig.data
    np.testing.assert_allclose(rows.z[:, 0], np.linalg.norm(given, axis=1), rtol=1e-6)
    assert list(rows.text[200]) == ["7, 30, 150"]
    assert rows.z[200, 0] == 3
    assert list(rows.x) == [-0.5, 191.5]  # each as wide as the picture
    assert rows.hovertemplate.startswith("position %{y}: length %{z}, strongest dimensions %{text}")
    assert rows.opacity == 0
    assert fig.layout.images[0].sizey == 320
    assert [n.text for n in fig.layout.annotations if n.name == "followed"] == ["◀ <b>5</b>"]
    assert fig.layout.xaxis.title.text == "dimension"
    assert fig.layout.yaxis.title.text == "position"


def test_a_long_prompt_draws_the_same_picture_and_sends_no_more_numbers():
    given = [("Learned", "", matrix(1024, 768))]
    few, all_rows = (position_pictures_figure(panels=given, tokens=n) for n in (4, 1024))
    assert all_rows.data == few.data
    assert all_rows.layout.images == few.layout.images
    assert len(figure_json(all_rows)) < 700_000


def test_a_large_one_becomes_a_picture_and_says_what_was_merged():
    fig = position_pictures_figure(panels=[("Learned", "", matrix(1024, 768))])
    assert fig.layout.meta["caption"] == (
        "1,024 × 768 numbers are too many to draw: each cell is the mean of 2 × 1 of them."
    )
    small = position_pictures_figure(panels=[("Learned", "", matrix(4, 8))])
    assert fig.layout.height == small.layout.height


def test_each_panel_has_a_scale_of_its_own():
    fig = position_pictures_figure(
        panels=[("Learned", "", matrix(9, 8)), ("Sinusoidal", "", 10 * matrix(9, 8))]
    )
    first, second = (i.source for i in fig.layout.images if i.xref in ("x", "x2"))
    assert first == second
    ends = [n.text for n in fig.layout.annotations if n.text.startswith("+")]
    assert len(ends) == 2
    assert float(ends[1]) == pytest.approx(10 * float(ends[0]), rel=0.01)


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
