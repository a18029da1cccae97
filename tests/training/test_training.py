"""Training: it learns, resumes where it stopped, and writes what it promises."""

import json
import math
import re
from itertools import pairwise

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.__main__ import main
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.training.corpus import NOT_A_TARGET, Repetition, Windows, end_of_text_id
from tokenjourney.training.evaluate import bits_per_byte, greedy_agreement
from tokenjourney.training.loop import Recipe, make_optimizers, next_token_loss, training_steps
from tokenjourney.training.progress import read_facts
from tokenjourney.training.run import Run, train

STORIES = [
    f"The {a} {b} sat on the {c}."
    for a in ("big", "red")
    for b in ("cat", "dog")
    for c in ("mat", "bed", "box")
]
CONFIG = GPT2Config(n_layers=2, n_heads=2, d_model=16, d_vocab=270, n_ctx=32, dropout=0.1)


@pytest.fixture
def tokenizer():
    merges = [(s.left, s.right) for s in tj.train_bpe(" ".join(STORIES), 13)]
    return tj.Tokenizer.from_merges(merges, ["<|endoftext|>"])


@pytest.fixture
def files(tmp_path):
    corpus, held_out = tmp_path / "corpus.txt", tmp_path / "held_out.txt"
    corpus.write_text("\n<|endoftext|>\n".join(STORIES[:-2] * 8))
    held_out.write_text("\n<|endoftext|>\n".join(STORIES[-2:]))
    return corpus, held_out


def run_of(files, work, steps, **recipe):
    corpus, held_out = files
    return Run(
        [corpus],
        held_out,
        work,
        CONFIG,
        Recipe(steps, batch_size=4, warmup=5, **recipe),
        evaluate_every=10,
        patience=100,
    )


def network_of(config=CONFIG, seed=0):
    network = GPT2(config)
    network.initialise(torch.Generator().manual_seed(seed))
    return network


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_the_loss_falls_from_that_of_guessing(tokenizer, optimizer):
    torch.manual_seed(0)
    network = network_of()
    recipe = Recipe(60, batch_size=8, warmup=5, optimizer=optimizer)
    batches = Windows(STORIES, tokenizer, CONFIG.n_ctx, 0).batches(8)
    reports = list(training_steps(network, make_optimizers(network, recipe), batches, recipe))
    assert reports[0].loss == pytest.approx(math.log(CONFIG.d_vocab), abs=0.2)
    assert reports[-1].loss < reports[0].loss - 2
    assert [report.step for report in reports] == list(range(60))


def test_every_parameter_is_trained_by_exactly_one_optimizer():
    network = network_of()
    for optimizer in ("muon", "adamw"):
        made = make_optimizers(network, Recipe(1, optimizer=optimizer))
        trained = [id(p) for o in made for g in o.param_groups for p in g["params"]]
        assert sorted(trained) == sorted(id(p) for p in network.parameters())


def test_dropout_acts_in_training_only():
    network, ids = network_of(), torch.arange(8)[None]
    network.eval()
    assert torch.equal(network(ids), network(ids))
    network.train()
    assert not torch.equal(network(ids), network(ids))


def test_a_run_that_was_stopped_ends_where_an_unbroken_one_ends(files, tmp_path):
    whole = train(run_of(files, tmp_path / "whole", 30), say=lambda _: None)
    stopped = run_of(files, tmp_path / "stopped", 30)

    class Stop(Exception):
        pass

    def stop(line):
        if line.startswith("step 20"):
            raise Stop

    with pytest.raises(Stop):
        train(stopped, say=stop)
    # the step at which it was stopped was not saved: it begins again at step 10
    assert read_facts(tmp_path / "stopped" / "latest.safetensors")["step"] == 10
    resumed = train(stopped, say=lambda _: None)
    assert whole.with_name("latest.safetensors").exists()
    left, right = (read_facts(p.with_name("latest.safetensors")) for p in (whole, resumed))
    assert left["step"] == right["step"] == 30
    assert left["best"] == pytest.approx(right["best"], abs=1e-6)


def test_training_stops_early_when_nothing_gets_better(files, tmp_path):
    corpus, held_out = files
    run = Run(
        [corpus],
        held_out,
        tmp_path / "w",
        CONFIG,
        Recipe(400, batch_size=4, warmup=1, learning_rate=1e-9, matrix_rate=1e-9),
        evaluate_every=5,
        patience=2,
    )
    lines = []
    train(run, lines.append)
    assert "stopping early" in lines[-1]


def test_every_token_of_every_story_is_seen_in_an_epoch(tokenizer):
    stories = [*STORIES, "long " * 100]
    windows = Windows(stories, tokenizer, 32, seed=1)
    flat, starts = windows._lay_out(0)
    seen = np.zeros(windows.n_tokens, bool)
    for start in starts:
        seen[start : start + 32] = True
    assert seen.all()
    end = end_of_text_id(tokenizer)
    assert (flat[np.sort(starts)][:3] == end).all()


