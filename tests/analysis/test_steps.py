"""The candidates of a generation's steps are the model's own predictions there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenjourney as tj
from tests.engine import TEXT, random_model
from tokenjourney.analysis.steps import (
    branch_rows,
    mean_loss,
    shared,
    step_candidates,
    steps_window,
    taken_shares,
    tips,
)


@pytest.mark.parametrize("temperature", [1.0, 0.4])
def test_each_step_shows_what_generate_reports_for_it(temperature):
    model = random_model()
    steps = list(tj.generate(model, TEXT, 4, temperature, seed=5))
    journey = steps[-1].journey.extend(steps[-1].token.id)
    n_prompt = len(steps[0].journey)
    for i, step in enumerate(steps):
        found = step_candidates(journey, n_prompt, i, 10, temperature)
        assert found.token_ids == tuple(p.token_id for p in step.predictions)
        assert found.shares == pytest.approx([p.probability for p in step.predictions], rel=1e-4)
        assert found.chosen == step.token.id
        if found.chosen_rank < 10:
            assert found.token_ids[found.chosen_rank] == step.token.id
            assert found.shares[found.chosen_rank] == found.chosen_share


def test_the_step_after_the_last_is_open():
    journey = tj.trace(random_model(), TEXT)
    found = step_candidates(journey, len(journey), 0, 3)
    assert found.chosen is None
    assert [p.token_id for p in journey.next_tokens(k=3)] == list(found.token_ids)


@pytest.mark.parametrize("step", [0, 7, 29])
def test_the_window_holds_the_step_looked_at_and_stays_inside(step):
    window = steps_window(30, step, 8)
    assert step in window
    assert len(window) == 8
    assert set(window) <= set(range(30))


def test_a_taken_token_has_the_probability_of_its_step():
    model = random_model()
    steps = list(tj.generate(model, TEXT, 3, 1.0, seed=5))
    journey = steps[-1].journey.extend(steps[-1].token.id)
    n_prompt = len(steps[0].journey)
    expected = [step_candidates(journey, n_prompt, i, 1).chosen_share for i in range(3)]
    assert taken_shares(journey, n_prompt) == pytest.approx(expected)
    assert mean_loss(expected) > 0


@given(st.lists(st.lists(st.integers(0, 2), max_size=5).map(tuple), min_size=1, max_size=6))
def test_a_tree_keeps_every_path_and_hangs_it_where_it_parts(paths):
    ends = tips(paths)
    for path in paths:
        assert any(end[: len(path)] == path for end in ends)
    rows = branch_rows(ends)
    for index, row in enumerate(rows):
        assert row.parent < index
        if row.parent >= 0:
            assert shared(row.path, rows[row.parent].path) == row.start
        assert row.start < max(len(row.path), 1)
