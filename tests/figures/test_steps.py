import pytest

from tokenjourney.figures.speed import speed_figure, speed_table
from tokenjourney.figures.steps import StepColumn, steps_figure, steps_table
from tokenjourney.figures.theme import LIGHT, FigureError


def column(step, chosen=0, labels=("·a", "<i>", "·c"), **more):
    return StepColumn(
        step=step,
        labels=labels,
        shares=(0.5, 0.3, 0.1),
        chosen=chosen,
        chosen_label="" if chosen is None else (*labels, "·rare")[chosen],
        chosen_share=0.01,
        chosen_rank=8 if chosen == 3 else chosen or 0,
        clicks=[(f"x.{step}.{i}", None) for i in range(len(labels))],
        **more,
    )


COLUMNS = [column(0, 1), column(1, 3), column(2, None)]


def trace(fig, name):
    return next(t for t in fig.data if t.name == name)


def test_rings_stand_where_the_bars_end_with_everything_on():
    compared = [column(0, 1, before=(0.4, 0.1, 0.2)), column(1, 3, before=(0.1, 0.2, 0.3))]
    fig = steps_figure(compared)
    assert list(trace(fig, "with everything on").x[:3]) == pytest.approx(
        [0.94 * 0.4, 0.94 * 0.1, 0.94 * 0.2]
    )
    assert "(40 % with everything on)" in trace(fig, "candidates").hovertext[0]
    names, rows = steps_table(compared)
    assert names[-1] == "with everything on"
    assert [row[-1] for row in rows] == [0.4, 0.1, 0.2, 0.1, 0.2, 0.3, None]
    assert all("everything" not in (t.name or "") for t in steps_figure(COLUMNS).data)


def test_the_path_joins_the_tokens_that_were_taken():
    path = trace(steps_figure(COLUMNS), "path")
    assert [y for y in path.y if y is not None] == [1, 3]


def test_a_click_on_a_candidate_reports_what_it_leads_to():
    cells = trace(steps_figure(COLUMNS), "candidates")
    assert {click for click, _ in cells.customdata} == {
        f"x.{step}.{row}" for step in range(3) for row in range(3)
    }


def test_bars_are_as_long_as_the_probabilities():
    fig = steps_figure([column(0, None)])
    bars = [s.x1 - s.x0 for s in fig.layout.shapes if s.fillcolor.startswith("rgba")]
    assert bars == pytest.approx([0.94 * 0.5, 0.94 * 0.3, 0.94 * 0.1])


def test_a_token_that_is_none_of_the_candidates_gets_a_row_with_its_rank():
    fig = steps_figure(COLUMNS)
    assert any("#9" in note.text for note in fig.layout.annotations)
    assert ("·rare", True) in [(row[2], row[4]) for row in steps_table(COLUMNS)[1]]


def test_the_step_looked_at_is_outlined():
    fig = steps_figure(COLUMNS, looked_at=1)
    marks = [s for s in fig.layout.shapes if s.line.color == LIGHT.ink]
    assert [s.x0 for s in marks] == [1]


def test_the_figure_keeps_its_width_while_it_fills():
    assert steps_figure(COLUMNS, places=8).layout.xaxis.range[1] == 8


def test_a_token_that_looks_like_a_tag_is_shown_as_text():
    assert "<i>”" not in steps_figure(COLUMNS).to_json()


@pytest.mark.parametrize("columns", [[], [column(0), column(1, labels=("a",))]])
def test_no_steps_or_uneven_ones_are_refused(columns):
    with pytest.raises(FigureError):
        steps_figure(columns)


def test_speed_is_drawn_with_and_without_the_cache():
    times = {"lengths": [16, 32], "cached": [2.0, 2.5], "uncached": [4.0, 9.0]}
    without, with_cache = speed_figure(**times).data
    assert list(without.y) == [4, 9]
    assert list(with_cache.y) == [2, 2.5]
    assert with_cache.hovertext[1] == "32 tokens, with cache: 2.50 ms for the new one"
    assert speed_table(**times)[1] == [(16, 2.0, 4.0), (32, 2.5, 9.0)]


def test_the_cost_of_a_token_has_the_unit_it_is_counted_in():
    work = {"lengths": [16], "cached": [2.0], "uncached": [4.0], "unit": "products"}
    figure = speed_figure(**work)
    assert figure.data[0].hovertext[0] == "16 tokens, without cache: 4.00 products for the new one"
    assert figure.layout.yaxis.title.text == "products for one new token"
    assert speed_table(**work)[0] == ["tokens", "products with cache", "products without cache"]
