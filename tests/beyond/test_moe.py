"""Mixture of experts: who is chosen, with what gate, and who learns."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.beyond.models import EXPERTS, SIZES, config_of_kind, model_of
from tests.engine import close
from tokenjourney.beyond import BeyondConfig, active_parameters, make_network
from tokenjourney.model.hooks import Tap
from tokenjourney.training.balance import Balance
from tokenjourney.training.loop import Recipe, make_optimizers, training_steps

TEXT = "ab to cab, he said"


@pytest.fixture(scope="module")
def model():
    return model_of(config_of_kind("moe"))


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, TEXT)


def test_each_token_goes_to_top_k_experts_whose_gates_sum_to_one(journey):
    gates = journey["gates", 1]
    assert ((gates > 0).sum(axis=1) == 2).all()
    close(gates.sum(axis=1), np.ones(len(journey)))


def test_gates_are_the_affinities_of_the_chosen_without_the_bias(model, journey):
    scores, gates = journey["router_scores", 0], journey["gates", 0]
    chosen = gates > 0
    kept = np.where(chosen, scores, 0)
    close(gates, kept / kept.sum(axis=1, keepdims=True))
    assert abs(model.network.blocks[0].mlp.router.bias).max() > 0.05


def test_the_chosen_are_the_best_by_biased_affinity_within_the_best_groups(model, journey):
    bias = model.network.blocks[0].mlp.router.bias.numpy()
    for scores, gates in zip(journey["router_scores", 0], journey["gates", 0], strict=True):
        wanted = (scores + bias).reshape(4, 2)
        groups = np.argsort(-wanted.max(axis=1))[:2]  # top_k / top_groups is 1
        allowed = [2 * group + place for group in groups for place in (0, 1)]
        best = sorted(allowed, key=lambda index: -(scores + bias)[index])[:2]
        assert set(np.flatnonzero(gates)) == set(best)


def test_a_bias_changes_who_is_chosen_and_not_what_a_chosen_one_gives(model):
    router = model.network.blocks[0].mlp.router
    affinities = torch.rand(200, 8, generator=torch.Generator().manual_seed(0))
    before = router.bias.clone()
    try:
        router.bias.zero_()
        plain = router.gates(affinities)
        router.bias[3] = 2.0
        pulled = router.gates(affinities)
    finally:
        router.bias.copy_(before)
    assert (plain[:, 3] > 0).float().mean() < 0.6
    assert (pulled[:, 3] > 0).all()
    same = ((plain > 0) == (pulled > 0)).all(dim=1)
    assert same.any()
    close(plain[same], pulled[same])


def test_the_parts_add_up_to_what_the_block_writes(journey):
    whole = journey["expert_out", 1].sum(axis=1) + journey["shared_out", 1]
    close(whole, journey["mlp_out", 1])
    written = np.abs(journey["expert_out", 1]).sum(axis=2) > 0
    assert (written == (journey["gates", 1] > 0)).all()


def test_an_expert_alone_writes_its_gate_times_its_output(model, journey):
    gates, x = journey["gates", 0], torch.tensor(journey["ln2.normalized", 0])
    for index, expert in enumerate(model.network.blocks[0].mlp.experts):
        expected = gates[:, index, None] * expert(x).numpy()
        close(journey["expert_out", 0][:, index], expected)


def test_switching_an_expert_off_by_its_gate_changes_what_is_written(model, journey):
    gates = np.array(journey["gates", 0])
    busiest = int((gates > 0).sum(axis=0).argmax())
    gates[:, busiest] = 0
    edited = tj.trace(model, TEXT, [tj.replace("blocks.0.mlp.hook_gates", gates)])
    lost = journey["mlp_out", 0] - edited["mlp_out", 0]
    close(lost, journey["expert_out", 0][:, busiest])
    assert np.abs(lost).max() > 1e-3


def test_the_classical_router_weighs_all_experts_against_each_other():
    journey = tj.trace(model_of(config_of_kind("classical moe")), TEXT)
    scores, gates = journey["router_scores", 0], journey["gates", 0]
    close(scores.sum(axis=1), np.ones(len(journey)))
    chosen = gates > 0
    close(gates[chosen], scores[chosen])
    assert "blocks.0.mlp.hook_shared_out" not in journey.names


def test_gradients_reach_the_chosen_experts_only():
    network = make_network(BeyondConfig(**SIZES, **EXPERTS))
    network.initialise(torch.Generator().manual_seed(0))
    seen = {}
    from tokenjourney.model.hooks import Tap

    tap = Tap({"blocks.0.mlp.hook_gates": [lambda gates: seen.update(gates=gates.detach())]})
    network(torch.tensor([[5, 6]]), tap).square().sum().backward()
    chosen = (seen["gates"] > 0).any(dim=1)[0]
    assert 2 <= chosen.sum() <= 4
    for expert, was_chosen in zip(network.blocks[0].mlp.experts, chosen, strict=True):
        for parameter in expert.parameters():
            reached = parameter.grad is not None and bool(parameter.grad.any())
            assert reached == bool(was_chosen)
    assert network.blocks[0].mlp.shared.up.weight.grad.any()
    assert network.blocks[0].mlp.router.centroids.weight.grad.any()


def test_active_parameters_are_what_one_token_meets():
    config = config_of_kind("moe")
    network = make_network(config)
    total = sum(parameter.numel() for parameter in network.parameters())
    expert = 3 * config.d_model * config.d_expert
    assert active_parameters(network) == total - config.n_layers * (8 - 2) * expert
    dense = make_network(config_of_kind("swiglu"))
    whole = sum(parameter.numel() for parameter in dense.parameters())
    assert active_parameters(dense) == whole - 256 * 32  # all but one row of W_E, which is not W_U


def loads_of(network, tap_of, ids):
    with torch.no_grad():
        network(ids, tap_of.tap)
    return torch.stack(list(tap_of.loads.values()))


@pytest.mark.parametrize(("groups", "top_groups"), [(1, 1), (4, 2)])
def test_moving_the_bias_evens_out_the_loads(groups, top_groups):
    config = BeyondConfig(**SIZES, **(EXPERTS | {"n_groups": groups, "top_groups": top_groups}))
    network = model_of(config, seed=4).network
    for block in network.blocks:
        block.mlp.router.bias.zero_()
    ids = torch.randint(257, (8, 48), generator=torch.Generator().manual_seed(0))
    before = after = loads_of(network, Balance(network, 0, 0), ids)
    for rate, n_steps in ((0.02, 15), (0.002, 30)):
        balance = Balance(network, rate, weight=0)
        for _ in range(n_steps):
            after = loads_of(network, balance, ids)
            balance.update()
    spread = [(loads.max(dim=1).values / loads.mean(dim=1)).max() for loads in (before, after)]
    assert spread[0] > 2
    assert spread[1] < 1.2


def test_without_a_rate_nothing_moves():
    network = model_of(config_of_kind("moe")).network
    before = network.blocks[0].mlp.router.bias.clone()
    balance = Balance(network, rate=0.0, weight=0)
    loads_of(network, balance, torch.arange(40)[None])
    balance.update()
    assert torch.equal(network.blocks[0].mlp.router.bias, before)


def test_the_auxiliary_loss_is_least_where_loads_are_even():
    config = config_of_kind("classical moe")
    balance = Balance(make_network(config), rate=0.1, weight=2.0)
    even, uneven = torch.full((8,), 1 / 8), torch.tensor([1.0, *[0.0] * 7])
    for shares, expected in ((even, 1.0), (uneven, 8.0)):
        balance.loads = {0: shares, 1: shares}
        balance._affinities = {0: shares, 1: shares}
        assert float(balance.auxiliary_loss()) == pytest.approx(2.0 * 2 * expected)


def test_training_a_softmax_router_with_the_auxiliary_loss_evens_its_loads():
    def worst(weight):
        torch.manual_seed(0)
        network = make_network(config_of_kind("classical moe"))
        network.initialise(torch.Generator().manual_seed(0))
        ids = torch.randint(257, (2, 49), generator=torch.Generator().manual_seed(0))
        recipe = Recipe(25, optimizer="adamw", warmup=1, auxiliary_weight=weight)
        pairs = iter(lambda: (ids[:, :-1], ids[:, 1:]), None)
        for _ in training_steps(network, make_optimizers(network, recipe), pairs, recipe):
            pass
        loads = loads_of(network.eval(), Balance(network, 0, 0), ids[:, :-1])
        return float((loads.max(dim=1).values / loads.mean(dim=1)).max())

    assert worst(0.5) < worst(0.0)


def test_a_training_that_is_watched_is_balanced_all_the_same():
    network = make_network(config_of_kind("moe"))
    network.initialise(torch.Generator().manual_seed(0))
    ids = torch.randint(257, (2, 49), generator=torch.Generator().manual_seed(0))
    recipe = Recipe(3, optimizer="adamw", warmup=1)
    seen = []
    tap = Tap({"blocks.1.mlp.hook_gates": [lambda gates: seen.append(gates.shape)]})
    pairs = iter(lambda: (ids[:, :-1], ids[:, 1:]), None)
    for _ in training_steps(network, make_optimizers(network, recipe), pairs, recipe, tap=tap):
        pass
    assert seen == [(2, 48, 8)] * 3
    assert (network.blocks[1].mlp.router.bias != 0).any()
