import numpy as np
import pytest

from tokenjourney.figures.readout import readout_figure, readout_table
from tokenjourney.figures.theme import FigureError

RNG = np.random.default_rng(2)


def arrays(size=24):
    residual, normalised, column = RNG.normal(size=(3, size)).astype(np.float32)
    return {
        "residual": residual * 40,
        "normalised": normalised,
        "column": column / 10,
        "products": normalised * column / 10,
    }


def figure(given, **changes):
    words = {"names": ["a", "b", "c", "d"], "notes": ["", "", "", ""]}
    return readout_figure(**given, **(words | changes))


def test_the_strips_are_the_numbers_given_each_on_a_scale_of_its_own():
    given = arrays()
    strips = [t for t in figure(given).data if t.type == "heatmap"]
    for strip, values in zip(strips, given.values(), strict=True):
        np.testing.assert_array_equal(np.asarray(strip.z)[0], values)
        assert strip.zmax == -strip.zmin
    assert len({strip.zmax for strip in strips}) == 4


def test_the_running_sum_ends_at_the_sum_of_the_products():
    given = arrays()
    fig = figure(given)
    sums = next(t for t in fig.data if t.name == "sum so far")
    assert sums.y[-1] == pytest.approx(given["products"].sum(), abs=1e-5)
    assert readout_table(**given)[1][-1][-1] == pytest.approx(given["products"].sum(), abs=1e-5)


def test_a_name_that_is_missing_is_refused():
    with pytest.raises(FigureError):
        figure(arrays(), names=["a"])
