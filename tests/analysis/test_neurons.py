"""Neurons are ranked and read by what they really write."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.analysis.attention import direct_effect
from tokenjourney.analysis.neurons import (
    covered,
    gelu,
    neuron_effect,
    strongest_neurons,
    writing_strengths,
)
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model


@pytest.fixture(scope="module")
def journey() -> tj.Journey:
    config = GPT2Config(n_layers=2, n_heads=2, d_model=32, d_vocab=40, n_ctx=16)
    network = GPT2(config).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.3, generator=generator)
    return tj.trace(Model("tiny", network), [3, 1, 4, 1, 5])


def test_the_drawn_curve_runs_through_the_activations_of_the_run(journey: tj.Journey) -> None:
    np.testing.assert_allclose(gelu(journey["pre", 1]), journey["post", 1], atol=1e-5)


def test_the_writing_of_all_neurons_adds_up_to_what_the_part_writes(journey: tj.Journey) -> None:
    assert journey.model is not None
    post = journey["post", 0][2]
    w_down = journey.model.parameter("blocks.0.mlp.down.weight")
    bias = journey.model.parameter("blocks.0.mlp.down.bias")
    written = (post[:, None] * w_down).sum(0) + bias
    np.testing.assert_allclose(written, journey["mlp_out", 0][2], atol=1e-4)
    lengths = np.linalg.norm(post[:, None] * w_down, axis=-1)
    np.testing.assert_allclose(np.abs(writing_strengths(post, w_down)), lengths, rtol=1e-4)


def test_the_strongest_neurons_come_first() -> None:
    w_down = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]], np.float32)
    post = np.array([4.0, -3.0, 1.0], np.float32)  # lengths 4, 6, 5
    assert strongest_neurons(post, w_down, 3) == (1, 2, 0)
    assert covered(post, w_down, 1) == pytest.approx(6 / 15)
    assert covered(post, w_down, 3) == pytest.approx(1)


def test_a_neuron_pushes_what_its_row_points_to(journey: tj.Journey) -> None:
    model = journey.model
    assert model is not None
    post = journey["post", 1][4]
    w_down = model.parameter("blocks.1.mlp.down.weight")
    scale = float(journey["ln_final.hook_scale"][4, 0])
    gain = model.parameter("ln_final.gain")
    shared = {"scale": scale, "gain": gain, "W_U": model.W_U}
    effects = direct_effect(post[:, None] * w_down, **shared)
    found = neuron_effect(7, post, w_down, **shared, k=3)
    assert found.promoted.token_ids[0] == effects[7].argmax()
    assert found.suppressed.token_ids[0] == effects[7].argmin()
    np.testing.assert_allclose(found.promoted.effects[0], effects[7].max(), rtol=1e-4)
