"""Counts by formula against tensors, published counts and an independent implementation."""

from pathlib import Path

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.beyond.models import config_of_kind, model_of
from tests.engine import CONFIG, random_model
from tokenjourney.analysis.beyond import DEEPSEEK_V3
from tokenjourney.analysis.counts import products_for
from tokenjourney.analysis.parameters import (
    active_of,
    beyond_parameters,
    by_part,
    family,
    gpt2_parameters,
    tensors_of,
    values_of,
    work_per_token,
)
from tokenjourney.beyond import BeyondConfig
from tokenjourney.model.config import GPT2Config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("tied", [True, False])
def test_the_formula_counts_what_the_tensors_hold_part_by_part(tied):
    config = GPT2Config(3, 4, 32, 257, 48, d_mlp=100, tied=tied)
    model = random_model(config)
    assert by_part(tensors_of(model)) == gpt2_parameters(config)
    assert sum(tensor.n for tensor in tensors_of(model)) == model.n_parameters


def test_every_tensor_of_the_bundled_model_is_named_shaped_and_placed():
    model = tj.load_model()
    found = tensors_of(model)
    assert sum(tensor.n for tensor in found) == model.n_parameters
    assert by_part(found) == gpt2_parameters(model.config)
    for tensor in found:
        assert model.parameter(tensor.name).shape == tensor.shape
        assert (tensor.block is None) == (not tensor.name.startswith("blocks."))
    assert {tensor.block for tensor in found} == {None, *range(model.config.n_layers)}


def test_the_family_has_its_published_counts():
    totals = {one.name: one.total for one in family()}
    assert totals["GPT-2 small"] == 124_439_808
    assert totals["GPT-2 medium"] == 354_823_168
    assert totals["GPT-2 large"] == 774_030_080
    assert totals["GPT-2 XL"] == 1_557_611_200
    assert totals["GPT-3"] == pytest.approx(175e9, rel=0.005)
    deepseek = family()[-1]
    assert round(deepseek.total / 1e9) == 671
    assert round(deepseek.active / 1e9) == 37
    assert all(one.active == one.total for one in family()[:-1])


@pytest.mark.parametrize(
    "options",
    [{}, {"tied": False}, {"n_dense": 0, "d_query_latent": 0}, {"norm": "layer", "n_shared": 3}],
)
def test_latent_attention_and_experts_are_counted_part_by_part(options):
    config = config_of_kind("mla and moe over a dense block", **options)
    model = model_of(config)
    assert beyond_parameters(config) == by_part(tensors_of(model))
    assert sum(beyond_parameters(config, active=True).values()) == active_of(model)


def test_and_as_transformers_builds_them():
    transformers = pytest.importorskip("transformers")
    sizes = BeyondConfig(
        n_layers=3, n_dense=1, d_model=32, n_heads=4, d_nope=8, d_value=8, d_rope=4, n_ctx=8,
        d_query_latent=12, d_latent=10, d_mlp=40, d_expert=6, n_experts=8, n_shared=1, top_k=2,
        n_groups=2, top_groups=1, d_vocab=50, tied=False, norm="rms", attention="mla",
        feed_forward="moe",
    )  # fmt: skip
    config = transformers.DeepseekV3Config(
        num_hidden_layers=3, first_k_dense_replace=1, hidden_size=32, num_attention_heads=4,
        num_key_value_heads=4, qk_nope_head_dim=8, v_head_dim=8, qk_rope_head_dim=4,
        q_lora_rank=12, kv_lora_rank=10, intermediate_size=40, moe_intermediate_size=6,
        n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=2, n_group=2, topk_group=1,
        vocab_size=50, tie_word_embeddings=False,
    )  # fmt: skip
    with torch.device("meta"):
        peer = transformers.DeepseekV3ForCausalLM(config)
    names = {name: parameter.numel() for name, parameter in peer.named_parameters()}
    counted = sum(n for name, n in names.items() if "correction_bias" not in name)
    assert sum(beyond_parameters(sizes).values()) == counted


def test_one_token_goes_through_its_experts_and_one_row_alone():
    every = beyond_parameters(DEEPSEEK_V3)
    active = beyond_parameters(DEEPSEEK_V3, active=True)
    idle = 58 * (256 - 8) * 3 * 7168 * 2048
    assert every["feed_forward"] - active["feed_forward"] == idle
    assert active["embedding"] == 7168
    assert active["attention"] == every["attention"]


@pytest.mark.parametrize("position", [0, 1, 20])
def test_the_work_is_two_operations_for_every_product_of_the_forward_pass(position):
    spent = work_per_token(CONFIG, position)
    assert sum(spent.values()) == 2 * products_for(CONFIG, 1, n_seen=position)
    assert spent["looking"] == (position + 1) * work_per_token(CONFIG, 0)["looking"]


def test_values_fall_into_bins_none_is_lost():
    numbers = np.array([[-1, 0, 0], [0.5, 1, 1]], np.float32)
    found = values_of(numbers, bins=4)
    assert found.counts.tolist() == [1, 0, 2, 3]
    assert (found.low, found.high, found.mean) == (-1, 1, pytest.approx(0.25))
    assert found.deviation == pytest.approx(numbers.std())
    assert values_of(np.ones(7, np.float32)).counts.sum() == 7


@pytest.mark.parametrize("name", ["mha-moe", "mla-moe", "mla-mlp"])
def test_of_other_models_too_every_tensor_has_its_part_and_idle_experts_are_left_out(name):
    model = tj.load_model(f"{ROOT}/assets/models/{name}")
    found = by_part(tensors_of(model))
    assert sum(found.values()) == model.n_parameters
    assert found["attention"] > 0
    assert found["feed_forward"] > found["norms"]
    assert (active_of(model) < model.n_parameters) == name.endswith("moe")
