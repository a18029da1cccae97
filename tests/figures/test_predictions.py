import numpy as np
import pytest

from tokenjourney.figures.predictions import predictions_figure, predictions_table
from tokenjourney.figures.theme import LIGHT, FigureError

GIVEN = {
    "labels": ["The", "·dog", "·saw", "·dog"],
    "guesses": ["·cat", "·saw", "·dog", "<b>"],
    "guess_probabilities": np.float32([0.3, 0.6, 0.5, 0.2]),
    "true_probabilities": np.float32([0.1, 0.6, 0.5]),
    "losses": -np.log(np.float32([0.1, 0.6, 0.5])),
}


def trace(fig, name):
    return next(t for t in fig.data if t.name == name)


def said(fig):
    return [note.text for note in fig.layout.annotations]


def test_every_position_has_its_guess_what_came_and_the_loss():
    fig = predictions_figure(**GIVEN, followed=1)
    np.testing.assert_array_equal(trace(fig, "best guess").x, GIVEN["guess_probabilities"])
    np.testing.assert_array_equal(trace(fig, "what really came").x[:3], GIVEN["true_probabilities"])
    assert list(trace(fig, "loss").text) == ["2.30", "0.51", "0.69", ""]
    assert list(trace(fig, "loss").marker.color).index(LIGHT.accent) == 1


def test_a_right_guess_is_ticked_also_where_the_word_occurs_twice():
    texts = said(predictions_figure(**GIVEN))
    assert "<b>·saw ✓</b>" in texts
    assert "<b>·dog₃ ✓</b>" in texts
    assert "·dog₁" in texts


def test_the_last_token_has_no_next_one_yet():
    assert said(predictions_figure(**GIVEN)).count("not written yet") == 1
    alone = predictions_figure(
        labels=["a"], guesses=["b"], guess_probabilities=[0.5], true_probabilities=[], losses=[]
    )
    assert "not written yet" in said(alone)


def test_a_tag_as_guess_is_shown_as_text():
    assert "&lt;b&gt;" in said(predictions_figure(**GIVEN))


def test_lengths_must_fit():
    with pytest.raises(FigureError, match="losses has 2"):
        predictions_figure(**GIVEN | {"losses": [1.0, 2.0]})


def test_the_table_repeats_the_rows():
    columns, rows = predictions_table(**GIVEN)
    assert columns[4] == "next token"
    assert rows[1][2:5:2] == ("·saw", "·saw")
    assert rows[3][4:] == (None, None, None)
