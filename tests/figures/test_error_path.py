import numpy as np
import pytest

from tokenjourney.figures.error_path import MOST_DRAWN, error_path_figure, error_path_table
from tokenjourney.figures.theme import FigureError

LENGTHS = np.random.default_rng(3).random((4, 6)).astype(np.float32)
LENGTHS[-1, :-1] = 0
LABELS = list("abcdef")


def test_each_row_holds_the_shares_of_its_own_lengths():
    shares = error_path_figure(lengths=LENGTHS, labels=LABELS).data[0].z
    np.testing.assert_allclose(shares, LENGTHS / LENGTHS.sum(axis=1, keepdims=True), rtol=1e-5)
    assert shares[-1].tolist() == [0, 0, 0, 0, 0, 1]


def test_of_many_tokens_the_strongest_are_drawn_and_the_others_are_summed():
    lengths = np.ones((3, 100), np.float32)
    lengths[:, [7, 42]] = 50
    fig = error_path_figure(lengths=lengths, labels=[f"t{i}" for i in range(100)])
    shares, names = fig.data[0].z, fig.layout.xaxis.ticktext
    assert shares.shape == (3, MOST_DRAWN)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    assert names[0] == f"{100 - MOST_DRAWN + 1} others"
    assert {"t7", "t42"} < set(names)
    assert names[-1] == "<b>t99</b>"


def test_the_table_has_every_token_at_every_place():
    _, rows = error_path_table(lengths=LENGTHS, labels=LABELS)
    assert len(rows) == LENGTHS.size
    assert rows[5] == ("after block 2", 5, "f", pytest.approx(float(LENGTHS[-1, 5])), 1.0)


def test_labels_of_another_number_are_refused():
    with pytest.raises(FigureError):
        error_path_figure(lengths=LENGTHS, labels=LABELS[:-1])
