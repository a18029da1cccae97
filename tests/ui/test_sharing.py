"""Short passes run at once, long ones in turn; a thread has as many cores as its work is worth."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tokenjourney.ui import cache, sharing
from tokenjourney.ui.sharing import Turns

PATIENCE = 30  # seconds until a test that waits for what never comes fails


def test_short_work_overtakes_long_work_between_two_steps():
    turns, done, is_here = Turns(), [], threading.Event()

    def long():
        done.append("long 0")
        assert is_here.wait(PATIENCE)
        yield "a"
        done.append("long 1")
        yield "b"

    def short():
        for step in range(3):
            done.append(f"short {step}")
            is_here.set()
            yield step

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(turns.last, 9, long())
        while not done:
            time.sleep(0.001)
        other = pool.submit(turns.last, 2, short())
        assert (one.result(PATIENCE), other.result(PATIENCE)) == ("b", 2)
    assert done == ["long 0", "short 0", "short 1", "short 2", "long 1"]


def test_of_two_alike_the_first_is_done_before_the_second_begins():
    turns, done, both_here = Turns(), [], threading.Event()

    def steps(name):
        for step in range(2):
            done.append(f"{name} {step}")
            assert both_here.wait(PATIENCE)
            yield

    with ThreadPoolExecutor(2) as pool:
        pool.submit(turns.last, 5, steps("first"))
        while not done:
            time.sleep(0.001)
        second = pool.submit(turns.last, 5, steps("second"))
        while len(turns) < 2:
            assert not second.done()
            time.sleep(0.001)
        both_here.set()
    assert done == ["first 0", "first 1", "second 0", "second 1"]


@pytest.mark.parametrize("error", [tj.PromptError, KeyboardInterrupt])
def test_work_that_fails_or_is_stopped_leaves_the_turn_to_the_next(error):
    turns = Turns()

    def failing():
        yield 1
        raise error("no")

    with pytest.raises(error):
        turns.last(1, failing())
    assert len(turns) == 0
    assert turns.last(2, iter("abc")) == "c"


def test_a_long_pass_makes_the_same_journey(monkeypatch):
    monkeypatch.setattr(sharing, "LONG", 1)
    model = cache.model("bundled")
    edits = (tj.ablate_head(block=1, head=2),)
    found = sharing.trace(model, [5, 6, 7], edits)
    expected = tj.trace(model, [5, 6, 7], edits)
    assert found.edits == edits
    np.testing.assert_array_equal(found.logits_at(), expected.logits_at())
    with pytest.raises(tj.PromptError):
        sharing.trace(model, [])


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(sharing, "_CORES", 2)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_cores")
def test_each_thread_computes_on_as_many_cores_as_its_work_is_worth():
    model = cache.model("bundled")
    many = sharing.LONG // model.n_parameters + 1

    def cores(n_tokens):
        sharing.suit_cores(model, n_tokens)
        ready.wait(PATIENCE)  # now every thread has set its own number
        torch.ones(64, 64) @ torch.ones(64, 64)
        return torch.get_num_threads()

    ready = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(cores, (12, many, many - 1))) == [1, 2, 1]


@pytest.mark.usefixtures("two_cores")
def test_a_part_that_reruns_in_a_new_thread_computes_as_its_page_did():
    def made_on(n_tokens):
        sharing.suit_cores(cache.model("bundled"), n_tokens)
        return sharing.on_these_cores(torch.get_num_threads)

    with ThreadPoolExecutor(1) as pool:
        short, long = pool.submit(made_on, 1).result(), pool.submit(made_on, 10**6).result()
    for part, expected in ((short, 1), (long, 2), (short, 1)):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(part).result() == expected
