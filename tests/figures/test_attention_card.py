import numpy as np
import pytest

from tokenjourney.figures.attention_card import change_figure, query_key_figure, query_key_table
from tokenjourney.figures.theme import LIGHT, FigureError

Q = np.float32([1.0, -2.0, 0.5])
K = np.float32([2.0, 1.0, 4.0])


def said(fig):
    return [note.text for note in fig.layout.annotations]


def test_the_third_strip_is_the_product_of_the_first_two():
    fig = query_key_figure(query=Q, key=K, query_label="<b>", key_label="·a")
    strips = [np.asarray(trace.z)[0] for trace in fig.data]
    np.testing.assert_array_equal(strips[2], strips[0] * strips[1])
    assert fig.data[0].zmax == fig.data[1].zmax
    assert fig.data[2].text[0][1] == "dimension 1: −2.00 × 1.00 = −2.00"


def test_the_sum_is_written_with_its_two_parts():
    texts = said(query_key_figure(query=Q, key=K, query_label="<b>", key_label="·a"))
    assert "3 numbers each; their products add up to 2.00" in texts
    assert "positive products: +4.00, negative: −2.00" in texts
    assert any("query of &lt;b&gt;" in text for text in texts)
    assert query_key_table(query=Q, key=K)[1][2] == (2, 0.5, 4.0, 2.0)


def test_query_and_key_must_be_equally_long():
    with pytest.raises(FigureError, match="query has 3, key has 2"):
        query_key_figure(query=Q, key=K[:2], query_label="", key_label="")


def test_a_change_is_drawn_from_before_to_after_and_written_in_points():
    fig = change_figure(labels=["a", "b"], before=[0.61, 0.02], after=[0.458, 0.029])
    before, after = fig.data
    np.testing.assert_allclose(before.x, [0.61, 0.02], rtol=1e-6)
    np.testing.assert_allclose(after.x, [0.458, 0.029], rtol=1e-6)
    assert list(after.marker.color) == [LIGHT.down, LIGHT.up]
    assert {"<b>−15.2</b>", "<b>+0.9</b>", "46 %"} <= set(said(fig))
    assert before.hovertext[0] == "“a”: 61 % before, 46 % after, −15.2 points"
