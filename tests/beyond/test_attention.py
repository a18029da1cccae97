"""Attention with a small cache: what is kept, and that nothing is lost by keeping less."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.beyond.models import config_of_kind, model_of
from tests.engine import close
from tokenjourney.beyond import BeyondConfig, make_network
from tokenjourney.beyond.parts import rotated
from tokenjourney.errors import CheckpointError
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.record import Record

TEXT = "ab to cab, he said"


@pytest.mark.parametrize("kind", ["mla", "mla without query latent"])
def test_absorbed_gives_what_expanded_gives(kind):
    attention = model_of(config_of_kind(kind)).network.blocks[0].attn
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, 9, 32, generator=generator)
    q = attention.queries(x)
    latent, k_rot = torch.randn(2, 9, 12, generator=generator), torch.randn(2, 9, 6)
    expanded = attention.expanded(q, latent, k_rot)
    assert expanded.std() > 0.1
    close(attention.absorbed(q, latent, k_rot), expanded)


@pytest.mark.parametrize("kind", ["mqa", "gqa", "mla", "mla and moe over a dense block"])
def test_decoding_step_by_step_gives_what_the_full_pass_gives(kind):
    model = model_of(config_of_kind(kind))
    whole = tj.trace(model, TEXT)
    journey = tj.trace(model, whole.token_ids[:1])
    for token_id in whole.token_ids[1:]:
        journey = journey.extend(token_id)
    close(journey.stream, whole.stream, 1e-4)
    close(journey.logits_at(), whole.logits_at(), 1e-4)
    close(journey["pattern", 1], whole["pattern", 1])


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [("mla", 12 + 6), ("mqa", 2 * 8), ("gqa", 2 * 2 * 8), ("moe", 2 * 4 * 8)],
)
def test_the_cache_holds_just_what_each_kind_needs(kind, numbers):
    config, n_tokens = config_of_kind(kind), 11
    record = Record(config, n_tokens)
    kept = record.keys.numel() + record.values.numel()
    assert kept == config.n_layers * n_tokens * numbers


def test_the_store_gets_the_latent_and_the_rotated_key_and_nothing_else():
    model = model_of(config_of_kind("mla"))
    journey = tj.trace(model, TEXT)
    n = len(journey)
    for block in range(2):
        close(journey._record.keys[block, 0, :n], journey["latent", block])
        close(journey._record.values[block, 0, :n], journey["k_rot", block])
    assert journey._record.keys.shape[1] == journey._record.values.shape[1] == 1


def test_keys_are_rebuilt_from_the_latent_and_end_in_the_one_rotated_key():
    model = model_of(config_of_kind("mla"))
    journey, attention = tj.trace(model, TEXT), model.network.blocks[1].attn
    latent, k_rot = journey["latent", 1], journey["k_rot", 1]
    k, v = journey["k", 1], journey["v", 1]
    close(k[:, :, :10].reshape(len(journey), -1), latent @ attention.up_k.weight.numpy())
    close(v.reshape(len(journey), -1), latent @ attention.up_v.weight.numpy())
    close(k[:, :, 10:], np.broadcast_to(k_rot[:, None], (len(journey), 4, 6)))


def test_groups_of_heads_share_one_key():
    model = model_of(config_of_kind("gqa"))
    journey = tj.trace(model, TEXT)
    q, k, pattern = (journey[name, 0] for name in ("q", "k", "attn_scores"))
    for head in range(4):
        scores = q[:, head] @ k[:, head // 2].T / np.sqrt(8)
        close(np.tril(scores), np.tril(pattern[head]))


def test_as_many_groups_as_heads_is_gpt2_itself():
    config = BeyondConfig(n_layers=1, n_heads=2, d_model=8, d_vocab=16, n_ctx=8)
    ours, plain = make_network(config), GPT2(GPT2Config(1, 2, 8, 16, 8))
    assert ours.state_dict().keys() == plain.state_dict().keys()
    ours.initialise(torch.Generator().manual_seed(1))
    plain.load_state_dict(ours.state_dict())
    ids = torch.arange(6)[None]
    assert torch.equal(ours(ids), plain(ids))


def test_rotation_keeps_lengths_and_makes_products_depend_on_the_distance_alone():
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(1, 1, 1, 8, generator=generator).expand(2, 1, 5, 1, 8)
    q, k = q.clone(), k.flip(-1)
    for start in (0, 7, 1000):
        turned_q, turned_k = (rotated(x, start, 100.0)[0, :, 0] for x in (q, k))
        close(turned_q.norm(dim=-1), q[0, :, 0].norm(dim=-1))
        products = turned_q @ turned_k.T
        close(products[4, 2], products[2, 0], 1e-4)
        close(products[4, 1], products[3, 0], 1e-4)
        if start == 0:
            first = products
        close(products, first, 2e-4)
    assert abs(first[4, 2] - first[4, 3]) > 1e-2


@pytest.mark.parametrize(
    "wrong",
    [
        {"attention": "mla", "d_rope": 5},
        {"attention": "gqa", "n_kv_heads": 3},
        {"attention": "linear"},
        {"feed_forward": "moe", "n_experts": 6, "n_groups": 4},
        {"feed_forward": "moe", "n_experts": 8, "top_k": 5, "n_groups": 4, "top_groups": 2},
        {"feed_forward": "moe", "d_expert": 0},
        {"norm": "batch"},
        {"d_latent": 2.5},
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(CheckpointError):
        BeyondConfig(n_layers=1, n_heads=4, d_model=16, d_vocab=8, n_ctx=8, **wrong)
