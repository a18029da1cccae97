"""The block page walks one token through one block, with the run's own numbers."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace

PROMPT = "Once upon a time there was a little"


@pytest.fixture(scope="module")
def journey():
    return tj.trace(tj.load_model(), PROMPT)


def test_the_lengths_are_those_of_the_run(journey):
    app = open_page("block", prompt=PROMPT, block=2, token=3)
    steps = ("resid_pre", "ln1.normalized", "attn_out", "resid_mid", "ln2.normalized", "mlp_out",
             "resid_post")  # fmt: skip
    expected = [np.linalg.norm(journey[step, 2][3]) for step in steps]
    assert trace(app, "block-walk", "length")["x"] == pytest.approx(expected, rel=1e-4)


def test_the_strips_hold_every_number(journey):
    app = open_page("block", prompt=PROMPT, block=1, token=2)
    shown = np.array(trace(app, "block-walk", "attention adds")["z"], dtype=float).ravel()
    np.testing.assert_allclose(shown, journey["attn_out", 1][2], atol=1e-5)


def test_the_scrubber_goes_step_by_step_and_is_in_the_link(journey):
    app = open_page("block", prompt=PROMPT, block=2)
    assert "goes on to block 3" in html(app)
    app.slider("w.block.walk").set_value(3)
    run(app)
    assert app.query_params["walk"] == "3"
    length = np.linalg.norm(journey["attn_out", 2][-1])
    assert f"answers with a vector of length <b>{length:.2f}</b>" in html(app)
    reached = [t["name"] for t in charts(app)["block-walk"] if t.get("opacity") == 1]
    assert reached == ["·little comes in", "LayerNorm", "attention adds"]
    app.button("walk.next").click()
    run(app)
    assert app.query_params["walk"] == "4"
    assert "Dropout</b> is the identity here" in html(app)
    app.button("walk.back").click()
    run(app)
    assert app.query_params["walk"] == "3"


@pytest.mark.parametrize(("block", "said"), [(0, "what its token means plus where"), (5, "final")])
def test_the_first_and_the_last_block_have_their_own_sentences(block, said):
    assert said in html(open_page("block", prompt=PROMPT, block=block, walk=1 if not block else 9))


@pytest.mark.parametrize(
    "change", [{"prompt": "The dog chased another dog"}, {"block": 3}, {"token": 1}]
)
def test_what_the_link_says_changes_every_figure(change):
    base = {"prompt": PROMPT, "block": 2}
    before = charts(open_page("block", **base))
    after = charts(open_page("block", **(base | change)))
    own = {"block-walk", "block-norm", "block-dropout"}
    assert set(before) == own | {"block-change"}  # the prediction is of the whole run
    for name in own:
        assert after[name] != before[name], name


def test_the_other_layer_norm_can_be_chosen():
    app = open_page("block", prompt=PROMPT, block=2)
    before = charts(app)
    app.segmented_control("w.block.norm").set_value("ln2")
    run(app)
    assert charts(app)["block-norm"] != before["block-norm"]
    assert charts(app)["block-walk"] == before["block-walk"]
    assert app.query_params["norm"] == "ln2"


def test_dropout_passes_everything_here_and_zeroes_at_its_rate_in_the_illustration():
    app = open_page("block", prompt=PROMPT, block=2)
    assert "For illustration only" in html(app)
    here = np.array(trace(app, "block-dropout", "here")["z"], dtype=float)
    assert np.isfinite(here).all()
    app.slider("w.block.drop").set_value(0.5)
    run(app)
    masked = np.array(trace(app, "block-dropout", "in training")["z"], dtype=float)
    zeroed = np.isnan(masked)
    assert 0.35 < zeroed.mean() < 0.65
    np.testing.assert_allclose(masked[~zeroed], 2 * here[~zeroed], rtol=1e-5)
    assert f"zeroes {zeroed.sum()} of 192" in html(app)


def test_the_mask_depends_on_its_seed_alone():
    one, again, other = (
        np.array(
            trace(open_page("block", prompt=PROMPT, mask=mask), "block-dropout", "in training")["z"]
        )
        for mask in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (np.isnan(one) != np.isnan(other)).any()


def test_strips_can_share_one_scale():
    app = open_page("block", prompt=PROMPT)
    own = {t["zmax"] for t in charts(app)["block-walk"] if "zmax" in t}
    app.toggle("w.block.onescale").set_value(True)
    run(app)
    shared = {t["zmax"] for t in charts(app)["block-walk"] if "zmax" in t}
    assert len(own) > 1
    assert len(shared) == 1
    assert app.query_params["onescale"] == "1"


def test_a_block_is_switched_off_part_by_part(visit):
    page = visit("block", "The dog chased", block=2)
    page.app.button("switch-m2").click()
    driver_run = page.app.run()
    assert not driver_run.exception
    assert page.link["off"] == "m2"
    pills = next(found for found in page.app.get("button_group") if found.key == "w.heads-on.2")
    pills.set_value([0, 1, 2, 3, 4])
    assert not page.app.run().exception
    assert page.link["off"] == "2.5,m2"
    edited = tj.trace(
        tj.load_model(), "The dog chased", edits=[tj.ablate_head(2, 5), tj.ablate_mlp(2)]
    )
    answer = edited.next_tokens(k=1)[0]
    after = next(t for t in page.figures["change"] if t.get("name") == "after")["x"]
    assert max(after) == pytest.approx(answer.probability, abs=1e-5)
    assert "nan" not in page.text.lower()
