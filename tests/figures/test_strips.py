import itertools

import numpy as np
import pytest

from tokenjourney.figures.strips import strips_figure, strips_table, window
from tokenjourney.figures.theme import LIGHT, FigureError

LABELS = ["The", "·dog", "·chased", "·dog"]


def vectors(tokens=4, dimensions=192, seed=0):
    return np.random.default_rng(seed).normal(size=(tokens, dimensions)).astype(np.float32)


def figure(tokens=4, dimensions=192, **changes):
    first, second = vectors(tokens, dimensions), vectors(tokens, dimensions, 1)
    given = {
        "columns": [("Token", "a", first), ("Position", "b", second), ("Sum", "c", first + second)],
        "labels": (LABELS * tokens)[:tokens],
        "followed": 1,
    }
    return strips_figure(**given | changes)


@pytest.mark.parametrize(
    ("dimensions", "lines", "gap", "wide"), [(192, 4, 1, 48), (768, 8, 2, 96), (100, 3, 1, 34)]
)
def test_every_number_of_every_vector_is_there_in_reading_order(dimensions, lines, gap, wide):
    column = figure(dimensions=dimensions).data[0]
    cells = np.asarray(column.z).reshape(4, lines + gap, wide)
    for strip, expected in zip(cells, vectors(dimensions=dimensions), strict=True):
        np.testing.assert_array_equal(strip[:lines].ravel()[:dimensions], expected)
        assert np.isnan(strip[lines:]).all()
    assert np.ptp(np.diff(column.y)) < 1e-9  # so that the browser draws it as one picture


def test_a_strip_of_one_line_is_three_times_as_thick_as_its_gap():
    cells = np.asarray(figure(lines=1).data[0].z).reshape(4, 4, 192)
    np.testing.assert_array_equal(cells[:, :3], np.stack([vectors()] * 3, axis=1))
    assert np.isnan(cells[:, 3]).all()


def test_hover_names_token_dimension_and_number():
    strip = figure().data[0]
    assert strip.hovertemplate.startswith("“%{y}”, dimension %{customdata} of 192: %{z}")
    assert strip.customdata[1][8] == 56
    assert strip.z[1][8] == vectors()[0, 56]
    assert strip.zhoverformat == ".3f"


def test_strips_that_are_compared_share_one_scale_around_zero():
    fig = figure()
    assert len({trace.zmax for trace in fig.data}) == 1
    assert all(trace.zmin == -trace.zmax for trace in fig.data)
    ends = [n.text for n in fig.layout.annotations if n.name == "colour bar"]
    assert ends[0].replace("−", "+") == ends[2]
    assert ends[1] == "0"


def test_the_followed_row_is_outlined_in_every_column_and_its_chip_filled():
    shapes = figure().layout.shapes
    outlines = [s for s in shapes if s.line.color == LIGHT.accent and s.fillcolor is None]
    columns = figure().data
    for outline, column in zip(outlines, columns, strict=True):
        assert (outline.x0, outline.x1) == (column.x[0], column.x[-1])
        assert outline.y0 <= column.y[5] < column.y[9] <= outline.y1  # four lines and a gap each
    assert len([s for s in shapes if s.fillcolor == LIGHT.accent]) == 1


def test_the_middle_of_every_line_of_every_strip_names_its_token():
    fig = figure()
    ticks = dict(zip(fig.layout.yaxis.tickvals, fig.layout.yaxis.ticktext, strict=True))
    edges = np.asarray(fig.data[0].y)
    middles = (edges[:-1] + edges[1:]) / 2
    for line, middle in enumerate(middles):
        if line % 5 < 4:
            near = min(ticks, key=lambda tick: abs(tick - middle))
            assert abs(near - middle) < 1e-9
            assert ticks[near].split("₁")[0].split("₃")[0] == LABELS[line // 5]


def test_a_long_prompt_shows_a_window_around_the_followed_token_and_says_so():
    fig = figure(tokens=200, followed=150)
    assert window(200, 150) == (120, 180)
    assert fig.layout.meta["caption"].endswith("Tokens 120–179 of 200.")
    shown = [text.split("₁")[0] for text in fig.layout.yaxis.ticktext[::5]]
    assert shown == (LABELS * 200)[120:180]


def test_very_many_numbers_become_pictures_that_still_name_each_strip():
    fig = figure(60, 768)
    assert not [t for t in fig.data if t.type == "heatmap"]
    pictures = [i for i in fig.layout.images if i.xref != "paper"]
    assert [i.sizey for i in pictures] == [fig.layout.yaxis.range[0]] * 3
    assert all(a.x + a.sizex < b.x for a, b in itertools.pairwise(pictures))
    row = vectors(60, 768)[0]
    strongest = ", ".join(str(d) for d in sorted(np.argsort(-np.abs(row))[:3]))
    assert fig.data[0].text[0] == (
        f"length {np.linalg.norm(row):.2f}, strongest dimensions {strongest}"
    )
    assert len(fig.to_json()) < 1_000_000


def test_rows_and_labels_must_fit():
    with pytest.raises(FigureError, match="4 rows, but there are 2 labels"):
        figure(labels=["a", "b"])


def test_the_table_has_each_number_once_per_column():
    columns, rows = strips_table(columns=[("Token", "", vectors())], labels=LABELS)
    assert columns == ["position", "token", "dimension", "Token"]
    assert len(rows) == 4 * 192
    assert rows[192][:3] == (1, "·dog₁", 0)
    assert rows[192][3] == vectors()[1, 0]


@pytest.mark.parametrize("tokens", [25, 40, 61, 1024])
def test_a_window_that_leaps_stays_for_neighbours_and_has_tokens_on_both_sides(tokens):
    starts = []
    for followed in range(tokens):
        start, end = window(tokens, followed, 24, leap=12)
        assert end - start == 24
        assert max(0, followed - 6) >= start >= 0
        assert min(tokens, followed + 6) <= end <= tokens
        starts.append(start)
    assert len(set(starts)) <= tokens // 12
