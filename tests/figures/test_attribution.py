import numpy as np
import pytest

from tokenjourney.figures.attribution import attribution_figure, attribution_table
from tokenjourney.figures.text import signed
from tokenjourney.figures.theme import LIGHT, FigureError


def parts(blocks=3, heads=4):
    rng = np.random.default_rng(1)
    found = {
        "embedding": 0.5,
        "position": -0.25,
        "heads": rng.normal(size=(blocks, heads)).astype(np.float32),
        "attention_bias": rng.normal(size=blocks).astype(np.float32),
        "mlp": rng.normal(size=blocks).astype(np.float32),
        "final_bias": 0.1,
    }
    return found | {"total": float(sum(np.sum(values) for values in found.values()))}


def figure(given=None, **more):
    return attribution_figure(**(given or parts()), what="logit of ·girl", **more)


def trace(fig, name):
    return next(t for t in fig.data if t.name == name)


def test_each_bar_begins_where_the_last_one_ended_and_they_end_at_the_total():
    given = parts()
    bars = trace(figure(given), "pushes")
    starts = np.array(bars.base, dtype=float)
    ends = starts + np.array(bars.x, dtype=float)
    np.testing.assert_allclose(starts[1:], ends[:-1], atol=1e-6)
    assert starts[0] == 0
    assert ends[-1] == pytest.approx(given["total"], abs=1e-5)


def test_up_and_down_have_their_colours_and_their_signs():
    bars = trace(figure(), "pushes")
    for push, colour, said in zip(bars.x, bars.marker.color, bars.hovertext, strict=True):
        assert colour == (LIGHT.up if push >= 0 else LIGHT.down)
        assert ("+" if push >= 0 else "−") in said


def test_pushes_are_written_where_a_cell_has_room_for_them():
    given = parts(heads=6)
    texts = trace(figure(given, off={(1, 2), (0, None)}), "cell texts")
    written = {(y, x): text for x, y, text in zip(texts.x, texts.y, texts.text, strict=True)}
    assert len(written) == 3 * (6 + 2) - 2
    for block in range(3):
        assert written.get((block, 3)) == signed(float(given["heads"][block, 3]))
    assert (1, 2) not in written
    assert (0, 8) not in written
    assert "cell texts" not in [t.name for t in figure(parts(heads=12)).data]


def test_a_click_on_a_head_tells_its_block_and_its_number():
    cells = trace(figure(), "cells")
    heads = [tuple(cell) for cell in cells.customdata if cell[1] is not None]
    assert sorted(heads) == [(block, head) for block in range(3) for head in range(4)]
    assert [cell[0] for cell in cells.customdata if cell[1] is None] == [0, 0, 1, 1, 2, 2]


def test_the_head_in_question_is_outlined():
    fig = figure(marked=(1, 2))
    marks = [s for s in fig.layout.shapes if s.type == "rect" and s.xref == "x2"]
    assert [(s.x0, s.y0) for s in marks] == [(1.5, 0.5)]


def test_a_deep_model_has_one_bar_for_each_block():
    given = parts(48, 25)
    assert len(trace(figure(given), "pushes").x) == 48 + 3
    assert "cell texts" not in [t.name for t in figure(given).data]


def test_the_table_holds_every_part_and_their_sum():
    given = parts()
    columns, rows = attribution_table(**given)
    assert columns == ["part", "push"]
    assert sum(push for _, push in rows[:-1]) == pytest.approx(given["total"], abs=1e-5)
    assert rows[-1] == ("sum", given["total"])
    assert len(rows) == 2 + 3 * (4 + 2) + 1 + 1


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(FigureError):
        figure(parts() | {"mlp": np.zeros(5)})
