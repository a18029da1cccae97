"""The training page compares, explains one step back, and trains."""

import time

import numpy as np
import pytest

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace, turn_to
from tokenjourney.analysis.growth import stages, written_behind
from tokenjourney.training.parts import part_names
from tokenjourney.ui import escaped

PROMPT = "The dog chased another dog"
ALWAYS = {"training-untrained", "training-stages", "training-grown"}
COMPARED = {"training-prefixes", "training-logits", "training-way", "training-rows"}
TRAINED = {"training-losses", "training-map", "training-sharpening", "training-lengths"}


def test_the_pulls_are_probabilities_minus_one_hot():
    model = tj.load_model()
    journey = tj.trace(model, PROMPT)
    following = journey.token_ids[2]
    every = journey.next_tokens(position=1, k=model.config.d_vocab)
    chance = next(one.probability for one in every if one.token_id == following)
    app = open_page("training", prompt=PROMPT, token=1)
    assert trace(app, "training-logits", "pushed up")["x"] == pytest.approx([1 - chance], abs=1e-4)


def test_rows_that_were_not_read_get_nothing_through_the_lookup():
    app = open_page("training", prompt=PROMPT)
    assert trace(app, "training-rows", "by being read")["x"][-1] == 0
    assert trace(app, "training-rows", "as a candidate")["x"][-1] > 0
    assert set(charts(app)) == ALWAYS | COMPARED


def test_the_way_back_begins_at_the_followed_token_and_ends_at_all_before_it():
    app = open_page("training", prompt=PROMPT, token=2)
    shares = np.array(trace(app, "training-way", "share of the gradient")["z"])
    assert shares.shape == (tj.load_model().config.n_layers + 1, 3)
    assert shares[-1].tolist() == [0, 0, 1]
    assert (shares[0] > 0).all()


def test_a_single_token_has_nothing_to_be_compared_with():
    app = open_page("training", prompt="Once")
    assert "nothing to compare with" in html(app)
    assert set(charts(app)) == ALWAYS


def test_of_a_long_text_the_exercises_around_the_followed_token_are_drawn_and_all_are_counted():
    app = open_page("training", prompt="The dog ran to the cat. " * 5, token=20)
    assert list(trace(app, "training-prefixes", "loss")["y"]) == list(range(8, 32))
    assert "(predictions: 35)" in html(app)
    assert "Drawn are positions 8–31 of 36." in html(app)


def test_the_untrained_head_is_not_the_trained_one():
    first, second = (
        np.nan_to_num(one["z"])
        for one in charts(open_page("training", prompt=PROMPT))["training-untrained"]
        if one["type"] == "heatmap"
    )
    assert np.abs(first - second).max() > 0.1


def test_the_growing_models_write_on_for_whoever_asks():
    silent, asked = (open_page("training", prompt=PROMPT, gwrite=n) for n in (0, 1))
    model = stages()[-1].model
    written = written_behind(stages()[-1], model.tokenizer.encode(PROMPT))
    assert escaped(written) in html(asked)
    assert escaped(written) not in html(silent)


def patterns(app):
    """The two patterns of the head that sharpens: untrained, and at the moment looked at."""
    traces = charts(app)["training-sharpening"]
    return [np.nan_to_num(one["z"]) for one in traces if one["type"] == "heatmap"]


def lines(app):
    """Whose gradients have a line of their own, in the network with skip connections."""
    traces = [t["name"] for t in charts(app)["training-lengths"]]
    start = "with skip connections: "
    return [name.removeprefix(start) for name in traces if name.startswith(start)]


def test_a_training_is_run_looked_back_through_and_stopped_by_the_next():
    app = open_page("training", prompt=PROMPT, learn="station", lsteps=20, lsize="32")
    app.button("training.train").click()
    run(app)
    end = time.monotonic() + 120
    now = app.session_state["training.watched"].run
    while not now.is_over:
        assert time.monotonic() < end
        time.sleep(1)
        run(app)
        for slider in app.get("select_slider"):
            if slider.key.startswith("training."):
                assert slider.disabled or now.is_over, "there is nothing to look back to yet"
    run(app)
    assert app.select_slider("training.at").value == 20, "it stands at the newest"
    assert "Done: 20 steps" in app.get("progress")[0].proto.text
    assert set(charts(app)) == ALWAYS | COMPARED | TRAINED
    held_out = trace(app, "training-losses", "held out")["y"]
    assert held_out[-1] < held_out[0]
    assert len(trace(app, "training-losses", "no skips")["x"]) == 21
    untrained, now = patterns(app)
    assert np.abs(untrained - now).max() > 0
    assert lines(app) == ["embedding", "block 0", "block 1"]
    app.button_group("w.training.leach").set_value("parts")
    run(app)
    names = part_names(app.session_state["training.watched"].run.config)
    assert lines(app) == list(names)
    app.select_slider("training.at").set_value(0)
    run(app)
    assert "after step 0" in html(app)
    untrained, now = patterns(app)
    np.testing.assert_array_equal(untrained, now)


def test_a_text_that_is_too_short_is_told_at_once_and_nothing_is_started():
    app = open_page("training", prompt=PROMPT, learn="mine")
    assert app.button("training.train").disabled
    assert "take a longer text" not in html(app)
    app.text_area("training.mine").set_value("too short")
    run(app)
    assert "take a longer text" in html(app)
    assert app.button("training.train").disabled
    app.text_area("training.mine").set_value("A text that is long enough. " * 40)
    run(app)
    assert "take a longer text" not in html(app)
    assert not app.button("training.train").disabled
    assert "training.watched" not in app.session_state
    assert set(charts(app)) == ALWAYS | COMPARED


def test_a_text_of_ones_own_stays_while_another_page_is_looked_at():
    app = open_page("training", prompt=PROMPT, learn="mine")
    app.text_area("training.mine").set_value("My own text")
    run(app)
    for page in ("bpe", "training"):
        turn_to(app, page)
        run(app)
    assert app.text_area("training.mine").value == "My own text"
    assert "11 characters of your own" in html(app)
