"""Packed weights: the same products, quicker; rounded ones: nearly the same."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.model import gpt2, packing
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2, Linear
from tokenjourney.model.packing import (
    WORTH_IT,
    Strips,
    packed,
    rounded,
)
from tokenjourney.model.sampling import ranking

ROUNDED = ("bf16", "int8")

needs_fbgemm = pytest.mark.skipif(not packing._has_sums(), reason="torch without fbgemm")


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n_tokens", [1, 2, 33])
@pytest.mark.parametrize("strips", [False, True])
def test_a_packed_weight_gives_the_same_products(n_tokens, strips):
    rows, x, bias = numbers(1024, 512), numbers(1, n_tokens, 512, seed=1), numbers(1024, seed=2)
    product = packed(rows, strips=strips)
    expected = x @ rows.T
    torch.testing.assert_close(product(x[0, 0], bias), expected[0, 0] + bias, rtol=1e-4, atol=1e-4)
    assert rows.numel() == WORTH_IT
    torch.testing.assert_close(product(x, None), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(product(x, bias), expected + bias, rtol=1e-4, atol=1e-4)
    for _ in range(3):  # from the second on laid out for one token
        torch.testing.assert_close(product(x[0, 0], None), expected[0, 0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            product(x[:, :1], bias), expected[:, :1] + bias, rtol=1e-4, atol=1e-4
        )


def test_a_small_weight_is_left_alone():
    assert packed(numbers(64, 64)) is None


def test_without_the_library_that_packs_the_rows_themselves_are_used(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    rows, x = numbers(1024, 512), numbers(3, 512, seed=1)
    product = packed(rows)
    for _ in range(2):
        torch.testing.assert_close(product(x, None), x @ rows.T, rtol=1e-4, atol=1e-4)
    assert product.n_bytes == 0
    assert rounded(rows, "bf16").n_bytes == (2 + 4) * rows.numel()


@needs_fbgemm
def test_copies_are_made_of_what_is_met_for_the_second_time():
    product, one, two = packed(numbers(1024, 512), strips=True), numbers(1, 512), numbers(2, 512)
    for x in (one, two):
        product(x, None)
    assert product.n_bytes == 0
    product(two, None)
    blocks = product.n_bytes
    assert blocks == 4 * 1024 * 512
    product(one, None)
    strips = 4 * 11 * 96 * 512  # the last strip is not full
    assert strips < product.n_bytes - blocks < 1.02 * strips


@needs_fbgemm
@pytest.mark.parametrize(("d_out", "d_in"), [(96, 1), (97, 5), (1, 33), (50, 7), (192, 64)])
def test_strips_of_any_size_give_the_same_products(d_out, d_in):
    rows, x, bias = numbers(d_out, d_in), numbers(1, 1, d_in, seed=1), numbers(d_out, seed=2)
    for given in (rows, rows.T.contiguous().T):
        torch.testing.assert_close(Strips(given)(x, bias), x @ rows.T + bias)
        torch.testing.assert_close(Strips(given)(x[0, 0], None), x[0, 0] @ rows.T)


def test_no_second_copy_of_a_network_larger_than_gpt2_small(monkeypatch):
    def made(limit):
        monkeypatch.setattr(gpt2, "STRIPS_UP_TO", limit)
        network = GPT2(GPT2Config(n_layers=1, n_heads=8, d_model=512, d_vocab=64, n_ctx=16))
        network.initialise(torch.Generator().manual_seed(0))
        network.pack()
        with torch.no_grad():
            for ids in ([1], [1, 2], [1], [1, 2]):
                network(torch.tensor([ids]))
        return network.packed_bytes, sum(each.numel() for each in network.parameters())

    few, n_parameters = made(0)
    many, _ = made(n_parameters)
    assert few == made(n_parameters - 1)[0]
    assert few < many < 2.2 * few  # strips, the last one not full, and their entries


@pytest.mark.parametrize("d_in", [64, 100])
def test_without_fbgemm_one_token_meets_the_same_weights_in_another_way(d_in, monkeypatch):
    monkeypatch.setattr(packing, "_has_sums", lambda: False)
    rows, x = numbers(2**20 // d_in, d_in), numbers(1, d_in, seed=1)
    exact = packed(rows, strips=True)
    for _ in range(2):
        torch.testing.assert_close(exact(x, None), x @ rows.T, rtol=1e-4, atol=1e-4)
    one = packed(rows, "int8")(x, None)
    several = packed(rows, "int8")(torch.cat([x, x]), None)
    assert (one - several[:1]).abs().max() < 0.05 * several.std()  # x and the result in bf16


@needs_fbgemm
def test_int8_rounds_the_weights_alone():
    rows, x, bias = numbers(500, 300), numbers(2, 300, seed=1), numbers(500, seed=2)
    product = packed(rows, "int8")
    one = torch.stack([product(row, bias) for row in x])
    torch.testing.assert_close(one, product(x, bias), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("weights", ROUNDED)
@pytest.mark.parametrize("d_in", [1, 8, 24, 64, 100])
def test_one_token_and_several_meet_the_same_rounded_weights(weights, d_in):
    rows, x, bias = numbers(96, d_in), numbers(5, d_in, seed=1), numbers(96, seed=2)
    product = rounded(rows, weights)
    several = product(x, bias)
    one = torch.stack([product(row, bias) for row in x])
    spread = several.std()
    assert (one - several).abs().max() < 0.05 * spread  # x and the result in bf16
    error = (several - (x @ rows.T + bias)).abs().max()
    assert 1e-5 * spread < error < 0.05 * spread  # rounded, and not by more than it should be


def test_eight_bits_hold_a_row_of_zeros_and_the_largest_of_each_row():
    rows = torch.tensor([[0.0, 0.0], [127.0, -1.0]])
    product = rounded(rows, "int8")
    assert product(torch.eye(2), None).T.tolist() == [[0.0, 0.0], [127.0, -1.0]]


def test_gradients_go_through_the_weights_themselves():
    layer = Linear(1024, 512)
    torch.nn.init.normal_(layer.weight)
    layer.product = rounded(layer.weight.T, "int8")
    x = numbers(2, 1024)
    assert torch.equal(layer(x), torch.addmm(layer.bias, x, layer.weight))
    with torch.no_grad():
        assert not torch.equal(layer(x), torch.addmm(layer.bias, x, layer.weight))


def test_a_large_network_packs_all_it_computes_with():
    network = GPT2(GPT2Config(n_layers=1, n_heads=8, d_model=512, d_vocab=1024, n_ctx=16))
    network.initialise(torch.Generator().manual_seed(0))
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        plain = network(ids)
        network.pack()
        block = network.blocks[0]
        assert block.attn.qkv.product
        assert block.mlp.up.product
        assert network.unembedding
        for _ in range(2):  # the second time with the copies
            torch.testing.assert_close(network(ids), plain, rtol=1e-4, atol=1e-4)
        assert network.packed_bytes > 0


@pytest.mark.parametrize("weights", ROUNDED)
def test_a_rounded_model_can_be_watched_edited_and_continued(weights):
    prompt = "Once upon a time there was a little"
    exact = tj.trace(tj.load_model(), prompt)
    model = tj.load_model(weights=weights)
    journey = tj.trace(model, prompt)
    assert journey["pattern", 3].dtype == journey.logits.dtype == np.float32
    assert 0 < np.abs(journey.logits - exact.logits).max() < 0.6
    assert journey.next_tokens(k=1)[0].token_id == exact.next_tokens(k=1)[0].token_id
    longer = journey.extend(exact.next_tokens(k=1)[0].token_id)
    whole = tj.trace(model, longer.token_ids)
    np.testing.assert_allclose(longer.logits_at(), whole.logits_at(), atol=0.5)
    edited = tj.trace(model, prompt, [tj.ablate_head(block=1, head=2)])
    assert not edited["z", 1][:, 2].any()


def test_no_other_rounding_is_known():
    with pytest.raises(tj.CheckpointError, match="'int3'; give one of fp32, bf16, int8"):
        tj.load_model(weights="int3")


def test_tokens_are_ranked_as_a_stable_sort_ranks_them():
    random = np.random.default_rng(0)
    logits = random.normal(size=5000).astype(np.float32).round(2)  # many equal ones
    logits[:6] = [0.0, -0.0, np.inf, -np.inf, 1e-42, -1e-42]
    expected = np.argsort(-logits, kind="stable")
    assert ranking(logits).tolist() == expected.tolist()
    assert ranking(logits.astype(np.float64)).tolist() == expected.tolist()
