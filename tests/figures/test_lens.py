import numpy as np
import pytest

from tokenjourney.figures.lens import lens_figure, lens_table
from tokenjourney.figures.theme import FigureError

LABELS = ["The", "·dog", "·dog"]
GUESSES = [["a", "b", "<b>"], ["c", "b", "d"], ["e", "b", "f"]]
SHARES = np.float32([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]])


def lens(**changes):
    given = {"guesses": GUESSES, "probabilities": SHARES, "labels": LABELS, "followed": 2}
    return lens_figure(**given | changes)


def test_the_lens_has_a_row_per_token_and_a_column_per_depth():
    fig = lens()
    np.testing.assert_array_equal(fig.data[0].z, SHARES.T)
    assert (fig.data[0].zmin, fig.data[0].zmax) == (0, 1)
    assert list(fig.layout.xaxis.ticktext) == ["embedding", "0", "1"]


def test_hover_and_click_of_the_lens_say_where():
    cells = lens().data[-1]
    index = list(zip(cells.x, cells.y, strict=True)).index((0, 2))
    assert cells.text[index] == "before block 0, “·dog₂”: best guess “&lt;b&gt;” with 30 %"
    index = list(zip(cells.x, cells.y, strict=True)).index((2, 0))
    assert cells.text[index] == "after block 1, “The”: best guess “e” with 70 %"


def test_a_guess_is_bold_once_it_is_the_last_one():
    (texts,) = [t for t in lens().data if t.name == "cell texts"]
    rows = [["a", "c", "<b>e</b>"], ["<b>b</b>"] * 3, ["&lt;b&gt;", "d", "<b>f</b>"]]
    found = zip(texts.x, texts.y, texts.text, strict=True)
    assert {(x, y): text for x, y, text in found} == {
        (x, y): text for y, row in enumerate(rows) for x, text in enumerate(row)
    }


@pytest.mark.parametrize(("blocks", "first"), [(6, "embedding"), (24, "emb."), (48, "emb.")])
def test_many_blocks_leave_the_first_column_a_short_name(blocks, first):
    fig = lens(guesses=[["a"] * 3] * (blocks + 1), probabilities=np.full((blocks + 1, 3), 0.5))
    assert fig.layout.xaxis.ticktext[0] == first


@pytest.mark.parametrize("blocks", [6, 48])
def test_the_caption_says_that_guesses_stand_in_the_cells_only_where_they_do(blocks):
    fig = lens(guesses=[["a"] * 3] * (blocks + 1), probabilities=np.full((blocks + 1, 3), 0.5))
    written = "cell texts" in [trace.name for trace in fig.data]
    assert written == (blocks == 6)
    assert fig.layout.meta["caption"].startswith("In each cell") == written


def test_guesses_must_fit_their_probabilities():
    with pytest.raises(FigureError):
        lens(labels=LABELS[:2])
    with pytest.raises(FigureError):
        lens(guesses=GUESSES[:2])


def test_the_lens_table_names_every_guess():
    columns, rows = lens_table(guesses=GUESSES, probabilities=SHARES, labels=LABELS)
    assert columns == ["position", "token", "where", "best guess", "probability"]
    assert rows[1][:4] == (0, "The", "after block 0", "c")
    assert len(rows) == 9


def test_the_lens_table_counts_positions_from_where_its_rows_begin():
    _, rows = lens_table(guesses=GUESSES, probabilities=SHARES, labels=LABELS, first=40)
    assert [row[0] for row in rows[::3]] == [40, 41, 42]
