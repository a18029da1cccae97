import numpy as np
import pytest

from tokenjourney.figures.depths import beside, with_room
from tokenjourney.figures.evidence import depth_loss_figure


def test_texts_beside_a_steep_line_stand_off_it():
    assert beside(np.array([0.0, 1.0, 1.0, 0.5, 0.5, 0.1, 0.9])) == [
        "middle right", "top center", "top center", "top right", "top center", "bottom center",
        "top center",
    ]  # fmt: skip


def test_texts_are_written_where_the_last_one_leaves_them_room():
    flat = with_room(["11.65"] * 13, np.zeros(13))
    assert flat is not None
    assert [bool(text) for text in flat] == [i % 2 == 0 for i in range(13)]
    steep = with_room(["11.65"] * 13, np.arange(13) / 13)
    assert steep is not None
    assert all(steep)
    assert with_room(["1"] * 40, np.zeros(40)) is None


@pytest.mark.parametrize(
    ("losses", "above_the_line"),
    [([5.0, 2.0, 1.0], True), ([5.0, 4.1, 3.9], False), ([9.0, 6.0, 5.0], False)],
)
def test_the_words_on_the_dotted_line_keep_off_points_that_are_close(losses, above_the_line):
    figure = depth_loss_figure(losses=losses, blind=4.0)
    (words,) = [n for n in figure.layout.annotations if "every token alike" in n.text]
    assert (words.yanchor == "bottom") == above_the_line
    assert words.y <= 4.0
    if losses[-1] < 4.0 and not above_the_line:
        assert words.y == pytest.approx(losses[-1]), "below the lowest of them"
