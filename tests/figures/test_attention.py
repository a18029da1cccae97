import base64
import itertools
import re
import struct

import numpy as np
import pytest

from tokenjourney.figures.attention import (
    attention_matrices_figure,
    attention_table,
    matrices_note,
)
from tokenjourney.figures.theme import DARK, LIGHT, FigureError

LABELS = ["The", "·dog", "<b>saw</b>", "·dog"]


def head(tokens: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    dot_products = rng.normal(size=(tokens, tokens)).astype(np.float32) * 9
    scaled = dot_products / np.float32(np.sqrt(32))
    weights = np.exp(np.where(np.tri(tokens) > 0, scaled, -np.inf))
    pattern = weights / weights.sum(axis=1, keepdims=True)
    return {"dot_products": dot_products, "scaled": scaled, "pattern": pattern}


def figure(tokens: int = 4, **changes):
    labels = changes.pop("labels", (LABELS * tokens)[:tokens])
    arguments = {**head(tokens), "d_head": 32, "labels": labels, "followed": tokens - 1, **changes}
    return attention_matrices_figure(**arguments)


def heatmaps(fig):
    return [trace for trace in fig.data if trace.type == "heatmap"]


def cells(fig):
    """Of each of the four matrices what a cell, by query and key, says; and where it lies."""
    (trace,) = (trace for trace in fig.data if trace.name == "cells")
    assert trace.mode == "none"
    parts = np.array_split(np.arange(len(trace.x)), 4)
    places = [tuple(place) for place in trace.customdata.tolist()]
    return [{places[i]: (trace.text[i], trace.x[i], trace.y[i]) for i in part} for part in parts]


def texts(fig):
    return [note.text for note in fig.layout.annotations]


def test_the_four_matrices_are_the_numbers_given():
    given = head(4)
    first, second, masked, pattern = (np.asarray(trace.z) for trace in heatmaps(figure()))
    past = np.tri(4) > 0
    np.testing.assert_array_equal(first, given["dot_products"])
    np.testing.assert_array_equal(second, given["scaled"])
    np.testing.assert_array_equal(masked[past], given["scaled"][past])
    np.testing.assert_array_equal(pattern[past], given["pattern"][past])
    assert np.isnan(masked[~past]).all()
    assert np.isnan(pattern[~past]).all()


def test_shares_run_from_0_to_1_and_scores_equally_far_to_both_sides():
    *signed, shares = heatmaps(figure())
    assert (shares.zmin, shares.zmax) == (0, 1)
    assert all(trace.zmin == -trace.zmax for trace in signed)
    assert [c for _, c in shares.colorscale] == list(LIGHT.seq)
    assert all([c for _, c in trace.colorscale] == list(LIGHT.div) for trace in signed)


def test_panels_are_titled_by_their_step():
    said = texts(figure())
    assert [
        t for t in ("<b>q · k</b>", "<b>÷ √32</b>", "<b>mask</b>", "<b>softmax</b>") if t in said
    ] == ["<b>q · k</b>", "<b>÷ √32</b>", "<b>mask</b>", "<b>softmax</b>"]


def test_few_tokens_have_their_numbers_written_where_they_can_be_read():
    written = [t for t in figure().data if t.name == "cell texts"][-1]
    pattern = head(4)["pattern"]
    start = figure().layout.meta["starts"][3]
    places = [(round(x - start), y) for x, y in zip(written.x, written.y, strict=True)]
    assert sorted(places) == [(key, query) for key in range(4) for query in range(key, 4)]
    for (key, query), text, ink in zip(places, written.text, written.textfont.color, strict=True):
        share = pattern[query, key]
        assert text == f"{share:.2f}"
        if not 0.4 < share <= 0.7:
            assert ink == (LIGHT.bg if share > 0.7 else LIGHT.ink)


def test_a_click_on_a_cell_tells_key_and_query():
    fig = figure()
    for found, start in zip(cells(fig), fig.layout.meta["starts"], strict=True):
        assert sorted(found) == [(q, k) for q in range(4) for k in range(4)]
        for (query, key), (_, x, y) in found.items():
            assert (x, y) == (pytest.approx(start + key, rel=1e-6), query)


def test_hover_says_in_words_who_looks_at_whom():
    dots, _, mask, share = cells(figure(13))
    assert share[0, 0][0] == "“The₀” looks at “The₀” with 1.00"
    assert share[1, 11][0] == mask[1, 11][0] == "“·dog₁₁” comes after “·dog₁”: excluded"
    assert re.fullmatch("“·dog₁” asks, “·dog₁₁” answers: q · k = −?[\\d.]+", dots[1, 11][0])


def test_followed_row_has_one_accent_outline_in_all_four_and_its_strongest_cell_one_in_ink():
    fig = figure(followed=2)
    strongest = int(head(4)["pattern"][2, :3].argmax())
    rows = [s for s in fig.layout.shapes if s.line.color == LIGHT.accent]
    marks = [s for s in fig.layout.shapes if s.line.color == LIGHT.ink]
    starts = fig.layout.meta["starts"]
    assert [(s.x0, s.x1, s.y0, s.y1) for s in rows] == [
        (start - 0.5, start + 3.5, 1.5, 2.5) for start in starts
    ]
    assert [(s.x0, s.y0) for s in marks] == [(start + strongest - 0.5, 1.5) for start in starts]
    assert all(b - a > 4 for a, b in itertools.pairwise(starts))


def test_a_tag_in_the_prompt_is_shown_as_text():
    fig = figure()
    assert "&lt;b&gt;saw&lt;/b&gt;" in fig.layout.yaxis.ticktext
    assert "<b>saw" not in fig.to_json()


def test_a_word_that_occurs_twice_is_told_apart_by_its_position():
    assert {"·dog₁", "·dog₃"} <= set(figure().layout.yaxis.ticktext)


def test_a_long_prompt_becomes_pictures_and_keeps_its_height():
    fig = figure(100)
    assert (
        sum(
            image.source.startswith("data:image/png") and image.xref != "paper"
            for image in fig.layout.images
        )
        == 4
    )
    assert fig.layout.height == figure(64).layout.height
    assert len(fig.to_json()) < 1_000_000


def test_between_them_hover_knows_every_cell_and_clicks_the_row_the_column_the_diagonal():
    fig = figure(40, followed=30, marked=7)
    shares, points = heatmaps(fig)[3], cells(fig)[3]
    assert shares.hovertemplate == "“%{y}” looks at “%{customdata}” with %{text}<extra></extra>"
    said = f"“{fig.layout.yaxis.ticktext[30]}” looks at “{shares.customdata[30][7]}” with "
    assert points[30, 7][0] == said + shares.text[30][7]
    assert set(points) == {(q, k) for q in range(40) for k in range(40) if q == 30 or k in (7, q)}


def test_one_token_is_enough():
    assert np.asarray(heatmaps(figure(1))[3].z).tolist() == [[1.0]]


def test_dark_is_drawn_in_the_colours_of_dark():
    fig = figure(theme="dark")
    assert [c for _, c in heatmaps(fig)[3].colorscale] == list(DARK.seq)
    assert LIGHT.accent not in fig.to_json()


def test_arrays_given_are_left_alone():
    given = head(4)
    for array in given.values():
        array.setflags(write=False)
    before = {name: array.copy() for name, array in given.items()}
    figure(**given)
    assert all(np.array_equal(before[name], given[name]) for name in given)


@pytest.mark.parametrize("changes", [{"followed": 4}, {"marked": -1}, {"labels": ["one"]}])
def test_what_does_not_fit_is_refused(changes):
    with pytest.raises(FigureError):
        figure(**changes)


def test_the_table_has_a_row_for_every_query_and_key():
    columns, rows = attention_table(**head(4), labels=LABELS)
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    assert len(table) == 16
    assert table[1]["masked"] is True
    assert table[4]["query"] == "·dog₁"
    assert sum(row["share"] for row in table if row["query position"] == 3) == pytest.approx(1)


def test_a_very_large_matrix_is_drawn_as_means_of_cells_and_says_so():
    tokens = 600
    values = np.random.default_rng(0).normal(size=(tokens, tokens)).astype(np.float32)
    figure = attention_matrices_figure(
        dot_products=values, scaled=values, pattern=np.tri(tokens) / tokens, d_head=4,
        labels=["a"] * tokens, followed=tokens - 1,
    )  # fmt: skip
    pictures = [image for image in figure.layout.images if image.sizex == tokens]
    assert len(pictures) == 4
    header = base64.b64decode(pictures[0].source.partition(",")[2])[16:24]
    assert max(struct.unpack(">II", header)) <= 600 // 2
    assert "2 × 2" in matrices_note(tokens)
    assert matrices_note(48) == ""
