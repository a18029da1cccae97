"""Values are kept within their bytes, and computed once."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

import tokenjourney as tj
from tokenjourney.analysis.heads import HeadScores
from tokenjourney.ui.bounded import BoundedCache, size_of


def test_thirty_people_who_open_one_link_cost_one_computation():
    kept = BoundedCache(100, lambda _: 1)
    calls = []

    def compute():
        calls.append(1)
        time.sleep(0.05)
        return "journey"

    found = []
    threads = [
        threading.Thread(target=lambda: found.append(kept.get("link", compute))) for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["journey"] * 30
    assert len(calls) == 1


def test_what_was_used_longest_ago_goes_first_and_the_newest_stays():
    kept = BoundedCache(10, len)
    for key in ("a", "b"):
        kept.get(key, lambda: "12345")
    kept.get("a", lambda: "")
    kept.get("c", lambda: "1")
    assert "a" in kept
    assert "b" not in kept
    kept.get("huge", lambda: "x" * 99)
    assert "huge" in kept
    assert len(kept) == 1


def test_what_a_value_counts_at_least_bounds_their_number():
    kept = BoundedCache(10, len, least=5)
    for key in ("a", "b", "c"):
        kept.get(key, lambda: "1")
    assert len(kept) == 2
    kept.get("long", lambda: "1234567890")
    assert len(kept) == 1


def test_a_failure_is_raised_and_not_kept():
    kept = BoundedCache(10, lambda _: 1)

    def fail():
        raise tj.PromptError("no")

    with pytest.raises(tj.PromptError):
        kept.get("key", fail)
    assert kept.get("key", lambda: "later") == "later"


def test_what_grows_while_it_is_kept_pushes_others_out():
    kept = BoundedCache(10, len, grows=True)
    growing = kept.get("growing", lambda: ["1"] * 4)
    kept.get("other", lambda: ["1"] * 5)
    assert kept.weight == 9
    growing += ["1"] * 3
    assert kept.find("growing") is growing
    assert "other" not in kept
    assert kept.weight == 7


def test_all_that_is_kept_stays_within_its_bytes():
    kept = BoundedCache(10_000, size_of)
    for number in range(30):
        kept.get(number, lambda: np.zeros(200))
        assert kept.weight <= 10_000
    assert len(kept) == 6
    assert 29 in kept


def test_a_value_has_the_size_of_all_that_is_in_it():
    array = np.zeros(1000, np.float32)
    assert 4000 < size_of((array,)) < 4200
    assert 8000 < size_of({"one": array, "other": [array]}) < 8600
    assert size_of(HeadScores(array, array)) > 8000
    journey = tj.trace(tj.load_model(), "The dog")
    assert size_of(journey) == journey.n_bytes


def test_pieces_of_a_text_do_not_weigh_the_vocabulary_that_they_share():
    pieces = tj.load_model().tokenizer.merges("Once upon a time there was a dog. " * 20)
    assert len(pieces) > 100
    assert len(pieces) * 100 < size_of(pieces) < len(pieces) * 2_000
