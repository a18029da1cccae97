"""Figures as they are written: what a browser is sent is what Plotly would send."""

import base64
import copy
import json

import numpy as np
import plotly.graph_objects as go
import pytest

from tokenjourney.figures.drawing import Sketch
from tokenjourney.figures.theme import LIGHT
from tokenjourney.figures.written import (
    as_written,
    figure_json,
    heatmap,
    own_caption,
    scatter,
)

ARRAYS = {
    "float32": np.linspace(0, 1, 6, dtype=np.float32),
    "float64": np.array([0.5, np.nan, np.inf]),
    "float16": np.array([0.5, 2], dtype=np.float16),
    "big-endian": np.array([1.5, 2.5], dtype=">f4"),
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "whole": np.arange(4),
    "whole and large": np.array([1, 2**40]),
    "unsigned": np.array([0, 2**32 - 1], dtype=np.uint32),
    "empty": np.zeros(0),
    "truth": np.array([True, False]),
    "texts": np.array(["<b>", "π"]),
}


def drawn(**values):
    sketch = Sketch(LIGHT, height=99.6, caption="one line")
    sketch.trace(scatter(**values))
    return sketch.figure()


def read(value):
    """An array of Plotly's JSON as nested lists of numbers."""
    if not isinstance(value, dict):
        return value
    flat = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
    return flat.reshape([int(n) for n in str(value.get("shape", len(flat))).split(",")]).tolist()


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_arrive_as_they_are(kind):
    array = ARRAYS[kind]
    sent = json.loads(figure_json(drawn(x=array)))["data"][0]["x"]
    np.testing.assert_array_equal(read(sent), array)


def test_what_is_sent_is_what_plotly_would_send():
    figure = drawn(x=[1, 2.5], y=np.float32([3, 4]), text=["a", "·ü"], marker={"size": np.int64(7)})
    sent = json.loads(figure_json(figure))
    assert sent == json.loads(go.Figure(as_written(figure)).to_json())


def test_a_number_that_is_none_becomes_null():
    sent = json.loads(figure_json(drawn(y=[1.0, float("nan"), float("inf")])))
    assert sent["data"][0]["y"] == [1.0, None, None]


def test_it_is_a_figure_like_any_other():
    figure = drawn(x=[1], y=[2])
    assert isinstance(figure, go.Figure)
    assert own_caption(figure) == "one line"
    assert figure.layout.height == 100
    assert figure.data[0].y == (2,)
    figure.update_layout(height=50)
    assert json.loads(figure_json(figure))["layout"]["height"] == 50
    assert own_caption(figure) == "one line"
    assert copy.deepcopy(drawn(x=[1], y=[2])) == drawn(x=[1], y=[2])
    with pytest.raises(AttributeError, match="nothing"):
        _ = figure.nothing


def test_plotly_checks_it_when_it_is_looked_into():
    sketch = Sketch(LIGHT, height=100)
    sketch.trace(heatmap(zz=[[1]]))
    with pytest.raises(ValueError, match="zz"):
        _ = sketch.figure().data
