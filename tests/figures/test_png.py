import io

import numpy as np
import pytest
from PIL import Image

from tokenjourney.figures.png import EMPTY, enlarged, palette, png, png_uri, quantised
from tokenjourney.figures.theme import DARK, LIGHT, FigureError


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_picture_opens_elsewhere_with_the_colours_of_the_scale(theme):
    values = np.array([[-1.0, 0.0], [1.0, np.nan]])
    picture = Image.open(io.BytesIO(png(quantised(values, -1, 1), theme.div))).convert("RGBA")
    rgba = np.asarray(picture)
    assert picture.size == (2, 2)
    shown = ["#{:02X}{:02X}{:02X}".format(*rgba[i, j, :3]) for i, j in ((0, 0), (0, 1), (1, 0))]
    assert shown == [theme.div[0], theme.div[3], theme.div[6]]
    assert rgba[1, 1, 3] == 0
    assert rgba[0, 0, 3] == 255


def test_values_beyond_the_scale_take_its_ends():
    assert quantised([[-9.0, 9.0, 0.5]], 0, 1).tolist() == [[0, 254, 127]]


def test_cells_become_squares_without_blur():
    assert enlarged(np.uint8([[1, 2]]), 2).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_a_picture_is_an_address_that_needs_no_network():
    assert png_uri(np.uint8([[EMPTY]]), LIGHT.seq).startswith("data:image/png;base64,")
    assert len(palette(LIGHT.seq)) == 255


def test_empty_scales_and_empty_pictures_are_refused():
    with pytest.raises(FigureError, match="high must exceed low"):
        quantised([[1.0]], 1, 1)
    with pytest.raises(FigureError, match="matrix of uint8"):
        png(np.zeros((0, 0), np.uint8), LIGHT.seq)
