"""The choice on the output page is the choice that generation makes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenjourney as tj
from tests.engine import TEXT, random_model
from tokenjourney.analysis.output import (
    draw_tally,
    entropy_bits,
    position_predictions,
    sampled_choice,
    token_ranks,
)
from tokenjourney.generation import choose
from tokenjourney.model.sampling import probabilities, ranking

LOGITS = np.random.default_rng(5).normal(size=50).astype(np.float32) * 2


@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.3])
@pytest.mark.parametrize(("top_k", "top_p"), [(None, None), (5, None), (None, 0.5), (8, 0.6)])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_token_drawn_is_the_one_that_generation_goes_on_with(temperature, top_k, top_p, seed):
    journey = tj.trace(random_model(), TEXT)
    last = len(journey) - 1
    choice = sampled_choice(journey.logits_at(), last, temperature, top_k, top_p, seed)
    assert choice.chosen == choose(journey, temperature, top_k, top_p, seed)


@given(
    temperature=st.floats(0.05, 3),
    top_k=st.one_of(st.none(), st.integers(1, 60)),
    top_p=st.one_of(st.none(), st.floats(0.01, 1)),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_what_is_cut_and_what_is_kept_are_the_whole(temperature, top_k, top_p, seed):
    choice = sampled_choice(LOGITS, 3, temperature, top_k, top_p, seed)
    assert choice.probabilities[choice.kept].sum() + choice.removed_by_k[1] + choice.removed_by_p[
        1
    ] == pytest.approx(1)
    assert choice.kept.sum() + choice.removed_by_k[0] + choice.removed_by_p[0] == len(LOGITS)
    assert choice.renormalised.sum() == pytest.approx(1)
    assert not choice.renormalised[~choice.kept].any()
    assert choice.kept[choice.chosen]


def test_the_scaled_logits_are_those_whose_softmax_is_drawn_from():
    choice = sampled_choice(LOGITS, 0, temperature=1.7)
    np.testing.assert_allclose(probabilities(choice.scaled), choice.probabilities, rtol=1e-5)


def test_temperature_zero_scales_nothing_and_takes_the_largest_logit():
    choice = sampled_choice(LOGITS, 0, temperature=0)
    assert choice.scaled is None
    assert choice.chosen == choice.greedy == LOGITS.argmax()
    assert choice.entropies[1:] == (0, 0)


def test_a_higher_temperature_leaves_more_questions_and_a_cut_fewer():
    plain, warm, cut = sampled_choice(LOGITS, 0, temperature=2, top_k=5).entropies
    assert cut < plain < warm


@pytest.mark.parametrize("n", [1, 2, 16])
def test_equal_chances_for_n_tokens_are_log2_n_bits(n):
    assert entropy_bits(np.full(n, 1 / n)) == pytest.approx(np.log2(n))


def test_the_tally_counts_every_draw_and_tends_to_the_probabilities():
    choice = sampled_choice(LOGITS, 2, top_k=4)
    tally = draw_tally(choice, 2, seed=3, n_draws=2000)
    assert sum(tally.counts) == 2000
    assert set(tally.token_ids) <= set(ranking(LOGITS)[:4].tolist())
    np.testing.assert_allclose(tally.counts, tally.expected, atol=100)


def test_the_tally_begins_with_the_draw_on_screen():
    choice = sampled_choice(LOGITS, 2, seed=3)
    assert draw_tally(choice, 2, seed=3, n_draws=1).token_ids == (choice.chosen,)


def test_the_loss_of_a_position_is_minus_the_log_of_the_chance_it_gave_to_what_came():
    journey = tj.trace(random_model(), TEXT)
    found = position_predictions([journey.logits], journey.token_ids)
    shares = probabilities(journey.logits)
    for position, following in enumerate(journey.token_ids[1:]):
        assert found.true_probability[position] == pytest.approx(shares[position, following])
        assert found.loss[position] == pytest.approx(-np.log(shares[position, following]))
        assert ranking(journey.logits[position])[found.true_rank[position] - 1] == following
    assert len(found.best) == len(journey)
    assert len(found.loss) == len(journey) - 1
    assert found.mean_loss == pytest.approx(found.loss.mean())


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pieces_of_any_size_give_the_same(size):
    journey = tj.trace(random_model(), TEXT)
    whole = position_predictions([journey.logits], journey.token_ids)
    pieces = [journey.logits[i : i + size] for i in range(0, len(journey), size)]
    parts = position_predictions(pieces, journey.token_ids)
    np.testing.assert_array_equal(whole.best, parts.best)
    np.testing.assert_array_equal(whole.true_rank, parts.true_rank)
    np.testing.assert_allclose(whole.loss, parts.loss)


def test_a_single_token_has_a_prediction_and_no_loss():
    journey = tj.trace(random_model(), "a")
    found = position_predictions([journey.logits], journey.token_ids)
    assert (len(found.best), len(found.loss)) == (1, 0)
    assert np.isnan(found.mean_loss)


def test_ranks_are_those_of_the_ranking_also_where_logits_are_equal():
    logits = np.array([2.0, 1.0, 2.0, 0.0, 1.0], np.float32)
    every = token_ranks(np.tile(logits, (5, 1)), np.arange(5))
    assert np.argsort(every).tolist() == ranking(logits).tolist()
    assert every.tolist() == [1, 3, 2, 5, 4]
