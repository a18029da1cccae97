"""Work and memory with and without a KV cache."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import tokenjourney as tj
from tests.engine import CONFIG, random_model
from tokenjourney.analysis.counts import cache_bytes, products_for
from tokenjourney.model.hooks import Tap


@pytest.mark.parametrize("n_tokens", [1, 2, 20])
def test_the_count_is_what_torch_counts(n_tokens):
    network = random_model().network
    ids = torch.zeros(1, n_tokens, dtype=torch.long)
    # attention in the open: what runs inside a fused kernel is not counted everywhere
    watched = {f"blocks.{i}.attn.hook_pattern": [lambda _: None] for i in range(CONFIG.n_layers)}
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        *_, last = network.residual_stream(ids, Tap(watched))
        network.unembed(last[:, -1])
    # torch counts the masked half of the pairs as well, and two operations for a product
    masked = CONFIG.n_layers * n_tokens * (n_tokens - 1) // 2 * 2 * CONFIG.d_model
    assert counter.get_total_flops() == pytest.approx(2 * (products_for(CONFIG, n_tokens) + masked))


def test_a_token_after_kept_ones_costs_what_the_longer_prompt_costs_more():
    unembedding = CONFIG.d_model * CONFIG.d_vocab
    longer = products_for(CONFIG, 21) - products_for(CONFIG, 20) + unembedding
    assert products_for(CONFIG, 1, n_seen=20) == longer


def test_the_cache_weighs_what_the_journey_keeps():
    journey = tj.trace(random_model(), list(range(20)))
    record = journey._record
    assert cache_bytes(CONFIG, 20) == record.keys.nbytes + record.values.nbytes
