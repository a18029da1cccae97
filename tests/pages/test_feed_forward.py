"""The feed-forward page shows the followed token's real activations."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace

PROMPT = "Once upon a time there was a little"


@pytest.fixture(scope="module")
def journey():
    return tj.trace(tj.load_model(), PROMPT)


def test_every_neuron_is_a_point_at_its_activation(journey):
    points = trace(
        open_page("feed_forward", prompt=PROMPT, block=2, token=4), "feed_forward-curve", "neurons"
    )
    neurons = [row[0] for row in points["customdata"]]
    assert sorted(neurons) == list(range(768))
    np.testing.assert_allclose(points["x"], journey["pre", 2][4][neurons], atol=1e-5)
    np.testing.assert_allclose(points["y"], journey["post", 2][4][neurons], atol=1e-5)


def test_a_part_that_is_off_says_that_it_writes_nothing(journey):
    app = open_page("feed_forward", prompt=PROMPT, block=2, off="m2")
    assert "block 2 is switched off: it writes nothing now" in html(app)
    assert "what they would write if it were on" in html(app)
    assert "feed_forward-whole" not in charts(app)
    assert "feed_forward-effect" in charts(app)
    other = open_page("feed_forward", prompt=PROMPT, block=3, off="m2")
    assert "writes nothing now" not in html(other)
    assert "feed_forward-whole" in charts(other)


def test_the_strongest_neuron_is_open_at_first():
    app = open_page("feed_forward", prompt=PROMPT, block=1)
    first = charts(app)["feed_forward-neurons"][0]["customdata"][0][0]
    assert f"neuron {first} promotes" in html(app)


@pytest.mark.parametrize(
    "change", [{"prompt": "The dog chased another dog"}, {"block": 3}, {"token": 1}]
)
def test_what_the_link_says_changes_every_figure(change):
    base = {"prompt": PROMPT, "block": 2}
    before = charts(open_page("feed_forward", **base))
    after = charts(open_page("feed_forward", **(base | change)))
    assert len(before) == 6
    for name in before:
        assert after[name] != before[name], name


def test_another_neuron_changes_what_is_promoted_and_where_it_fires(journey):
    before = charts(open_page("feed_forward", prompt=PROMPT, block=2, neuron=3))
    app = open_page("feed_forward", prompt=PROMPT, block=2, neuron=77)
    after = charts(app)
    assert after["feed_forward-effect"] != before["feed_forward-effect"]
    np.testing.assert_allclose(
        after["feed_forward-where"][0]["x"], journey["post", 2][:, 77], atol=1e-5
    )
    assert after["feed_forward-whole"] == before["feed_forward-whole"]


def test_the_block_picker_writes_the_link():
    app = open_page("feed_forward", prompt=PROMPT)
    app.segmented_control("w.block").set_value(5)
    run(app)
    assert app.query_params["block"] == "5"


@pytest.mark.parametrize("neuron", ["768", "x", "-1"])
def test_a_neuron_that_is_not_there_is_named(neuron):
    app = open_page("feed_forward", prompt=PROMPT, neuron=neuron)
    assert "from 0 to 767" in html(app)


def test_of_a_long_prompt_the_strongest_tokens_are_shown():
    app = open_page("feed_forward", prompt="The dog ran to the cat. " * 6)
    assert len(charts(app)["feed_forward-where"][0]["x"]) == 16
    assert "the 16 strongest" in html(app)
