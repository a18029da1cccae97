import numpy as np
import pytest

from tokenjourney.figures.bars import bars_figure, pushes_figure
from tokenjourney.figures.theme import LIGHT, FigureError


def test_bars_stand_in_the_order_given_with_their_number():
    fig = bars_figure(labels=["a", "<i>"], values=[0.5, 0.25], axis="cosine similarity")
    np.testing.assert_array_equal(fig.data[0].x, np.float32([0.5, 0.25]))
    assert [n.text for n in fig.layout.annotations] == ["a", "0.50", "&lt;i&gt;", "0.25"]
    assert fig.data[0].hovertext[1] == "“&lt;i&gt;”: 0.25"
    assert fig.layout.xaxis.title.text == "cosine similarity"


def test_shares_are_written_in_percent_and_the_highlighted_row_has_the_accent():
    fig = bars_figure(
        labels=["a", "b"],
        values=[0.5, 0.084],
        axis="share",
        as_share=True,
        highlight=[1],
        click=[7, 9],
    )
    assert "<b>8.4 %</b>" in [n.text for n in fig.layout.annotations]
    assert list(fig.data[0].marker.color) == [LIGHT.quantity, LIGHT.accent]
    assert np.asarray(fig.data[0].customdata).tolist() == [[7], [9]]


def test_what_stands_out_without_being_followed_is_bold_with_an_outline_in_ink():
    fig = bars_figure(labels=["loaded", "other"], values=[1, 2], axis="size", strong=[0])
    assert list(fig.data[0].marker.color) == [LIGHT.quantity] * 2
    assert list(fig.data[0].marker.line.width) == [2, 0]
    assert fig.data[0].marker.line.color == LIGHT.ink
    texts = [n.text for n in fig.layout.annotations]
    assert [text.startswith("<b>") for text in texts] == [True, True, False, False]
    assert LIGHT.accent not in str(fig.layout.annotations)


def test_a_second_quantity_is_a_mark_across_the_bar():
    fig = bars_figure(labels=["a", "b"], values=[0.5, 0.2], axis="share", marks=[0.1, np.nan])
    np.testing.assert_array_equal(fig.data[1].x, np.float32([0.1, np.nan]))
    assert fig.data[1].hovertext == fig.data[0].hovertext


def test_pushes_up_and_down_stand_apart_on_one_scale_with_their_signs():
    fig = pushes_figure(
        promoted_labels=["up"],
        promoted=[2.5],
        suppressed_labels=["down", "<b>"],
        suppressed=[-1.5, -1.0],
        by="Head 5",
    )
    assert fig.data[0].hovertext == ("Head 5 pushes “up” up by +2.50",)
    assert fig.data[1].hovertext[1] == "Head 5 pushes “&lt;b&gt;” down by −1.00"
    assert fig.layout.xaxis.range == fig.layout.xaxis2.range
    assert {"+2.50", "−1.50"} <= {n.text for n in fig.layout.annotations}


def test_labels_and_values_must_be_as_many():
    with pytest.raises(FigureError, match="labels has 1, values has 2"):
        bars_figure(labels=["a"], values=[1, 2], axis="")


def test_both_halves_are_written_with_the_digits_that_the_weaker_one_needs():
    fig = pushes_figure(promoted_labels=["a"], promoted=[0.99], suppressed_labels=["b"],
                        suppressed=[-0.0031])  # fmt: skip
    assert fig.data[0].hovertext == ("This pushes “a” up by +0.9900",)
    assert fig.data[1].hovertext == ("This pushes “b” down by −0.0031",)
