"""One token's walk through a block adds up to what the run recorded."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.analysis.blocks import (
    block_walk,
    dropout_example,
    layer_norm_stages,
    norms,
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


def test_each_step_adds_to_the_stream(journey: tj.Journey) -> None:
    v = {name: step.vector for name, step in block_walk(journey, 1, 3).items()}
    np.testing.assert_allclose(v["resid_pre"] + v["dropout1"], v["resid_mid"], atol=1e-5)
    np.testing.assert_allclose(v["resid_mid"] + v["dropout2"], v["resid_post"], atol=1e-5)
    np.testing.assert_array_equal(v["dropout1"], journey["attn_out", 1][3])
    np.testing.assert_array_equal(v["dropout2"], journey["mlp_out", 1][3])


def test_a_step_says_its_length_mean_and_variance_and_how_it_compares(journey: tj.Journey) -> None:
    walk = block_walk(journey, 1, 3)
    for name, step in walk.items():
        assert step.length == pytest.approx(np.sqrt((step.vector**2).sum()), rel=1e-5), name
        assert step.ratio == pytest.approx(step.length / walk[step.source].length), name
    assert walk["resid_pre"].variance == pytest.approx(np.var(walk["resid_pre"].vector), rel=1e-4)
    assert walk["ln1.normalized"].source == "resid_pre"
    assert walk["ln2.normalized"].source == "resid_mid"


def test_the_angle_explains_the_new_length(journey: tj.Journey) -> None:
    walk = block_walk(journey, 0, 4)
    before, added = walk["resid_pre"].length, walk["attn_out"].length
    angle = np.radians(walk["attn_out"].angle)
    new = np.sqrt(before**2 + added**2 + 2 * before * added * np.cos(angle))
    assert walk["resid_mid"].length == pytest.approx(new, rel=1e-4)


@pytest.mark.parametrize("position", [-1, 5])
def test_a_position_outside_the_prompt_is_refused(journey: tj.Journey, position: int) -> None:
    with pytest.raises(tj.TokenJourneyError, match="0 to 4"):
        block_walk(journey, 0, position)


@pytest.mark.parametrize(("norm", "source"), [("ln1", "resid_pre"), ("ln2", "resid_mid")])
def test_the_last_picture_of_a_layer_norm_is_what_the_run_used(
    journey: tj.Journey, norm: str, source: str
) -> None:
    assert journey.model is not None
    stages = layer_norm_stages(
        journey[source, 1][2],
        float(journey[f"{norm}.scale", 1][2, 0]),
        journey.model.parameter(f"blocks.1.{norm}.gain"),
        journey.model.parameter(f"blocks.1.{norm}.bias"),
    )
    np.testing.assert_allclose(stages.after, journey[f"{norm}.normalized", 1][2], atol=1e-5)
    assert stages.standardised.mean() == pytest.approx(0, abs=1e-5)
    assert stages.standardised.var() == pytest.approx(1, abs=1e-3)


def test_dropout_zeroes_about_its_rate_and_keeps_the_sum_on_average() -> None:
    x = np.ones(20_000, np.float32)
    example = dropout_example(x, 0.25, seed=1)
    assert (example.values == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert example.values.mean() == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(example.values[example.kept], 1 / 0.75, rtol=1e-6)


def test_dropout_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    x = np.ones(200, np.float32)
    one, again, other = (dropout_example(x, 0.5, seed=s).kept for s in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0])
def test_a_rate_that_would_drop_everything_is_refused(rate: float) -> None:
    with pytest.raises(tj.TokenJourneyError, match="below 1"):
        dropout_example(np.ones(4, np.float32), rate, seed=0)


def test_lengths() -> None:
    np.testing.assert_allclose(norms(np.array([[3.0, 4.0], [0.0, 0.0]])), [5, 0])