def test_targets_are_the_tokens_that_come_next(tokenizer):
    inputs, targets = next(Windows(STORIES, tokenizer, 32, 0).batches(4))
    assert inputs.shape == targets.shape == (4, 32)
    assert torch.equal(inputs[:, 1:], targets[:, :-1])


def test_repeated_windows_repeat_and_first_rounds_of_random_tokens_do_not_count(tokenizer):
    repetition = Repetition(passages=0.0, shuffled=1.0)
    inputs, targets = next(Windows(STORIES, tokenizer, 32, 0, repetition).batches(4))
    for row, target in zip(inputs.tolist(), targets.tolist(), strict=True):
        period = next(p for p in range(1, 33) if row[p:] == row[:-p])
        assert 8 <= period <= 16
        assert target[: period - 1] == [NOT_A_TARGET] * (period - 1)
        assert target[period - 1 : -1] == row[period:]


def test_bits_per_byte_of_a_model_that_guesses(tokenizer):
    network = network_of()
    with torch.no_grad():
        network.W_E.zero_()
    stories = ["The cat sat.", "A dog " * 40]
    tokens = [tokenizer.encode(s)[:32] for s in stories]
    n_bytes = sum(len(tokenizer.decode(ids).encode()) for ids in tokens)
    expected = sum(map(len, tokens)) * math.log2(CONFIG.d_vocab) / n_bytes
    assert bits_per_byte(network, tokenizer, stories) == pytest.approx(expected, rel=1e-5)


def test_bits_per_byte_is_that_of_each_story_alone(tokenizer):
    network = network_of(seed=3).eval()
    end = end_of_text_id(tokenizer)
    bits = n_bytes = 0.0
    for story in STORIES[:3]:
        ids = tokenizer.encode(story)[:32]
        journey = tj.trace(tj.Model("m", network, tokenizer), [end, *ids[:-1]])
        shares = torch.tensor(journey.logits).log_softmax(-1)
        bits -= sum(shares[i, token].item() for i, token in enumerate(ids)) / math.log(2)
        n_bytes += len(tokenizer.decode(ids).encode())
    found = bits_per_byte(network, tokenizer, STORIES[:3], batch_size=2)
    assert found == pytest.approx(bits / n_bytes, rel=1e-5)


def test_the_loss_leaves_out_what_is_marked():
    network, inputs = network_of().eval(), torch.tensor([[1, 2, 3]])
    whole = next_token_loss(network, inputs[:, :1], torch.tensor([[2]]))
    marked = next_token_loss(network, inputs, torch.tensor([[2, NOT_A_TARGET, NOT_A_TARGET]]))
    assert marked.item() == pytest.approx(whole.item(), rel=1e-5)


@pytest.mark.parametrize("schedule", ["cosine", "wsd"])
def test_schedules_warm_up_and_fall(schedule):
    recipe = Recipe(100, warmup=10, schedule=schedule)
    rates = [recipe.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0, abs=0.01)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.12


def test_the_command_trains_a_folder_that_loads(files, tmp_path, capsys):
    corpus, held_out = files
    out = tmp_path / "mine"
    sizes = ["--layers", "1", "--heads", "2", "--d-model", "8", "--vocabulary", "270"]
    files_given = ["--corpus", str(corpus), "--validation", str(held_out), "--out", str(out)]
    short = ["--steps", "4", "--batch-size", "2", "--context", "16", "--data", "Stories of a test."]
    assert main(["train", *files_given, *sizes, *short]) == 0
    assert "bits per byte" in capsys.readouterr().out
    model = tj.load_model(str(out))
    assert model.config.n_layers == 1
    assert len(tj.trace(model, "The cat").tokens) >= 2
    card = (out / "README.md").read_text()
    assert "Stories of a test." in card
    assert "> Once upon a time" in card
    assert json.loads((out / "config.json").read_text())["model_type"] == "gpt2"
    capsys.readouterr()
    assert main(["evaluate", str(held_out), "--model", str(out)]) == 0
    assert "of fp32" not in capsys.readouterr().out
    assert main(["evaluate", str(held_out), "--model", str(out), "--weights", "int8"]) == 0
    assert re.search(r"\d+\.\d\d% of the tokens .* are those of fp32", capsys.readouterr().out)


def test_a_model_agrees_with_itself_and_seldom_with_another(files):
    model, other = tj.load_model(), tj.load_model()
    text = ["One day Tom saw a big dog in the park."]
    assert greedy_agreement(model, other, text) == 1
    other.network.unembedding = lambda x, bias: -x @ model.network.W_U
    assert greedy_agreement(model, other, text) < 0.1


def test_a_missing_corpus_is_told(tmp_path, capsys):
    missing = ["--corpus", str(tmp_path / "no.txt"), "--validation", "no", "--out", str(tmp_path)]
    assert main(["train", *missing]) == 1
    assert "Cannot read the corpus" in capsys.readouterr().err
