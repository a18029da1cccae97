"""The walk through a block, LayerNorm and GELU are drawn from the vectors they are given."""

import itertools

import numpy as np
import pytest

from tokenjourney.figures.block import StepRow, steps_figure, steps_table
from tokenjourney.figures.feed_forward import gelu_figure, gelu_table
from tokenjourney.figures.layer_norm import layer_norm_figure, layer_norm_table
from tokenjourney.figures.theme import LIGHT, FigureError

RNG = np.random.default_rng(0)
ROWS = [
    StepRow("comes in", "from before", RNG.normal(size=192).astype(np.float32)),
    StepRow("attention adds", "a little", 0.1 * RNG.normal(size=192), "added"),
    StepRow("goes on", "the sum", RNG.normal(size=192)),
]


def named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_every_step_has_its_strip_and_its_length():
    figure = steps_figure(rows=ROWS)
    for row in ROWS:
        strip = np.asarray(named(figure, row.name).z)
        assert strip.shape == (4, 48)
        np.testing.assert_allclose(strip.ravel(), row.values, rtol=1e-6)
    lengths = [np.linalg.norm(row.values) for row in ROWS]
    assert list(named(figure, "length").x) == pytest.approx(lengths)
    assert list(named(figure, "length").marker.color) == [
        LIGHT.accent, LIGHT.quantity, LIGHT.accent,
    ]  # fmt: skip


def test_a_step_explains_a_cell_by_its_dimension():
    strip = named(steps_figure(rows=ROWS), "attention adds")
    assert strip.text[1][0].startswith("48 of 192: ")
    assert list(strip.meta) == ["attention adds"]


def test_where_something_is_added_the_stream_has_a_plus():
    texts = [note.text for note in steps_figure(rows=ROWS).layout.annotations]
    assert texts.count("<b>+</b>") == 1
    unjoined = steps_figure(rows=ROWS, joined=False).layout.annotations
    assert "<b>+</b>" not in [note.text for note in unjoined]


def test_what_is_still_to_come_is_faint_and_the_reached_step_has_a_ground():
    figure = steps_figure(rows=ROWS, at=1)
    faint = [named(figure, row.name).opacity < 0.5 for row in ROWS]
    assert faint == [False, False, True]
    assert [o < 0.5 for o in named(figure, "length").marker.opacity] == faint
    assert LIGHT.accent_soft in [shape.fillcolor for shape in figure.layout.shapes]
    whole = steps_figure(rows=ROWS)
    assert all(named(whole, row.name).opacity == 1 for row in ROWS)


def test_a_step_that_changes_nothing_is_a_line_of_text():
    rows = [*ROWS[:2], StepRow("dropout", "all pass", ROWS[1].values, "passes"), ROWS[2]]
    figure = steps_figure(rows=rows)
    assert "dropout" not in [trace.name for trace in figure.data]
    assert len(named(figure, "length").x) == 3
    texts = [note.text for note in figure.layout.annotations]
    assert "all pass" in texts
    assert texts.count("<b>+</b>") == 1  # what attention adds is still added after it
    assert len(steps_table(rows)[1]) == 4


def test_strips_share_a_scale_or_have_their_own():
    shared = {t.zmax for t in steps_figure(rows=ROWS).data if t.type == "heatmap"}
    own = {t.zmax for t in steps_figure(rows=ROWS, one_scale=False).data if t.type == "heatmap"}
    assert len(shared) == 1
    assert len(own) == 3


def test_zeroed_numbers_are_left_empty_and_do_not_count_as_length():
    values = np.array([3.0, np.nan, 4.0], np.float32)
    figure = steps_figure(rows=[StepRow("masked", "", values, "added")])
    assert list(named(figure, "length").x) == [5.0]
    assert "1 of 3: zeroed" in str(named(figure, "masked").text)


