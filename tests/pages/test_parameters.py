"""The page on parameters, as people use it."""

import numpy as np
import pytest

from tokenjourney.analysis.parameters import gpt2_parameters, work_per_token
from tokenjourney.model.config import GPT2Config

PROMPT = "The dog chased another dog"


def test_the_treemap_holds_every_tensor_and_the_sum_is_said(visit, model):
    seen = visit("parameters", PROMPT)
    drawn = {row[0] for row in seen.figures["treemap"][0]["customdata"]}
    assert drawn == {name for name, _ in model.network.named_parameters()}
    assert seen.text.count(f"{model.n_parameters:,}") >= 3  # title, from tensors, by formula
    assert "counted once" in seen.text


def test_the_numbers_of_the_chosen_tensor_are_shown(visit, model):
    name = "blocks.2.mlp.up.weight"
    seen = visit("parameters", PROMPT, tensor=name)
    assert sum(seen.figures["values"][0]["y"]) == model.parameter(name).size
    seen.app.selectbox(key="w.parameters.tensor").set_value("ln_final.gain").run()
    assert seen.link["tensor"] == "ln_final.gain"
    assert sum(seen.figures["values"][0]["y"]) == model.config.d_model


def test_a_tensor_that_is_not_there_is_named(visit):
    assert "no tensor of that name" in visit("parameters", PROMPT, tensor="wte").text


@pytest.mark.parametrize("token", [0, 3])
def test_the_work_is_that_of_the_followed_position(visit, model, token):
    drawn = visit("parameters", PROMPT, token=token).figures["work"][0]["x"]
    spent = [n / 1e6 for n in work_per_token(model.config, token).values()]
    np.testing.assert_allclose(drawn, spent, rtol=1e-6)


def test_sizes_of_gpt2_small_give_its_count(visit):
    seen = visit("parameters", PROMPT, d_model=768, n_layers=12, n_heads=12, d_vocab=50257)
    own = GPT2Config(12, 12, 768, 50257, 256)
    assert f"{sum(gpt2_parameters(own).values()):,}" in seen.text
    np.testing.assert_allclose(
        seen.figures["design"][0]["x"], [n / 1e6 for n in gpt2_parameters(own).values()], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("sizes", "unit", "size"),
    [((64, 1, 1, 256), "thousand", 1e3), ((16384, 128, 128, 200000), "billion", 1e9)],
)
def test_small_and_large_designs_are_drawn_in_short_numbers(visit, sizes, unit, size):
    width, layers, heads, vocabulary = sizes
    seen = visit("parameters", PROMPT, d_model=width, n_layers=layers, n_heads=heads,
                 d_vocab=vocabulary)  # fmt: skip
    expected = gpt2_parameters(GPT2Config(layers, heads, width, vocabulary, 256)).values()
    np.testing.assert_allclose(
        seen.figures["design"][0]["x"], [n / size for n in expected], rtol=1e-6
    )
    assert seen.layouts["design"]["xaxis"]["title"]["text"] == f"{unit} parameters"


def test_a_slider_moves_the_count_and_heads_do_not(visit):
    seen = visit("parameters", PROMPT)
    before = seen.figures["design"]
    seen.app.select_slider(key="w.parameters.n_heads").set_value(12).run()
    assert seen.link["n_heads"] == "12"
    assert seen.figures["design"] == before
    assert "each head 16 numbers wide" in seen.text
    seen.app.select_slider(key="w.parameters.n_layers").set_value(12).run()
    assert seen.figures["design"] != before


def test_heads_that_do_not_share_the_width_evenly_are_refused(visit):
    assert "n_heads=7" in visit("parameters", PROMPT, n_heads=7).text
