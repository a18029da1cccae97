import pytest

from tokenjourney.figures.tally import tally_figure
from tokenjourney.figures.theme import LIGHT, FigureError


def figure(**changes):
    arguments = {
        "labels": ["·girl", "<b>"],
        "counts": [60, 30],
        "expected": [55.5, 35.0],
        "n_draws": 100,
        "rest": (3, 10, 9.5),
    }
    return tally_figure(**(arguments | changes))


def test_bars_are_the_counts_and_marks_what_was_to_be_expected():
    drawn, expected = figure().data
    assert list(drawn.x) == [60, 30, 10]
    assert list(expected.x) == pytest.approx([55.5, 35, 9.5])
    assert drawn.hovertext[0] == "“·girl” came 60 times in 100 draws, 55.5 were to be expected"


def test_the_others_have_a_row_only_where_there_are_any():
    assert len(figure(rest=(0, 0, 0.0)).data[0].x) == 2


def test_the_token_drawn_now_has_the_accent():
    assert list(figure(chosen=1).data[0].marker.color) == [
        LIGHT.quantity,
        LIGHT.accent,
        LIGHT.quantity,
    ]


def test_a_token_that_looks_like_a_tag_is_shown_as_text():
    assert "<b>”" not in figure().to_json()


def test_counts_that_do_not_fit_the_labels_are_refused():
    with pytest.raises(FigureError):
        figure(counts=[1])