def test_vectors_of_any_width_are_drawn_whole():
    rows = [StepRow(str(n), "", np.ones(n)) for n in (1, 50, 768, 3072)]
    for trace, n in zip(steps_figure(rows=rows, lengths=False).data, (1, 50, 768, 3072),
                        strict=True):  # fmt: skip
        assert np.isfinite(np.asarray(trace.z, float)).sum() == n


def test_nothing_to_draw_is_refused():
    with pytest.raises(FigureError, match="at least one"):
        steps_figure(rows=[])


def test_the_table_says_length_mean_and_variance():
    columns, rows = steps_table([StepRow("x", "", [1.0, 3.0])])
    found = dict(zip(columns, rows[0], strict=True))
    assert found["mean"] == 2.0
    assert found["variance"] == 1.0
    assert found["length"] == pytest.approx(np.sqrt(10))


def test_each_histogram_counts_every_dimension():
    x = ROWS[0].values
    figure = layer_norm_figure(before=x, standardised=x, after=2 * np.asarray(x))
    for name in ("before", "standardised", "after gain and bias"):
        assert sum(named(figure, name).y) == 192
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert "variance" in texts
    assert len(layer_norm_table(before=x, standardised=x, after=x)[1]) == 192


def test_a_constant_vector_has_a_histogram_too():
    figure = layer_norm_figure(before=np.ones(8), standardised=np.zeros(8), after=np.zeros(8))
    assert sum(named(figure, "before").y) == 8


def gelu(**changes):
    x = np.linspace(-4, 4, 50)
    pre = np.array([-1.0, 0.5, 3.0], np.float32)
    values = {"curve": (x, np.maximum(x, 0)), "pre": pre, "post": np.maximum(pre, 0)} | changes
    return gelu_figure(**values)


def test_every_neuron_is_a_point_that_knows_its_number():
    points = named(gelu(), "neurons")
    for x, y, custom in zip(points.x, points.y, points.customdata, strict=True):
        assert y == max(x, 0)
        assert x == [-1.0, 0.5, 3.0][custom[0]]
    assert sum(named(gelu(), "how many").y) == 3


def test_many_neurons_at_one_spot_are_one_mark_that_covers_more_and_all_answer():
    pre = np.array([-3.0] * 50 + [-2.0, 1.0, 2.0], np.float32)
    figure = gelu(pre=pre, post=np.maximum(pre, 0))
    marks, points = named(figure, "marks"), named(figure, "neurons")
    covers = {
        x: float(colour.rpartition(",")[2][:-1])
        for x, colour in zip(marks.x, marks.marker.color, strict=True)
    }
    assert covers == pytest.approx({-3.0: 1 - 0.55**4, -2.0: 0.45, 1.0: 0.45, 2.0: 0.45}, abs=1e-3)
    assert sorted(row[0] for row in points.customdata) == list(range(53))
    assert points.mode == "none"
    assert marks.hoverinfo == "skip"


def test_the_chosen_neuron_has_a_ring_and_the_strongest_their_names():
    figure = gelu(strongest=[2], chosen=1)
    assert list(named(figure, "chosen").x) == [0.5]
    assert [note.text for note in figure.layout.annotations] == ["2"]


def test_the_names_of_neurons_that_fire_alike_do_not_touch():
    pre = np.array([2.0, 2.0, 1.99, -1.0], np.float32)
    notes = gelu(pre=pre, post=np.maximum(pre, 0), strongest=[0, 1, 2]).layout.annotations
    shifts = sorted(note.yshift for note in notes)
    assert min(b - a for a, b in itertools.pairwise(shifts)) >= 11


def test_a_neuron_that_is_not_there_is_refused():
    with pytest.raises(FigureError, match="0 to 2"):
        gelu(chosen=3)
    assert gelu_table(pre=[1.0], post=[0.5]) == (
        ["neuron", "before GELU", "after GELU"], [(0, 1.0, 0.5)],
    )  # fmt: skip
