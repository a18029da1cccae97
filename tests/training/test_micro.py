"""The micro GPT: what is recorded is true, and nothing that was started is left behind."""

import io
import json
import math
import time

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.training import live
from tokenjourney.training.live import LiveRun, Workshop
from tokenjourney.training.loop import next_token_loss
from tokenjourney.training.micro import micro_text, micro_training
from tokenjourney.training.moments import Beginning, MicroSettings, as_record, from_record
from tokenjourney.training.parts import gradient_norms, part_names, without_skips
from tokenjourney.training.worker import work

TEXT = "The cat sat on the mat. The dog ran to the door, and the cat ran too. " * 24
TINY = {"d_model": 16, "learning_rate": 0.01, "steps": 12}


@pytest.fixture(scope="module")
def recorded():
    return list(micro_training(MicroSettings(TEXT, **TINY)))


def test_the_untrained_loss_is_that_of_guessing_and_it_falls(recorded):
    beginning, *moments = recorded
    assert moments[0].loss == pytest.approx(math.log(len(beginning.vocabulary)), abs=0.1)
    assert moments[-1].snapshot.held_out < moments[0].snapshot.held_out - 0.3
    assert [moment.step for moment in moments] == list(range(13))


def test_the_same_seed_records_the_same(recorded):
    again = list(micro_training(MicroSettings(TEXT, **TINY)))
    assert [m.loss for m in again[1:]] == [m.loss for m in recorded[1:]]
    assert again[-1].snapshot.sample == recorded[-1].snapshot.sample


def test_looking_and_the_twin_change_nothing_of_what_is_learned(recorded, monkeypatch):
    monkeypatch.setattr("tokenjourney.training.micro.SNAPSHOTS", 1)
    alone = list(micro_training(MicroSettings(TEXT, **TINY, twin=False)))
    assert [m.loss for m in alone[1:]] == [m.loss for m in recorded[1:]]
    assert alone[1].twin_loss is None


def test_a_record_survives_its_way_through_json(recorded):
    for found in recorded:
        assert from_record(json.loads(json.dumps(as_record(found)))) == found


def test_every_token_of_the_text_has_a_number_and_comes_back():
    text = "Zoë und Bär " * 200
    found = micro_text(text, 8)
    whole = [*found.train.tolist(), *found.held_out.tolist()]
    assert found.decode(whole) == text
    assert set(whole) == set(range(len(found.vocabulary)))


@pytest.mark.parametrize(
    "changes",
    [{"text": "x" * 70_000}, {"steps": 0}, {"d_model": 30}, {"learning_rate": 0}, {"n_merges": -1}],
)
def test_what_would_not_run_or_run_for_long_is_refused(changes):
    with pytest.raises(tj.PromptError):
        MicroSettings(**({"text": TEXT} | changes))


def test_a_text_that_is_too_short_is_told():
    with pytest.raises(tj.PromptError, match="take a longer text"):
        next(micro_training(MicroSettings("too short")))


def small(n_layers=3):
    network = GPT2(GPT2Config(n_layers, 2, 16, 20, 16))
    network.initialise(torch.Generator().manual_seed(1))
    return network, torch.arange(12)[None] % 20


def test_the_squares_of_the_parts_add_up_to_the_whole_gradient():
    network, ids = small()
    next_token_loss(network, ids[:, :-1], ids[:, 1:]).backward()
    whole = sum(p.grad.square().sum().item() for p in network.parameters())
    norms = gradient_norms(network)
    assert len(norms) == len(part_names(network.config))
    assert sum(norm**2 for norm in norms) == pytest.approx(whole, rel=1e-5)


def test_without_skips_each_part_hands_on_what_it_wrote_alone():
    network, ids = small()
    with torch.no_grad():
        x = network.embed(ids)
        for block in network.blocks:
            x = block.attn(block.ln1(x))
            x = block.mlp(block.ln2(x))
        assert torch.allclose(network(ids, without_skips(3)), network.unembed(x), atol=1e-6)
        assert not torch.allclose(network(ids), network.unembed(x), atol=1e-2)


def test_a_worker_takes_one_step_for_each_line_and_ends_with_the_orders():
    orders = json.dumps({"text": TEXT, **TINY}) + "\n" * 4
    records = io.StringIO()
    work(io.StringIO(orders), records)
    kinds = [json.loads(line)["kind"] for line in records.getvalue().splitlines()]
    assert kinds == ["Beginning", "Moment", "Moment", "Moment"]


def test_a_worker_says_why_it_cannot_train():
    records = io.StringIO()
    work(io.StringIO(json.dumps({"text": "no"}) + "\n"), records)
    assert "longer text" in json.loads(records.getvalue())["message"]


def until(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def test_a_run_is_paused_goes_on_and_ends_and_the_next_waits_for_its_place():
    workshop = Workshop(1)
    first = workshop.start(MicroSettings(TEXT, d_model=16, steps=500, twin=False), lambda: True)
    second = workshop.start(MicroSettings(TEXT, d_model=16, steps=1, twin=False), lambda: True)
    until(lambda: first.moments)
    assert isinstance(first.beginning, Beginning)
    assert second.state == "waiting"
    first.pause()
    until(lambda: not np.diff([len(first.moments), time.sleep(0.3) or len(first.moments)])[0])
    stood = len(first.moments)
    assert first.state == "paused"
    first.go_on()
    until(lambda: len(first.moments) > stood)
    first.stop()
    assert first.wait(20)
    assert first.state == "stopped"
    assert first._process.poll() is not None
    assert second.wait(120)
    assert second.state == "done"
    assert len(second.moments) == 2


def test_a_run_ends_when_its_visitor_leaves_also_while_it_is_paused(monkeypatch):
    monkeypatch.setattr(live, "GRACE_SECONDS", 0.2)
    there = [True]
    run: LiveRun = Workshop(1).start(MicroSettings(TEXT, d_model=16, steps=500), lambda: there[0])
    until(lambda: run.moments)
    run.pause()
    there[0] = False
    assert run.wait(30)
    assert (run.state, run.message) == ("stopped", "The visitor left.")
    assert run._process.poll() is not None


def test_one_who_waits_and_leaves_takes_no_place(monkeypatch):
    monkeypatch.setattr(live, "GRACE_SECONDS", 0.2)
    workshop = Workshop(1)
    workshop._places.acquire()
    run = workshop.start(MicroSettings(TEXT), lambda: False)
    assert run.wait(30)
    assert run.state == "stopped"
    workshop._places.release()
    assert workshop._places.acquire(blocking=False)
