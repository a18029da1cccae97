"""The steps of attention agree with the run they explain."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.analysis.attention import (
    cell_steps,
    direct_effect,
    dot_products,
    log_totals,
    prediction_change,
    promoted,
    scaled_scores,
    suppressed,
)
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model


@pytest.fixture(scope="module")
def model() -> Model:
    config = GPT2Config(n_layers=2, n_heads=3, d_model=24, d_vocab=40, n_ctx=16)
    network = GPT2(config).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.3, generator=generator)
    return Model("tiny", network)


@pytest.fixture(scope="module")
def journey(model: Model) -> tj.Journey:
    return tj.trace(model, [3, 1, 4, 1, 5, 9, 2])


@pytest.mark.parametrize("head", [0, 1, 2])
def test_scaled_dot_products_are_the_scores_of_the_run(journey: tj.Journey, head: int) -> None:
    q, k = journey["q", 1][:, head], journey["k", 1][:, head]
    ours = scaled_scores(dot_products(q, k), q.shape[1])
    scores = journey["attn_scores", 1][head]
    past = np.tri(len(journey), dtype=bool)
    np.testing.assert_allclose(ours[past], scores[past], rtol=1e-5, atol=1e-5)
    assert np.isneginf(scores[~past]).all()


def test_the_four_steps_end_in_the_share_of_the_run(journey: tj.Journey) -> None:
    q, k = journey["q", 0][:, 2], journey["k", 0][:, 2]
    for query in range(len(journey)):
        for key in range(len(journey)):
            steps = cell_steps(q, k, query, key)
            assert steps.share == pytest.approx(journey["pattern", 0][2, query, key], abs=1e-5)
            assert steps.is_masked == (key > query)
            assert steps.positive + steps.negative == pytest.approx(steps.dot_product, abs=1e-5)
            assert steps.products.sum() == pytest.approx(steps.dot_product, abs=1e-4)


def test_the_denominators_turn_every_score_into_the_share_of_the_run(journey: tj.Journey) -> None:
    q, k = journey["q", 1][:, 1], journey["k", 1][:, 1]
    scaled = scaled_scores(dot_products(q, k), q.shape[1])
    shares = np.exp(scaled - log_totals(scaled)[:, None])
    past = np.tri(len(journey), dtype=bool)
    np.testing.assert_allclose(shares[past], journey["pattern", 1][1][past], atol=1e-5)
    assert np.isfinite(log_totals(scaled * 1e4)).all()


def test_very_large_scores_still_end_in_a_share() -> None:
    q = np.full((2, 4), 400.0, np.float32)
    steps = cell_steps(q, np.array([[1.0] * 4, [2.0] * 4], np.float32) * 100, 1, 1)
    assert steps.share == pytest.approx(1.0)
    assert np.isfinite(steps.log_total)


@pytest.mark.parametrize(("query", "key"), [(7, 0), (0, 7), (-1, 0)])
def test_a_position_outside_the_prompt_is_refused(
    journey: tj.Journey, query: int, key: int
) -> None:
    q, k = journey["q", 0][:, 0], journey["k", 0][:, 0]
    with pytest.raises(tj.TokenJourneyError, match="0 to 6"):
        cell_steps(q, k, query, key)


def test_direct_effects_of_all_parts_add_up_to_the_logits(
    model: Model, journey: tj.Journey
) -> None:
    last = len(journey) - 1
    parts = [journey["hook_embed"][last], journey["hook_pos_embed"][last]]
    for block in range(2):
        parts += list(journey["result", block][last])  # each head by itself
        parts.append(model.parameter(f"blocks.{block}.attn.out.bias"))
        parts.append(journey["mlp_out", block][last])
    effects = direct_effect(
        np.stack(parts),
        float(journey["ln_final.hook_scale"][last, 0]),
        model.parameter("ln_final.gain"),
        model.W_U,
    )
    from_bias = model.parameter("ln_final.bias") @ model.W_U
    expected = journey.logits[last] - from_bias
    np.testing.assert_allclose(effects.sum(0), expected - expected.mean(), atol=1e-4)


def test_what_is_promoted_and_suppressed_are_the_two_ends() -> None:
    effect = np.array([0.5, -2.0, 3.0, -1.0, 0.0], np.float32)
    up, down = promoted(effect, 2), suppressed(effect, 2)
    assert up.token_ids == (2, 0)
    assert down.token_ids == (1, 3)
    assert down.effects.tolist() == [-2.0, -1.0]


def test_an_edit_that_changes_nothing_moves_nothing(journey: tj.Journey) -> None:
    change = prediction_change(journey.logits[-1], journey.logits[-1], k=3)
    assert len(change.token_ids) == 3
    np.testing.assert_array_equal(change.before, change.after)
    assert change.moved == 0


def test_a_head_switched_off_shows_both_runs_best_guesses(
    model: Model, journey: tj.Journey
) -> None:
    edits = [tj.ablate_head(block, head) for block in range(2) for head in range(3)]
    edited = tj.trace(model, journey.token_ids, edits=edits)
    change = prediction_change(journey.logits[-1], edited.logits[-1], k=4)
    best = {p.token_id for j in (journey, edited) for p in j.next_tokens(k=4)}
    assert set(change.token_ids) == best
    for token_id, before, after in zip(change.token_ids, change.before, change.after, strict=True):
        shares = [
            {p.token_id: p.probability for p in j.next_tokens(k=40)} for j in (journey, edited)
        ]
        assert before == pytest.approx(shares[0][token_id], abs=1e-6)
        assert after == pytest.approx(shares[1][token_id], abs=1e-6)
    assert 0 < change.moved <= 1


def test_with_all_heads_off_a_token_knows_nothing_of_the_others(model: Model) -> None:
    edits = [tj.ablate_head(block, head) for block in range(2) for head in range(3)]
    one = tj.trace(model, [3, 1, 4], edits=edits)
    other = tj.trace(model, [9, 9, 4], edits=edits)
    np.testing.assert_allclose(one.logits[-1], other.logits[-1], atol=1e-5)
