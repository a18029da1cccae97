"""The page on latent attention shows what the small trained model keeps of the prompt."""

import re

import numpy as np
import pytest

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace
from tokenjourney.model.loading import MODELS_FOLDER

PROMPT = "Once upon a time there was a little"


@pytest.fixture(scope="module")
def journey():
    return tj.trace(tj.load_model(MODELS_FOLDER / "mla-mlp"), PROMPT)


def test_strips_are_the_latent_and_what_is_rebuilt_from_it(journey):
    strips = charts(open_page("latent_attention", prompt=PROMPT, lblock=2))[
        "latent_attention-strips"
    ]
    expected = [
        journey["latent", 2],
        journey["k_rot", 2],
        journey["k", 2][..., :32].reshape(len(journey), -1),
        journey["v", 2].reshape(len(journey), -1),
    ]
    for part, values in zip(strips, expected, strict=True):
        np.testing.assert_allclose(np.reshape(part["z"], values.shape), values, atol=1e-5)
    assert strips[0]["opacity"] == strips[1]["opacity"] == 1
    assert strips[2]["opacity"] == strips[3]["opacity"] < 0.5


def test_scores_are_equal_with_keys_and_without(journey):
    app = open_page("latent_attention", prompt=PROMPT, lblock=1, lhead=3, token=6)
    with_keys, without = charts(app)["latent_attention-absorbed"]
    expected = journey["attn_scores", 1][3, 6, :7]
    np.testing.assert_allclose(with_keys["x"], expected, atol=1e-5)
    np.testing.assert_allclose(without["x"], expected, atol=1e-5)
    assert np.abs(expected).max() > 0.1


def test_the_output_is_equal_with_values_and_without(journey):
    app = open_page("latent_attention", prompt=PROMPT, lblock=1, token=6)
    rebuilt, absorbed = (np.ravel(one["z"]) for one in charts(app)["latent_attention-output"])
    np.testing.assert_allclose(rebuilt, journey["attn_out", 1][6], atol=1e-5)
    np.testing.assert_allclose(absorbed, rebuilt, atol=1e-5)
    assert np.abs(rebuilt).max() > 0.1


def test_queries_are_made_from_their_own_latent(journey):
    strips = charts(open_page("latent_attention", prompt=PROMPT, lblock=3))
    latent, still, turned = strips["latent_attention-queries"]
    n, q = len(journey), journey["q", 3]
    np.testing.assert_allclose(latent["z"], journey["q_latent", 3], atol=1e-5)
    np.testing.assert_allclose(still["z"], q[..., :32].reshape(n, -1), atol=1e-5)
    np.testing.assert_allclose(turned["z"], q[..., 32:].reshape(n, -1), atol=1e-5)


def test_block_and_head_are_chosen_with_buttons(journey):
    app = open_page("latent_attention", prompt=PROMPT, token=6)
    for name, value in (("lblock", "2"), ("lhead", "1")):
        app.segmented_control(f"w.latent_attention.{name}").set_value(value)
        run(app)
    with_keys, _ = charts(app)["latent_attention-absorbed"]
    np.testing.assert_allclose(with_keys["x"], journey["attn_scores", 2][1, 6, :7], atol=1e-5)


def test_cache_sizes_here_and_at_deepseeks():
    found = charts(open_page("latent_attention", prompt=PROMPT))
    assert list(found["latent_attention-here"][0]["x"]) == [256, 128, 64, 48]
    assert list(found["latent_attention-large"][0]["x"]) == [32768, 2048, 256, 576]


def test_every_head_of_the_small_model_is_a_tile():
    heads = trace(
        open_page("latent_attention", prompt=PROMPT), "latent_attention-patterns", "heads"
    )
    assert len(heads["x"]) == 16


@pytest.mark.parametrize("change", [{"lblock": 4}, {"lhead": "x"}, {"lblock": -1}])
def test_a_block_that_is_not_there_is_named(change):
    assert "one of: 0, 1, 2, 3" in html(open_page("latent_attention", prompt=PROMPT, **change))


def test_one_token_and_a_long_text():
    assert charts(open_page("latent_attention", prompt="Hi"))
    long = open_page("latent_attention", prompt="The dog ran to the cat. " * 30)
    assert len(charts(long)["latent_attention-absorbed"][0]["x"]) == 16
    assert len(re.findall(r"Drawn are tokens \d+–\d+ of \d+\.", html(long))) == 2
