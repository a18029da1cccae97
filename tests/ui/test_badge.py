"""The badge in the sidebar: green while the engine keeps its promises, red once it does not."""

import pytest
import streamlit as st

import tokenjourney as tj
from tokenjourney.analysis import checks
from tokenjourney.model.gpt2 import Block
from tokenjourney.ui import badge
from tokenjourney.ui.places import Places

PROMPT = "The dog chased another dog"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def label(app):
    found = [element for element in app.test.get("popover") if "checks-open" in str(element.proto)]
    return found[0].proto.popover.label


def press(app):
    app.test.button(key="checks-peer").click()
    return app.run()


def test_it_says_that_the_checks_hold_and_how_large_the_error_is(app):
    opened = app("start", prompt=PROMPT)
    model = tj.load_model()
    expected = checks.journey_checks(model, tj.trace(model, PROMPT))
    largest = badge.shown_error(max(check.error for check in expected))
    assert label(opened) == f"✓ Checks hold, largest error {largest}"
    said = opened.html()
    for name in ("sums to 1", "adds up", "logit sum to it", "equals the plain one"):
        assert name in said


def test_a_broken_block_turns_it_red_and_is_named(app, monkeypatch):
    ours = Block.forward

    def wrong(self, x, *more):
        return ours(self, x, *more) * 1.001

    monkeypatch.setattr(Block, "forward", wrong)
    opened = app("start", prompt=PROMPT)
    assert label(opened).startswith("✗ A check fails: Every block adds up")
    assert 'class="tj-fail"' in opened.html()


def test_it_belongs_to_the_prompt_on_screen(app):
    opened = app("tokens", prompt=PROMPT)
    assert label(opened).startswith("✓")
    opened.write("Once upon a time")
    assert label(opened).startswith("✓")


def test_a_long_way_is_checked_only_when_it_is_opened(app, monkeypatch):
    monkeypatch.setattr(badge, "AT_ONCE", 0)
    monkeypatch.setattr(badge, "journey_checks", lambda *_: pytest.fail("nobody opened it"))
    opened = app("start", prompt=PROMPT)
    assert label(opened) == "Check this journey"
    monkeypatch.undo()
    monkeypatch.setattr(badge, "AT_ONCE", 0)
    opened.test.session_state["checks-open"] = True
    assert label(opened.run()).startswith("✓")


def test_while_others_wait_it_is_left_for_later(app, monkeypatch):
    monkeypatch.setattr(Places, "crowded", True)
    opened = app("start", prompt=PROMPT)
    assert label(opened) == "Check this journey"
    monkeypatch.setattr(Places, "crowded", False)
    assert label(opened.run()).startswith("✓")


def test_the_button_compares_with_transformers_stage_by_stage(app):
    opened = press(app("start", prompt=PROMPT))
    said = opened.html()
    assert "✓ The same as transformers, largest difference" in said
    n_layers = tj.load_model().config.n_layers
    for block in range(n_layers):
        assert f"attention patterns of block {block}" in said
        assert f"residual stream after block {block}" in said
    assert "logits of every position" in said


def test_a_difference_from_transformers_turns_it_red(app, monkeypatch):
    ours = checks._peer_run

    def other(folder, ids):
        streams, patterns, logits = ours(folder, ids)
        return streams, patterns, logits + 1.0

    monkeypatch.setattr(checks, "_peer_run", other)
    opened = press(app("start", prompt=PROMPT))
    assert label(opened).startswith("✗ Not the same as transformers: logits of every position")


def test_where_transformers_is_missing_a_card_says_what_to_do(app, monkeypatch):
    def missing(*_):
        raise tj.TokenJourneyError("transformers is not installed")

    monkeypatch.setattr(badge, "peer_checks", missing)
    opened = press(app("start", prompt=PROMPT))
    assert any("transformers is not installed" in card for card in opened.cards())
    assert label(opened).startswith("✓")


def test_with_parts_off_it_checks_that_run_and_compares_the_untouched_one(app):
    model = tj.load_model()
    edits = [tj.ablate_head(0, 3), tj.ablate_mlp(1)]
    expected = checks.journey_checks(model, tj.trace(model, PROMPT, edits=edits))
    largest = badge.shown_error(max(check.error for check in expected))
    opened = app("start", prompt=PROMPT, off="0.3,m1")
    assert label(opened) == f"✓ Checks hold, largest error {largest}"
    assert "compared with the untouched run" in opened.html()
    assert "✓ The same as transformers" in press(opened).html()
