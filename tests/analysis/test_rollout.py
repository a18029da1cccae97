"""Rollout follows the paper; occlusion is what a run without the token shows."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import close, random_model
from tokenjourney.analysis.rollout import attention_rollout, head_means, occlusion

IDS = [5, 9, 5, 9, 40, 3]


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, IDS)


@pytest.fixture(scope="module")
def means(journey):
    return head_means(journey["pattern", block] for block in range(journey.config.n_layers))


def test_what_arrives_are_shares_of_the_prompt_and_none_of_the_future(means):
    rolled = attention_rollout(means)
    close(rolled.sum(axis=-1), np.ones(len(IDS)))
    assert (rolled >= 0).all()
    assert not np.triu(rolled, 1).any()


def test_it_is_the_product_of_the_papers_matrices(means):
    eye = np.eye(len(IDS), dtype=np.float32)
    product = eye
    for mean in means:
        product = (0.5 * mean + 0.5 * eye) @ product
    close(attention_rollout(means), product)
    for position in range(len(IDS)):
        close(attention_rollout(means, position), product[position])


def test_a_model_whose_heads_look_only_at_themselves_keeps_every_token_where_it_is():
    alone = np.stack([np.eye(4, dtype=np.float32)] * 3)
    close(attention_rollout(alone), np.eye(4))


def test_block_after_block_half_moves_to_the_first_token():
    first = np.zeros((3, 4, 4), dtype=np.float32)
    first[:, :, 0] = 1
    close(attention_rollout(first, 3), [1 - 0.5**3, 0, 0, 0.5**3])


def test_the_order_of_the_blocks_counts(means):
    assert np.abs(attention_rollout(means) - attention_rollout(means[::-1])).max() > 1e-4


def test_occlusion_is_the_run_with_the_mean_token_in_its_place(model, journey):
    answer = journey.next_tokens(k=1)[0]
    rows = model.W_E[IDS].copy()
    rows[2] = model.W_E.mean(axis=0)
    other = tj.trace(model, IDS, edits=[tj.replace("hook_embed", rows)])
    (found,) = occlusion(model, journey, len(IDS) - 1, answer.token_id, [2])
    expected = other.logits_at()[answer.token_id]
    assert found.position == 2
    assert found.change == pytest.approx(expected - answer.logit, abs=1e-5)
    shares = {p.token_id: p.probability for p in other.next_tokens(k=model.config.d_vocab)}
    assert found.probability == pytest.approx(shares[answer.token_id])


def test_a_token_with_the_mean_embedding_is_not_missed(model):
    mean = np.tile(model.W_E.mean(axis=0), (len(IDS), 1))
    journey = tj.trace(model, IDS, edits=[tj.replace("hook_embed", mean)])
    assert all(abs(one.change) < 1e-5 for one in occlusion(model, journey, 5, 7, range(len(IDS))))


def test_a_later_token_changes_nothing_and_is_not_run(model, journey, monkeypatch):
    monkeypatch.setattr(tj.Journey, "retrace", lambda *_, **__: pytest.fail("ran"))
    assert [one.change for one in occlusion(model, journey, 2, 7, [3, 4, 5])] == [0, 0, 0]


def test_the_edits_of_the_journey_stay(model):
    edits = [tj.ablate_head(0, 1)]
    (kept,) = occlusion(model, tj.trace(model, IDS, edits=edits), 5, 7, [4])
    (without,) = occlusion(model, tj.trace(model, IDS), 5, 7, [4])
    assert kept.change != pytest.approx(without.change, abs=1e-5)


@pytest.mark.parametrize("position", [-1, 6])
def test_a_position_that_is_not_there_is_refused(model, journey, means, position):
    with pytest.raises(tj.PromptError, match="0 to 5"):
        attention_rollout(means, position)
    with pytest.raises(tj.PromptError, match="0 to 5"):
        next(occlusion(model, journey, position, 7, [0]))
