"""The card of a cell and the strips of a head hold the vectors they are given."""

import math

import numpy as np
import pytest

from tokenjourney.figures.attention_card import (
    attention_card_figure,
    attention_card_table,
    head_vectors_figure,
    vectors_table,
)
from tokenjourney.figures.theme import FigureError

Q = np.array([1.0, -2.0, 0.5, 3.0], np.float32)
K = np.array([2.0, 1.0, 4.0, -1.0], np.float32)


def card(**changes):
    values = {"query": Q, "key": K, "labels": ("·you", "·all"), "positions": (3, 1),
              "log_total": 0.5} | changes  # fmt: skip
    return attention_card_figure(**values)


def written(figure):
    return " ".join(note.text for note in figure.layout.annotations)


def test_three_strips_query_times_key_is_product():
    strips = {trace.name: np.asarray(trace.z)[0] for trace in card().data}
    np.testing.assert_allclose(strips["query"] * strips["key"], strips["product"])


def test_the_steps_hold_the_numbers():
    said = written(card())
    assert "add up to −1.00" in said
    assert "÷ √4" in said
    assert "−1.00 ÷ 2.00 = −0.50" in said
    assert "key 1 ≤ query 3: stays −0.50" in said
    assert f"{math.exp(-0.5 - 0.5):.2f}" in said
    assert "above 0: +4.00, below 0: −5.00" in said


def test_a_masked_key_has_no_share():
    said = written(card(positions=(1, 3)))
    assert "key 3 &gt; query 1" in said or "key 3 > query 1" in said
    assert "= 0.00" in said
    assert "may not look at" in said


def test_a_huge_denominator_is_written_as_a_power():
    assert "e<sup>90.00</sup>" in written(card(log_total=90.0))


def test_labels_that_look_like_markup_stay_text():
    said = written(card(labels=("<i>a", "%{x}")))
    assert "<i>a" not in said
    assert "%{x}" not in said


def test_query_and_key_share_a_scale():
    query, key, product = card().data
    assert query.zmax == key.zmax
    assert product.zmax != key.zmax


def test_vectors_of_different_length_are_refused():
    with pytest.raises(FigureError, match="query"):
        card(key=K[:2])
    with pytest.raises(FigureError, match="at least one"):
        head_vectors_figure(vectors=[])


def test_the_strips_of_a_head_share_one_scale_and_their_table_has_all_numbers():
    vectors = [("query", "to ask with", Q), ("key", "to be found by", K)]
    figure = head_vectors_figure(vectors=vectors)
    assert len({trace.zmax for trace in figure.data}) == 1
    columns, rows = vectors_table(vectors)
    assert columns == ["dimension", "query", "key"]
    assert rows[3] == (3, 3.0, -1.0)
    assert attention_card_table(query=Q, key=K)[1][1] == (1, -2.0, 1.0, -2.0)
