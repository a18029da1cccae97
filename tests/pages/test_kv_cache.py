"""The page on the KV cache, as people use it."""

import numpy as np
import pytest

import tokenjourney as tj
from tokenjourney.analysis.cache import family_caches
from tokenjourney.analysis.counts import cache_bytes, products_for

PROMPT = "The dog chased another dog"


@pytest.fixture(scope="module")
def journey():
    return tj.trace(tj.load_model(), PROMPT)


def test_the_picture_holds_keys_and_values_of_the_chosen_head(visit, journey):
    seen = visit("kv_cache", PROMPT, block=2, head=4, kvstep=3)
    keys, values = seen.figures["growing"][:2]
    np.testing.assert_allclose(np.reshape(keys["z"], (32, 3)), journey["k", 2][:3, 4].T, atol=1e-5)
    np.testing.assert_allclose(
        np.reshape(values["z"], (32, 3)), journey["v", 2][:3, 4].T, atol=1e-5
    )


def test_the_slider_brings_a_column_and_is_in_the_link(visit):
    seen = visit("kv_cache", PROMPT, token=1)
    assert len(seen.figures["growing"][0]["x"]) == 2, "the followed token is the new one"
    seen.set("kvstep", 5)
    assert len(seen.figures["growing"][0]["x"]) == 5
    assert seen.link["kvstep"] == "5"


def test_work_and_memory_of_the_step_are_said(visit, journey):
    text = visit("kv_cache", PROMPT, kvstep=4).text
    assert f"{products_for(journey.config, 1, 3):,} times with" in text
    assert f"{products_for(journey.config, 4):,} times without" in text
    assert "36.9\u00a0kB" in text
    assert cache_bytes(journey.config, 4) == 36_864


def test_what_is_off_changes_what_later_blocks_keep(visit):
    plain = visit("kv_cache", PROMPT, block=3)
    changed = visit("kv_cache", PROMPT, block=3, off="0,m0")
    assert plain.figures["growing"][0]["z"] != changed.figures["growing"][0]["z"]
    assert plain.figures["memory"] == changed.figures["memory"]
    assert changed.text.count("tj-badge tj-small") == 1, "of all figures only the picture changes"


def test_memory_follows_length_and_precision(visit, journey):
    seen = visit("kv_cache", PROMPT)
    expected = [cache_bytes(journey.config, 131_072, 2), *family_caches(131_072, 2).values()]
    np.testing.assert_allclose(seen.figures["memory"][0]["x"], np.array(expected) / 1e9, rtol=1e-6)
    seen.set("kvbytes", "fp32")
    np.testing.assert_allclose(seen.figures["memory"][0]["x"], np.array(expected) / 5e11, rtol=1e-6)
    seen.app.select_slider(key="w.kv_cache.kvlength").set_value(1).run()
    assert seen.link["kvlength"] == "1"
    assert "memory of the cache, MB" in str(seen.layouts["memory"])


def test_kinds_here_and_at_deepseeks(visit):
    found = visit("kv_cache", PROMPT).figures
    assert list(found["here"][0]["x"]) == [384, 192, 64, 144]
    assert list(found["large"][0]["x"]) == [32768, 2048, 256, 576]


def test_one_token_is_measured_at_several_lengths(visit):
    seen = visit("kv_cache", "Hi")
    assert "speed" not in seen.figures
    seen.press("Measure now")
    without, with_cache = seen.figures["speed"]
    assert list(without["x"]) == list(with_cache["x"]) == [2, 16, 32, 64, 128, 256]
    assert min(with_cache["y"]) > 0
    assert min(without["y"]) > 0


def test_one_token_has_nothing_to_slide_and_saves_nothing(visit):
    seen = visit("kv_cache", "Hi")
    assert len(seen.figures["growing"][0]["x"]) == 1
    assert "1.0 times as much" in seen.text
    assert "the cache saves nothing" in seen.text


@pytest.mark.parametrize("step", ["0", "7", "x"])
def test_a_step_that_is_not_there_is_named(visit, step):
    assert "from 1 to 6" in visit("kv_cache", PROMPT, kvstep=step).text


def test_of_a_long_text_a_part_is_drawn_and_the_page_says_which(visit):
    seen = visit("kv_cache", "Hi" + " the dog" * 100, kvstep=100)
    assert "Drawn are tokens 69–128 of 201." in seen.text
    assert list(seen.figures["growing"][0]["x"]) == list(range(69, 100))
