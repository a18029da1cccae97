"""The four models that come along are what their cards say."""

import json
import re

import pytest

import tokenjourney as tj
from tokenjourney.beyond import active_parameters
from tokenjourney.model.loading import MODELS_FOLDER
from tokenjourney.training.corpus import read_stories
from tokenjourney.training.evaluate import bits_per_byte

NAMES = ("mha-mlp", "mla-mlp", "mha-moe", "mla-moe")


@pytest.mark.parametrize("name", NAMES)
def test_its_card_and_its_log_are_about_these_weights(name):
    folder = MODELS_FOLDER / name
    model, card = tj.load_model(folder), (folder / "README.md").read_text()
    assert f"{model.n_parameters:,} parameters" in card.replace("\n", " ")
    active = active_parameters(model.network)
    assert (f"{active:,}" in card) or active == model.n_parameters
    assert (active < model.n_parameters) == name.endswith("moe")
    log = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    stated = float(re.search(r"([\d.]+) bits per byte", card)[1])
    assert log[-1]["bits_per_byte"] == pytest.approx(stated, abs=2e-3)
    assert log[-1]["step"] == 1000
    for licence in ("TinyStories", "CDLA-Sharing-1.0"):
        assert licence in card


def test_they_differ_in_attention_and_feed_forward_part_only():
    models = [tj.load_model(MODELS_FOLDER / name) for name in NAMES]
    same = ("n_layers", "n_heads", "d_model", "d_vocab", "n_ctx")
    assert len({tuple(getattr(m.config, size) for size in same) for m in models}) == 1
    text = "Once upon a time there was a little girl."
    assert len({tuple(m.tokenizer.encode(text)) for m in models}) == 1
    assert sum(f.stat().st_size for n in NAMES for f in (MODELS_FOLDER / n).iterdir()) < 20e6


@pytest.mark.parametrize("name", NAMES)
def test_it_predicts_stories_that_it_never_saw(name, data_folder):
    model = tj.load_model(MODELS_FOLDER / name)
    stories = read_stories([data_folder / "tinystories" / "val.txt"])[:24]
    assert 0.8 < bits_per_byte(model.network, model.tokenizer, stories) < 1.4
