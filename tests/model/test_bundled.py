"""The model that comes along: it is there, it is small, and transformers agrees with us on it."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.checkpoints import greedy_by_transformers
from tokenjourney.model.loading import BUNDLED_MODEL, MODELS_FOLDER
from tokenjourney.training.corpus import read_stories
from tokenjourney.training.evaluate import bits_per_byte

TEXT = "Once upon a time there was a little girl. She didn't like the big, red dog."


@pytest.fixture(scope="module")
def pair():
    from transformers import AutoModelForCausalLM

    folder = MODELS_FOLDER / BUNDLED_MODEL
    theirs = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager"
    )
    return theirs.eval(), tj.load_model()


def test_it_opens_by_default_and_by_name():
    model = tj.load_model()
    assert model.name == BUNDLED_MODEL == tj.load_model(BUNDLED_MODEL).name
    assert model.tokenizer is not None, model.tokenizer_problem
    assert model.tokenizer.n_vocab == model.config.d_vocab


def test_it_takes_at_most_16_megabytes_and_says_where_it_comes_from():
    folder = MODELS_FOLDER / BUNDLED_MODEL
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 16_000_000
    assert "TinyStories" in (folder / "README.md").read_text(encoding="utf-8")


def test_transformers_reads_its_tokenizer_and_agrees():
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(MODELS_FOLDER / BUNDLED_MODEL)
    ours = tj.load_model().tokenizer
    for text in (TEXT, "naïve 😀  two spaces\n\n\tand 12,345 <|endoftext|> more"):
        assert theirs.encode(text) == ours.encode(text, allow_special=True)
        assert theirs.decode(ours.encode(text)) == text


def test_transformers_gives_the_same_logits_stream_and_patterns(pair):
    theirs, ours = pair
    journey = tj.trace(ours, TEXT)
    ids = torch.tensor([journey.token_ids])
    with torch.no_grad():
        outputs = theirs(ids, output_hidden_states=True, output_attentions=True)
    close(journey.logits, outputs.logits[0])
    for block in range(ours.config.n_layers):
        close(journey["resid_pre", block], outputs.hidden_states[block][0])
        close(journey["pattern", block], outputs.attentions[block][0], 1e-5)


def test_transformers_tells_the_same_story(pair):
    theirs, ours = pair
    prompt = torch.tensor([ours.tokenizer.encode("Once upon a time")])
    expected = greedy_by_transformers(theirs, prompt, 50)
    steps = tj.generate(ours, prompt[0].tolist(), max_new_tokens=50, temperature=0)
    assert [step.token.id for step in steps] == expected


def test_it_predicts_held_out_stories(data_folder):
    model = tj.load_model()
    stories = read_stories([data_folder / "tinystories" / "val.txt"])
    assert bits_per_byte(model.network, model.tokenizer, stories) <= 0.70


def test_it_has_a_head_that_looks_one_back_and_one_that_finds_what_came_before():
    model = tj.load_model()
    story = (
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the "
        "park with her big dog. One day, she saw a bird."
    )
    journey = tj.trace(model, story)
    n = len(journey)
    previous = [journey["pattern", b][:, range(1, n), range(n - 1)].mean(-1) for b in range(6)]
    assert np.max(previous) >= 0.5
    once = np.random.default_rng(0).integers(256, 2000, 60)
    journey = tj.trace(model, [*once, *once])
    again = np.arange(61, 120)  # each looks for what followed its token the first time
    induction = [journey["pattern", b][:, again, again - 59].mean(-1) for b in range(6)]
    assert np.max(induction) >= 0.3


def close(ours, theirs, tolerance=1e-4):
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=tolerance, atol=tolerance)
