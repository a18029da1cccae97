"""Gradients are those of torch's own backward pass, part by part."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.engine import CONFIG, TEXT, random_model
from tokenjourney.analysis.gradients import (
    backward_pass,
    error_path,
    logit_gradient,
    strongest_pulls,
)
from tokenjourney.analysis.projections import aligned
from tokenjourney.analysis.recording import EmbeddingMaps, block_lengths
from tokenjourney.analysis.untrained import evenness, untrained_patterns
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.sampling import probabilities
from tokenjourney.training.loop import next_token_loss

rng = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def ids(model):
    return tuple(model.tokenizer.encode(TEXT))


@pytest.fixture(scope="module")
def found(model, ids):
    return backward_pass(model, ids)


def test_the_gradient_at_the_logits_is_probabilities_minus_one_hot():
    logits = torch.tensor(rng.normal(size=9), requires_grad=True)
    torch.nn.functional.cross_entropy(logits[None], torch.tensor([4])).backward()
    gradient = logit_gradient(logits.detach().numpy(), 4)
    np.testing.assert_allclose(gradient, logits.grad.numpy(), atol=1e-12)
    assert gradient.sum() == pytest.approx(0, abs=1e-12)
    assert 4 not in strongest_pulls(gradient, 4)


def test_both_ways_together_are_the_gradient_of_the_tied_matrix(model, ids, found):
    network = GPT2(CONFIG).eval()
    network.load_state_dict(model.network.state_dict())
    tokens = torch.tensor([ids])
    loss = next_token_loss(network, tokens[:, :-1], tokens[:, 1:])
    loss.backward()
    assert found.loss == pytest.approx(loss.item(), abs=1e-5)
    np.testing.assert_allclose(found.total, network.W_E.grad.norm(dim=-1), rtol=1e-3, atol=1e-6)


def test_the_lookup_reaches_the_rows_that_were_read_and_no_others(ids, found):
    read = set(ids[:-1])  # the last token predicts nothing yet
    assert set(np.flatnonzero(found.lookup).tolist()) == read
    assert (found.unembedding > 0).all()


def test_the_model_keeps_no_gradient(model, found):
    assert all(parameter.grad is None for parameter in model.network.parameters())


def test_an_error_begins_at_its_own_token_and_reaches_all_earlier_ones(model, ids):
    path = error_path(model, ids, 3)
    assert path.shape == (CONFIG.n_layers + 1, 4)
    assert (path[-1, :-1] == 0).all()
    assert (path[:-1] > 0).all()


def test_the_error_at_the_embedding_is_what_nudging_it_costs(model, ids):
    """Against differences: the loss at position 3 with token 1's embedding moved both ways."""
    journey = tj.trace(model, ids[:4])
    embed = journey["hook_embed"]
    axes = np.eye(CONFIG.d_model, dtype=np.float32)
    gradient = [nudged_loss(model, ids, embed, axis) for axis in axes]
    assert error_path(model, ids, 3)[0, 1] == pytest.approx(np.linalg.norm(gradient), rel=2e-2)


def nudged_loss(model, ids, embed, way, step=1e-2):
    losses = []
    for sign in (1, -1):
        moved = embed.copy()
        moved[1] += sign * step * way
        run = tj.trace(model, ids[:4], edits=[tj.replace("hook_embed", moved)])
        losses.append(-np.log(probabilities(run.logits_at())[ids[4]]))
    return (losses[0] - losses[1]) / (2 * step)


def test_a_head_that_is_off_takes_no_error_back(model, ids):
    off = [tj.ablate_head(block, head) for block in range(CONFIG.n_layers)
           for head in range(CONFIG.n_heads)]  # fmt: skip
    assert (error_path(model, ids, 3, off)[:, :-1] == 0).all()


def test_the_last_token_has_no_error_to_take_back(model, ids):
    with pytest.raises(tj.PromptError, match="comes after"):
        error_path(model, ids, len(ids) - 1)


def test_a_single_token_is_refused(model):
    with pytest.raises(tj.PromptError, match="no next one"):
        backward_pass(model, [3])


def test_a_map_is_turned_and_not_bent():
    points = rng.normal(size=(7, 2)).astype(np.float32)
    turn = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)  # mirrored
    np.testing.assert_allclose(aligned(points @ turn, points), points, atol=1e-5)


def test_a_map_of_what_hardly_moved_hardly_moves():
    rows = rng.normal(size=(12, 6))
    maps = EmbeddingMaps()
    for step in range(4):
        maps.add(step, (rows + 1e-4 * rng.normal(size=rows.shape)).tolist())
    for points in maps.points[1:]:
        np.testing.assert_allclose(points, maps.points[0], atol=0.02)


def test_a_block_is_as_long_as_its_two_parts_together():
    np.testing.assert_allclose(block_lengths(np.float32([[9, 9, 3, 4, 9]])), [[5.0]])


def test_an_untrained_head_looks_around_more_evenly_than_one_that_looks_at_itself():
    pattern = untrained_patterns(CONFIG, [5, 9, 5, 7], block=1)[0]
    np.testing.assert_allclose(pattern.sum(-1), 1, atol=1e-5)
    assert evenness(pattern) > 0.99
    assert evenness(np.eye(4, dtype=np.float32)) == 0


def test_the_untrained_head_is_that_of_a_whole_random_network():
    ids = [5, 9, 5, 7]
    network = GPT2(replace(CONFIG, d_vocab=3, n_ctx=4, n_layers=3)).eval()
    network.initialise(torch.Generator().manual_seed(4))
    whole = tj.trace(tj.Model("whole", network), [0, 1, 0, 2])
    for block in (0, 1):
        found = untrained_patterns(replace(CONFIG, n_layers=3), ids, block, seed=4)
        np.testing.assert_allclose(found, whole["pattern", block], atol=1e-6)
