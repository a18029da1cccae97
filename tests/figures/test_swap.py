import numpy as np
import pytest

from tokenjourney.figures.swap import swap_figure, swap_table
from tokenjourney.figures.theme import LIGHT, FigureError

STATIONS = ["token", "sum", "block 0"]


def given(tokens: int = 4):
    order = [0, *range(tokens - 1, 0, -1)]
    cosines = np.linspace(0.5, 1, tokens * 3, dtype=np.float32).reshape(tokens, 3)
    labels = (["The", "·dog", "<u>", "·cat"] * tokens)[:tokens]
    return {"order": order, "labels": labels, "stations": STATIONS}, cosines


def figure(tokens: int = 4, **changes):
    arguments, cosines = given(tokens)
    return swap_figure(cosines, **{**arguments, "followed": 1} | changes)


def named(fig, name):
    return next(trace for trace in fig.data if trace.name == name)


def test_the_cosines_are_written_into_their_cells_wherever_the_window_begins():
    fig = figure(30)
    texts, cells = named(fig, "cell texts"), named(fig, "cosines")
    places = {(x, y): text for x, y, text in zip(texts.x, texts.y, texts.text, strict=True)}
    for row, y in enumerate(cells.y):
        for column in range(3):
            assert places[column, y] == cells.text[row][column]


def test_rows_stand_in_the_new_order_and_cells_are_the_cosines_given():
    fig = figure()
    cells = named(fig, "cosines")
    np.testing.assert_array_equal(cells.z, given()[1])
    assert list(fig.layout.yaxis2.ticktext) == ["The", "·cat", "&lt;u&gt;", "·dog"]
    assert (cells.zmin, cells.zmax) == (0, 1)


def test_each_token_has_a_line_from_its_old_to_its_new_place_the_followed_in_the_accent():
    curves = {}
    for name, colour in (
        ("stays", LIGHT.track), ("moved", LIGHT.curve), ("followed", LIGHT.accent)
    ):  # fmt: skip
        trace = named(figure(), name)
        assert trace.line.color == colour
        ends = np.flatnonzero(np.isnan(trace.y))
        starts = [0, *(ends[:-1] + 1)]
        curves[name] = {(round(trace.y[a]), round(trace.y[b - 1]))
                        for a, b in zip(starts, ends, strict=True)}  # fmt: skip
        assert trace.text[starts[-1]] == trace.text[ends[-1] - 1]
    assert curves == {"stays": {(0, 0), (2, 2)}, "moved": {(3, 1)}, "followed": {(1, 3)}}
    assert named(figure(), "followed").text[0] == "“·dog”: place 1, now 3"


def test_what_did_not_change_at_all_is_told_from_what_rounds_to_one():
    arguments, cosines = given()
    cosines[0], cosines[1] = 1, 0.9996
    texts = named(swap_figure(cosines, **arguments, followed=0), "cosines").text
    assert list(texts[0]) == ["="] * 3
    assert list(texts[1]) == ["1.00"] * 3


def test_a_long_prompt_is_cut_to_a_window_that_says_so():
    fig = figure(100)
    assert len(named(fig, "cosines").z) == 40
    assert "of 100" in fig.layout.meta["caption"]


def test_a_token_that_left_the_window_is_named_at_its_old_place_with_where_it_went():
    arguments, cosines = given(100)
    order = [0, 99, *range(2, 99), 1]
    fig = swap_figure(cosines, **arguments | {"order": order}, followed=0)
    said = [note.text for note in fig.layout.annotations]
    assert any(text.endswith("→ 99") for text in said)
    assert any(text.endswith("from 99") for text in said)


def test_many_stations_are_named_by_number_under_one_title():
    arguments, _ = given()
    names = ["token", "sum", *(f"block {i}" for i in range(12))]
    fig = swap_figure(np.ones((4, 14)), **arguments | {"stations": names}, followed=0)
    assert list(fig.layout.xaxis2.ticktext) == ["token", "sum", *map(str, range(12))]
    assert "after block" in [note.text for note in fig.layout.annotations]


@pytest.mark.parametrize("changes", [{"order": [0, 1, 1, 2]}, {"stations": ["one"]}])
def test_what_does_not_fit_is_refused(changes):
    with pytest.raises(FigureError):
        figure(**changes)


def test_the_table_says_where_each_token_was():
    arguments, cosines = given()
    columns, rows = swap_table(cosines, **arguments)
    assert columns == ["new place", "old place", "token", *STATIONS]
    assert rows[1][:3] == (1, 3, "·cat")
