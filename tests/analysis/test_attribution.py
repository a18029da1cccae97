"""The parts of an attribution sum to the logit."""

import dataclasses

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import CONFIG, TEXT, close, random_model
from tokenjourney.analysis.attribution import direct_logit_attribution, logit_readout


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def model(request):
    return random_model(dataclasses.replace(CONFIG, tied=request.param))


@pytest.mark.parametrize("position", [0, 3, 6])
@pytest.mark.parametrize("token_id", [0, 98, 256])
def test_the_parts_sum_to_the_logit(model, position, token_id):
    journey = tj.trace(model, TEXT)
    found = direct_logit_attribution(model, journey, position, token_id)
    assert found.total == pytest.approx(float(journey.logits[position, token_id]), abs=1e-4)
    assert found.parts_sum == pytest.approx(found.total, abs=1e-4)


def test_the_parts_against_another_token_sum_to_the_difference(model):
    journey = tj.trace(model, TEXT)
    found = direct_logit_attribution(model, journey, 4, 98, against=99)
    difference = journey.logits[4, 98] - journey.logits[4, 99]
    assert found.total == pytest.approx(float(difference), abs=1e-4)
    assert found.parts_sum == pytest.approx(found.total, abs=1e-4)


@pytest.mark.parametrize(
    "edit", [tj.ablate_head(block=1, head=2), tj.ablate_mlp(block=0)], ids=["head", "mlp"]
)
def test_the_parts_of_an_edited_journey_sum_to_its_own_logit(model, edit):
    journey = tj.trace(model, TEXT, edits=[edit])
    found = direct_logit_attribution(model, journey, 4, 98)
    assert found.total != pytest.approx(float(tj.trace(model, TEXT).logits[4, 98]), abs=1e-3)
    assert found.parts_sum == pytest.approx(found.total, abs=1e-4)


def test_a_head_that_is_off_pushes_nothing(model):
    journey = tj.trace(model, TEXT, edits=[tj.ablate_head(block=1, head=2)])
    found = direct_logit_attribution(model, journey, 4, 98)
    assert found.heads[1, 2] == 0
    assert found.heads[1, 1] != 0


def test_beside_its_heads_attention_writes_its_output_bias(model):
    journey = tj.trace(model, TEXT)
    found = direct_logit_attribution(model, journey, 4, 98)
    gain = model.W_U[:, 98] * model.parameter("ln_final.gain")
    along = (gain - gain.mean()) / journey["ln_final.hook_scale"][4, 0]
    biases = [model.parameter(f"blocks.{i}.attn.out.bias") @ along for i in range(CONFIG.n_layers)]
    close(found.attention_bias, biases, 1e-4)


def test_the_numbers_of_the_readout_sum_to_the_logit(model):
    journey = tj.trace(model, TEXT)
    found = logit_readout(model, journey, 5, 98)
    assert found.products.sum() == pytest.approx(found.logit, abs=1e-4)
    centred = found.residual - found.residual.mean()
    gain, bias = model.parameter("ln_final.gain"), model.parameter("ln_final.bias")
    close(found.normalised, centred / found.scale * gain + bias, 1e-4)
    np.testing.assert_array_equal(found.column, model.W_U[:, 98])


def test_the_strongest_parts_are_the_largest_of_their_sign():
    journey = tj.trace(random_model(), TEXT)
    found = direct_logit_attribution(journey.model, journey, 4, 98)
    every = np.append(found.heads.ravel(), found.mlp)
    up, down = found.strongest(3), found.strongest(3, -1)
    assert [push for *_, push in up] == pytest.approx(np.sort(every)[::-1][:3].tolist())
    assert [push for *_, push in down] == pytest.approx(np.sort(every)[:3].tolist())
    for block, head, push in (*up, *down):
        assert push == pytest.approx(
            float(found.mlp[block] if head is None else found.heads[block, head])
        )
