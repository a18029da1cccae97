"""Context and generalisation: swaps and substitutes are real runs."""

import numpy as np
import pytest

import tokenjourney as tj
from tokenjourney.analysis.evidence import strongest_swap, substitutes, word_swap
from tokenjourney.analysis.lens import blind_loss, logit_lens
from tokenjourney.analysis.neighbours import nearest_rows

PROMPT = "The dog chased another dog"


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, PROMPT)


def test_a_token_replaced_by_itself_changes_nothing(model, journey):
    swap = word_swap(model, journey, len(journey) - 1, 1, journey.token_ids[1])
    assert swap.prediction.moved == pytest.approx(0, abs=1e-6)


def nearest(model, at):
    own = tj.trace(model, PROMPT).token_ids[at]
    return int(nearest_rows(model.W_E, model.W_E[own], 1, without=[own]).rows[0])


@pytest.mark.parametrize("edits", [(), (tj.ablate_head(0, 1), tj.ablate_mlp(2))])
def test_the_strongest_swap_is_of_all_runs_the_one_that_moves_most(model, edits):
    journey = tj.trace(model, PROMPT, edits=edits)
    last = len(journey) - 1
    best = strongest_swap(model, journey, last, range(3))
    runs = [word_swap(model, journey, last, at, nearest(model, at)) for at in range(3)]
    most = max(runs, key=lambda run: run.prediction.moved)
    assert (best.at, best.token_id) == (most.at, most.token_id)
    assert best.prediction.token_ids == most.prediction.token_ids
    np.testing.assert_allclose(best.prediction.after, most.prediction.after, atol=1e-5)
    assert strongest_swap(model, journey, last, []) is None


def test_a_token_behind_the_position_is_refused(model, journey):
    with pytest.raises(tj.TokenJourneyError, match="comes before"):
        word_swap(model, journey, 1, 2, 7)


@pytest.mark.parametrize("position", [0, 3])
def test_a_substitute_is_a_run_with_it_in_the_place(model, journey, position):
    one = substitutes(model, journey, position, 2)[0]
    other = tj.trace(model, [*journey.token_ids[:position], one.token_id])
    shares = {p.token_id: p.probability for p in journey.next_tokens(position=position, k=2048)}
    theirs = {p.token_id: p.probability for p in other.next_tokens(k=2048)}
    assert one.overlap == pytest.approx(sum(min(shares[i], theirs[i]) for i in shares), abs=1e-4)
    assert one.beside == pytest.approx(shares[one.token_id])


def test_the_loss_at_the_last_depth_is_that_of_the_run(model, journey):
    lens = logit_lens(model, journey, slice(1, None))
    shares = {p.token_id: p.probability for p in journey.next_tokens(position=1, k=2048)}
    assert lens.loss[-1, 0] == pytest.approx(-np.log(shares[journey.token_ids[2]]), rel=1e-4)
    assert np.isnan(lens.loss[:, -1]).all()
    assert not np.isnan(lens.mean_loss).any()
    assert np.isnan(logit_lens(model, journey[:1]).mean_loss).all()
    assert blind_loss(2048) == pytest.approx(np.log(2048))
