"""The figures of the pages beyond GPT-2 draw what they are given, and refuse what does not fit."""

import numpy as np
import pytest

from tokenjourney.figures.experts import bulbs_figure, bulbs_table, loads_figure
from tokenjourney.figures.latent import latent_figure, latent_table
from tokenjourney.figures.theme import FigureError

LABELS = ["a", "<b>", "·c"]
GATES = np.array([[[0.5, 0, 0.5], [0, 1, 0], [0, 0.2, 0.8]]] * 2, np.float32)
PARTS = [
    ("latent", "2", np.arange(6).reshape(3, 2), True),
    ("keys", "4", np.ones((3, 4)), False),
]


def test_bulbs_stand_where_an_expert_was_chosen():
    figure = bulbs_figure(gates=GATES, labels=LABELS, followed=1, theme="dark")
    dark, lit, experts = figure.data
    assert len(lit.x) == np.count_nonzero(GATES)
    assert len(dark.x) + len(lit.x) == GATES.size
    assert max(lit.x) < 2 * (3 + 1.5)
    assert {*zip(experts.x, experts.y, strict=True)} == {
        *zip([*dark.x, *lit.x], [*dark.y, *lit.y], strict=True)
    }
    said = {
        (x, y): words for x, y, words in zip(experts.x, experts.y, experts.hovertext, strict=True)
    }
    assert all("gate" in said[place] for place in zip(lit.x, lit.y, strict=True))
    assert all("not chosen" in said[place] for place in zip(dark.x, dark.y, strict=True))
    assert any("&lt;b&gt;" in words for words in said.values())
    assert len(bulbs_table(gates=GATES, labels=LABELS)[1]) == len(lit.x)


def test_a_shared_expert_stands_beside_the_others_of_its_block():
    figure = bulbs_figure(gates=GATES, labels=LABELS, followed=1, shared=np.ones((2, 3)))
    dark, lit, shared, experts = figure.data
    assert len(shared.x) == 2 * 3
    assert list(experts.x[-6:]) == list(shared.x)
    assert "shared expert writes 1" in experts.hovertext[-1]
    assert not {*dark.x, *lit.x} & {*shared.x}
    assert max([*dark.x[:4], *lit.x[:4]]) < max(shared.x) < figure.layout.xaxis.range[1]


def test_of_many_tokens_a_window_is_drawn():
    figure = bulbs_figure(gates=np.ones((1, 200, 2)), labels=["x"] * 200, followed=150)
    assert {row[0] for row in figure.data[-1].customdata} == set(range(120, 180))
    assert "Tokens 120–179 of 200" in figure.layout.meta["caption"]


def test_loads_have_a_bar_with_the_bias_and_a_mark_without():
    bars, marks = loads_figure(balanced=[1, 1.1], unbalanced=[0.5, 1.6], axis="load").data
    assert list(bars.y) == [1, 1.1]
    assert list(marks.y) == [0.5, 1.6]
    assert "1.60 without the bias" in bars.hovertext[1]


def test_what_is_rebuilt_is_dimmer_and_narrower_than_what_is_kept():
    fig = latent_figure(parts=PARTS, labels=LABELS, followed=0)
    kept, rebuilt = fig.data
    for trace in fig.data:  # a sentence for every number would be megabytes in a long prompt
        assert trace.hovertemplate.startswith("“%{y}”, ")
        assert trace.customdata[1].tolist() == list(range(np.asarray(trace.z).shape[1]))
    assert len(fig.layout.yaxis.ticktext) == len(LABELS)
    assert kept.opacity == 1 > rebuilt.opacity
    assert kept.x[1] - kept.x[0] > rebuilt.x[1] - rebuilt.x[0]
    assert kept.x[-1] < rebuilt.x[0]
    assert len(latent_table(parts=PARTS, labels=LABELS)[1]) == 3 * 6


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(FigureError):
        bulbs_figure(gates=GATES, labels=LABELS[:2], followed=0)
    with pytest.raises(FigureError):
        latent_figure(parts=PARTS, labels=LABELS[:2], followed=0)
