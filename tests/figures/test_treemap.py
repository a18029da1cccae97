import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.figures.theme import LIGHT, FigureError
from tokenjourney.figures.treemap import Tile, squarified, treemap_figure

TILES = [
    Tile("W_E", "W_E", 600, 0, "W_E", "20 × 30"),
    Tile("blocks.0.up", "B0 up", 200, 3, "block 0"),
    Tile("blocks.0.norm", "B0 norm", 1, 4, "block 0"),
    Tile("blocks.1.up", "B1 up", 200, 3, "block 1"),
]
KINDS = ["embedding", "positions", "attention", "feed-forward", "norms", "unembedding"]


@given(
    st.lists(st.integers(1, 10**6), min_size=1, max_size=30),
    st.floats(1, 1000),
    st.floats(1, 1000),
)
def test_areas_are_as_the_sizes_and_fill_the_box_without_overlap(sizes, width, height):
    sizes = sorted(sizes, reverse=True)
    boxes = np.array(squarified(sizes, (5, 7, width, height)))
    areas = boxes[:, 2] * boxes[:, 3]
    np.testing.assert_allclose(areas, np.array(sizes) * width * height / sum(sizes), rtol=1e-6)
    assert boxes[:, :2].min() >= 5 - 1e-9
    assert (boxes[:, 0] + boxes[:, 2]).max() <= 5 + width * (1 + 1e-6)
    assert (boxes[:, 1] + boxes[:, 3]).max() <= 7 + height * (1 + 1e-6)
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    for (x, y), size in zip(middles, sizes, strict=True):
        inside = (
            (boxes[:, 0] < x) & (x < boxes[:, 0] + boxes[:, 2])
            & (boxes[:, 1] < y) & (y < boxes[:, 1] + boxes[:, 3])
        )  # fmt: skip
        assert inside.sum() == 1, size


def test_every_tile_is_a_rectangle_that_reports_its_name():
    (bars,) = treemap_figure(TILES, kinds=KINDS).data
    assert [row[0] for row in bars.customdata] == [tile.name for tile in TILES]
    areas = np.array(bars.width) * np.array(bars.y)
    np.testing.assert_allclose(areas / areas[0], [tile.size / 600 for tile in TILES], rtol=1e-6)
    assert bars.hovertext[0] == "<b>W_E</b>  20 × 30<br>600 numbers, 60 % of all"


def test_each_kind_has_its_share_above():
    notes = [note.text for note in treemap_figure(TILES, kinds=KINDS).layout.annotations]
    assert len(notes) == 3
    assert any("feed-forward <b>40 %</b>" in text for text in notes)


def test_the_chosen_tile_is_outlined_and_the_followed_row_has_the_accent():
    rows = [("·dog", 0.25, True), ("·cat", 0.75, False)]
    fig = treemap_figure(TILES, kinds=KINDS, chosen="blocks.1.up", rows=rows, rows_of="W_E")
    colours = [shape.line.color for shape in fig.layout.shapes]
    assert colours.count(LIGHT.accent) == 1
    lines = [shape for shape in fig.layout.shapes if shape.type == "line"]
    bars = fig.data[0]
    assert lines[-1].y0 == pytest.approx(bars.base[0] + 0.75 * bars.y[0])
    outlined = [s for s in fig.layout.shapes if s.type == "rect" and s.line.color == LIGHT.ink]
    assert (outlined[0].x1 - outlined[0].x0) == pytest.approx(bars.width[3])


def test_nothing_to_draw_is_refused():
    with pytest.raises(FigureError):
        treemap_figure([], kinds=KINDS)
