"""What must hold on a journey is measured, and a broken engine is found out."""

import sys

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.checkpoints import save_by_transformers
from tests.engine import random_model
from tokenjourney.analysis.checks import (
    MOST_COMPARED,
    Check,
    difference,
    journey_checks,
    peer_checks,
    worst,
)
from tokenjourney.model.gpt2 import MLP, Block
from tokenjourney.model.loading import MODELS_FOLDER

IDS = [5, 9, 5, 9, 40, 3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checks") / "model"
    save_by_transformers(folder, n_positions=300)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return tj.load_model(folder)


def by_name(checks):
    return {check.name: check for check in checks}


@pytest.mark.parametrize("n_tokens", [1, 6, 48])
def test_every_check_of_a_journey_holds(n_tokens):
    model = random_model()
    ids = np.random.default_rng(0).integers(0, model.config.d_vocab, n_tokens)
    checks = journey_checks(model, tj.trace(model, ids))
    assert [check.name for check in checks] == ["patterns", "blocks", "attribution", "capture"]
    assert all(check.holds for check in checks), checks


@pytest.mark.parametrize("name", ["mla-mlp", "mla-moe", "mha-moe"])
def test_they_hold_for_models_of_other_parts_than_gpt2s(name):
    model = tj.load_model(MODELS_FOLDER / name)
    checks = journey_checks(model, tj.trace(model, "Once upon a time"))
    assert all(check.holds for check in checks), checks


def test_they_hold_on_an_edited_journey_and_on_a_grown_one():
    model = random_model()
    swapped = tj.replace("ln_final.hook_normalized", np.ones((len(IDS), model.config.d_model)))
    for journey in (
        tj.trace(model, IDS, edits=[tj.ablate_head(1, 2), tj.ablate_mlp(0)]),
        tj.trace(model, IDS).extend(7),
    ):
        assert all(check.holds for check in journey_checks(model, journey))
    assert by_name(journey_checks(model, tj.trace(model, IDS, edits=[swapped])))["capture"].holds


def test_a_block_that_does_not_add_up_is_found_with_its_number(monkeypatch):
    model = random_model()
    ours = Block.forward

    def wrong(self, x, tap, store=None):
        out = ours(self, x, tap, store)
        return out + 0.01 if self is model.network.blocks[1] else out

    monkeypatch.setattr(Block, "forward", wrong)
    found = by_name(journey_checks(model, tj.trace(model, IDS)))
    assert not found["blocks"].holds
    assert found["blocks"].block == 1
    assert found["patterns"].holds
    assert worst(tuple(found.values())).name in ("blocks", "attribution")


def test_a_pass_that_is_another_one_when_watched_is_found(monkeypatch):
    model = random_model()
    ours = MLP.forward

    def wrong(self, x, tap):
        return ours(self, x, tap) * (1.001 if tap.touches("hook_post") else 1.0)

    monkeypatch.setattr(MLP, "forward", wrong)
    assert not by_name(journey_checks(model, tj.trace(model, IDS)))["capture"].holds


def test_numbers_that_are_none_never_hold():
    assert difference(np.array([np.nan]), np.array([1.0])) == float("inf")
    assert not Check("blocks", float("inf"), 1e-5).holds


def test_transformers_gives_the_same_stage_by_stage(model, folder):
    checks = peer_checks(tj.trace(model, IDS), folder)
    blocks = range(model.config.n_layers)
    stages = [(name, block) for block in blocks for name in ("pattern", "stream")]
    expected = [("embedding", None), *stages, ("logits", None)]
    assert [(check.name, check.block) for check in checks] == expected
    assert all(check.holds for check in checks), checks


def test_another_model_than_theirs_differs_from_the_stage_on_where_it_is_another(model, folder):
    other = tj.load_model(folder)
    weight = other.network.blocks[1].mlp.up.weight
    other.network.blocks[1].mlp.up.weight = torch.nn.Parameter(weight * 1.01, requires_grad=False)
    checks = peer_checks(tj.trace(other, IDS), folder)
    failing = [(check.name, check.block) for check in checks if not check.holds]
    assert failing == [("stream", 1), ("pattern", 2), ("stream", 2), ("logits", None)]


def test_of_a_long_journey_the_first_tokens_are_compared(model, folder, monkeypatch):
    import tokenjourney.analysis.checks as checks

    asked = []
    ours = checks._peer_run
    monkeypatch.setattr(checks, "_peer_run", lambda f, ids: (asked.append(ids), ours(f, ids))[1])
    ids = [i % model.config.d_vocab for i in range(290)]
    assert all(check.holds for check in peer_checks(tj.trace(model, ids), folder))
    assert asked == [tuple(ids[:MOST_COMPARED])]


def test_an_edited_journey_is_not_compared(model, folder):
    with pytest.raises(tj.TokenJourneyError, match="without edits"):
        peer_checks(tj.trace(model, IDS, edits=[tj.ablate_mlp(0)]), folder)


def test_where_transformers_is_missing_it_says_what_to_install(model, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(tj.TokenJourneyError, match=r"requirements\.txt"):
        peer_checks(tj.trace(model, IDS), folder)


def test_a_folder_that_transformers_cannot_open_is_named(model, tmp_path):
    with pytest.raises(tj.CheckpointError, match=str(tmp_path)):
        peer_checks(tj.trace(model, IDS), tmp_path)
