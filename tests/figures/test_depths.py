import numpy as np

from tokenjourney.figures.depths import beside, with_room


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
