"""Models and Journeys are kept: bounded, and computed once."""

from __future__ import annotations

import threading
import time

import pytest

import tokenjourney as tj
from tokenjourney.ui import cache
from tokenjourney.ui.cache import BoundedCache


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


def test_a_failure_is_raised_and_not_kept():
    kept = BoundedCache(10, lambda _: 1)

    def fail():
        raise tj.PromptError("no")

    with pytest.raises(tj.PromptError):
        kept.get("key", fail)
    assert kept.get("key", lambda: "later") == "later"


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
