"""Models and Journeys are kept for everybody, and weigh what they hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.model.checkpoints import save_checkpoint
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.ui import cache, models


def test_a_journey_weighs_more_once_its_blocks_were_looked_at():
    prompt = "What weighs nothing yet " * 30
    journey = cache.journey("bundled", prompt)
    before = cache._journeys().weight
    for block in range(journey.config.n_layers):
        journey["pattern", block]
    cache.journey("bundled", prompt)
    least = cache._JOURNEY_BYTES // cache._JOURNEYS
    assert cache._journeys().weight - before == journey.n_bytes - least > 0


def test_a_model_weighs_as_much_as_its_weights_and_their_packed_copies(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKENJOURNEY_MODEL_PATHS", str(tmp_path / "wide"))
    network = GPT2(GPT2Config(n_layers=1, n_heads=8, d_model=512, d_vocab=1024, n_ctx=16))
    network.initialise(torch.Generator().manual_seed(0))
    save_checkpoint(tmp_path / "wide", network)
    before = cache._models().weight
    model = cache.model("wide")
    parameters = 4 * model.n_parameters
    linear = 4 * 512 * 512 * (3 + 4 + 4)  # qkv, up and down; out is too small to be packed
    assert cache._models().weight == before + parameters
    for _ in range(2):  # what is met again is packed
        journey = tj.trace(model, [1, 2])
    cache.model("wide")
    assert cache._models().weight == before + parameters + linear + 4 * 512 * 1024
    for _ in range(2):  # so is a copy for single tokens
        journey = journey.extend(3)
    cache.model("wide")
    assert cache._models().weight > before + parameters + 2 * linear + 4 * 512 * 1024
    assert model.n_bytes <= models.memory_for(model.n_parameters)


def test_the_same_prompt_is_the_same_journey_and_edits_make_another():
    plain = cache.journey("bundled", "The dog")
    assert cache.journey("bundled", "The dog") is plain
    edited = cache.journey("bundled", "The dog", (tj.ablate_head(block=0, head=0),))
    assert edited is not plain
    assert cache.journey("bundled", "The dog", (tj.ablate_head(block=0, head=0),)) is edited
    assert cache.journey("bundled", "The dog", (tj.ablate_head(block=0, head=1),)) is not edited


def test_a_visitor_cannot_name_another_model():
    for name in ("/tmp", "..", "openai-community/gpt2", ""):
        with pytest.raises(tj.ModelNotFoundError, match="Choose one of these"):
            cache.model(name)


def test_the_settings_of_the_owner_are_what_is_offered(monkeypatch, tmp_path):
    from tokenjourney.ui.models import offers

    folder = tmp_path / "local"
    folder.mkdir()
    monkeypatch.setenv("TOKENJOURNEY_MODELS", "gpt2, someone/else ,")
    monkeypatch.setenv("TOKENJOURNEY_MODEL_PATHS", str(folder))
    assert list(offers()) == ["bundled", "local", "gpt2", "someone/else"]
    assert "548 MB to download" in offers()["gpt2"].size
    assert "not known" in offers()["someone/else"].size
    monkeypatch.setenv("TOKENJOURNEY_MODELS", "")
    assert list(offers()) == ["bundled", "local"]


def test_more_tokens_are_put_behind_the_longest_text_that_is_there(monkeypatch):
    run, extend = [], tj.Journey.extend

    def watched(self, *ids):
        run.append(ids)
        return extend(self, *ids)

    monkeypatch.setattr(tj.Journey, "extend", watched)
    first = cache.continued("bundled", "A cat and a bird", (5, 6))
    longer = cache.continued("bundled", "A cat and a bird", (5, 6, 7, 8))
    other = cache.continued("bundled", "A cat and a bird", (5, 9))
    assert run == [(5, 6), (7, 8), (5, 9)]
    start = cache.journey("bundled", "A cat and a bird").token_ids
    assert (first.token_ids, other.token_ids) == ((*start, 5, 6), (*start, 5, 9))
    whole = tj.trace(cache.model("bundled"), (*start, 5, 6, 7, 8))
    np.testing.assert_allclose(longer.logits, whole.logits, rtol=1e-4, atol=1e-4)
