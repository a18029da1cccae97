"""What the pages beyond GPT-2 say of attention, against real tensors."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.beyond.models import config_of_kind, model_of
from tokenjourney.analysis.beyond import (
    DEEPSEEK_V3,
    absorbed_output,
    absorbed_scores,
    kept_numbers,
    query_numbers,
)
from tokenjourney.errors import PromptError


def test_deepseek_v3_keeps_576_numbers():
    assert kept_numbers(DEEPSEEK_V3) == {"mha": 32768, "gqa": 2048, "mqa": 256, "mla": 576}


@pytest.mark.parametrize("kind", ["mla", "mla without query latent"])
def test_numbers_of_the_queries_are_those_of_the_matrices(kind):
    config = config_of_kind(kind)
    attention = model_of(config).network.blocks[0].attn
    parts = [attention.down_q, attention.up_q, attention.rot_q]
    held = sum(part.weight.numel() for part in parts if part is not None)
    made = config.n_heads * config.d_head
    assert query_numbers(config) == (held, config.d_model * made)


def test_what_attention_writes_is_the_same_without_a_key_or_a_value():
    model = model_of(config_of_kind("mla"))
    journey = tj.trace(model, "ab to cab")
    expanded, absorbed = absorbed_output(model, journey, 1)
    assert np.abs(expanded).max() > 0.1
    np.testing.assert_allclose(absorbed, expanded, atol=1e-5)
    with pytest.raises(PromptError, match="no latent attention"):
        absorbed_output(tj.load_model(), journey, 0)


def test_scores_without_keys_are_the_models_own():
    model = model_of(config_of_kind("mla"))
    journey = tj.trace(model, "ab to cab")
    last, head = len(journey) - 1, 2
    up = model.network.blocks[1].attn.up_k.weight.numpy()[:, 20:30]
    found = absorbed_scores(
        journey["q", 1][last, head], journey["latent", 1], journey["k_rot", 1], up
    )
    np.testing.assert_allclose(found, journey["attn_scores", 1][head, last], atol=1e-5)
