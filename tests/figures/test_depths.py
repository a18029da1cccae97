import numpy as np

from tokenjourney.figures.depths import beside


def test_texts_beside_a_steep_line_stand_off_it():
    assert beside(np.array([0.0, 1.0, 1.0, 0.5, 0.5, 0.1, 0.9])) == [
        "middle right", "top center", "top center", "top right", "top center", "bottom center",
        "top center",
    ]  # fmt: skip
