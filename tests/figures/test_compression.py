import numpy as np
import pytest

from tokenjourney.figures.compression import compression_figure, compression_table
from tokenjourney.figures.theme import LIGHT, FigureError

RATIOS = np.array([1.0, 0.8, 0.5], np.float32)


def test_the_curve_is_the_ratios_and_the_step_has_the_accent():
    curve, mark = compression_figure(ratios=RATIOS, step=1).data
    np.testing.assert_allclose(curve.y, RATIOS)
    assert (list(mark.x), list(mark.y)) == ([1], [pytest.approx(0.8)])
    assert mark.marker.color == LIGHT.accent
    assert curve.hovertext[2] == (
        "the text after merge 2: 0.500 tokens per character, 2.00 characters per token"
    )


def test_another_vocabulary_is_a_level():
    fig = compression_figure(ratios=RATIOS, step=0, reference=0.25, reference_name="GPT-2")
    assert [shape.y0 for shape in fig.layout.shapes] == [0.25]
    assert any(note.text == "╌ GPT-2: 0.25" for note in fig.layout.annotations)
    assert compression_figure(ratios=RATIOS, step=0).layout.shapes == ()


def test_what_is_said_stands_above_the_curves_line_by_line():
    fig = compression_figure(ratios=RATIOS, step=1, other=RATIOS, reference=0.9)
    notes = fig.layout.annotations
    assert {(note.xref, note.yref, note.y) for note in notes} == {("paper", "paper", 1)}
    heights = [note.yshift for note in notes]
    assert len(notes) == 3
    assert min(heights) >= 0
    assert (np.diff(heights) <= -18).all()
    assert max(heights) + 18 <= fig.layout.margin.t


def test_few_merges_are_counted_in_whole_steps():
    assert compression_figure(ratios=RATIOS, step=1).layout.xaxis.dtick == 1


def test_a_text_from_which_nothing_was_learned_is_one_point():
    assert list(compression_figure(ratios=[1.0], step=0).data[0].x) == [0]


def test_a_step_that_is_not_there_is_refused():
    with pytest.raises(FigureError, match="0 to 2"):
        compression_figure(ratios=RATIOS, step=3)


def test_other_words_have_a_curve_of_their_own():
    fig = compression_figure(ratios=RATIOS, step=1, other=[1, 1, 0.75], names=("text", "words <b>"))
    assert [trace.name for trace in fig.data] == ["words &lt;b&gt;", "text", "looked at"]
    np.testing.assert_allclose(fig.data[0].y, [1, 1, 0.75])
    assert compression_table(RATIOS, [1, 1, 0.75])[1][2] == (2, 0.5, 0.75)
    with pytest.raises(FigureError):
        compression_figure(ratios=RATIOS, step=1, other=[1, 1])
