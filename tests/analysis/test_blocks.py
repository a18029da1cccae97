"""One token's walk through a block adds up to what the run recorded."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.analysis.blocks import (
    block_walk,
    cosine,
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
    walk = block_walk(journey, 1, 3)
    v = walk.vectors
    np.testing.assert_allclose(v["resid_pre"] + v["attn_out"], v["resid_mid"], atol=1e-5)
    np.testing.assert_allclose(v["resid_mid"] + v["mlp_out"], v["resid_post"], atol=1e-5)
    for step, vector in v.items():
        assert walk.lengths[step] == pytest.approx(np.sqrt((vector**2).sum()), rel=1e-5)


def test_the_angle_explains_the_new_length(journey: tj.Journey) -> None:
    walk = block_walk(journey, 0, 4)
    before, added = walk.lengths["resid_pre"], walk.lengths["attn_out"]
    new = np.sqrt(before**2 + added**2 + 2 * before * added * walk.attention_angle)
    assert walk.lengths["resid_mid"] == pytest.approx(new, rel=1e-4)


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


def test_angles_and_lengths() -> None:
    assert cosine(np.array([1.0, 0.0]), np.array([-2.0, 0.0])) == -1
    assert cosine(np.zeros(2), np.ones(2)) == 0
    np.testing.assert_allclose(norms(np.array([[3.0, 4.0], [0.0, 0.0]])), [5, 0])
