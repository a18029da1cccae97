"""The attention page shows the run's own attention, and what happens without some heads."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.pages.driver import charts, figures, given, html, open_page, run, trace
from tokenjourney.analysis.head_averages import stored_head_averages
from tokenjourney.model.loading import BUNDLED_MODEL, MODELS_FOLDER

PROMPT = "Once upon a time there was a little"
CARD = "attention_card"
CHOSEN = {"attention-matrices", "attention-lines", "attention-vectors"}


def notes(app, chart):
    """The texts written into a figure."""
    return " ".join(note["text"] for note in figures(app)[chart]["layout"]["annotations"])


def test_the_softmax_matrix_is_the_runs_pattern(model):
    app = open_page("attention", prompt=PROMPT, block=3, head=4)
    pattern = tj.trace(model, PROMPT)["pattern", 3][4]
    shown = np.array(trace(app, "attention-matrices", "softmax")["z"], dtype=float)
    past = np.tri(len(pattern), dtype=bool)
    np.testing.assert_allclose(shown[past], pattern[past], atol=1e-6)
    assert np.isnan(shown[~past]).all()


def test_the_card_is_given_what_makes_every_share_of_the_run(model):
    card = given(open_page("attention", prompt=PROMPT, block=2, head=1, token=5, key=3), CARD)
    assert (card["query"], card["key"]) == (5, 3)
    scores = card["q"] @ card["k"].T / card["d_head"] ** 0.5
    shares = np.tril(np.exp(scores - card["log_totals"][:, None]))
    pattern = tj.trace(model, PROMPT)["pattern", 2][1]
    np.testing.assert_allclose(shares, pattern, atol=1e-5)


def test_the_card_opens_with_the_strongest_key_of_the_followed_token(model):
    card = given(open_page("attention", prompt=PROMPT, block=3, head=4, token=4), CARD)
    assert card["query"] == 4
    assert card["key"] == tj.trace(model, PROMPT)["pattern", 3][4, 4].argmax()


def test_the_card_says_that_its_head_is_off():
    said = "This head is switched off"
    assert said not in html(open_page("attention", prompt=PROMPT, block=1, head=2, off="0.3"))
    assert said in html(open_page("attention", prompt=PROMPT, block=0, head=3, off="0.3"))


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"prompt": "The dog chased another dog"}, None),
        ({"block": 1}, CHOSEN | {"attention-writes", "attention-scores"}),
        ({"head": 1}, CHOSEN | {"attention-writes", "attention-scores"}),
        ({"token": 4}, {"attention-matrices", "attention-vectors", "attention-change"}),
        ({"off": "all"}, {"attention-change", "attention-heads", "attention-matrices"}),
    ],
)
def test_what_the_link_says_changes_the_figures(change, changed):
    base = {"prompt": PROMPT, "block": 4, "head": 3}
    before = charts(open_page("attention", **base))
    after = charts(open_page("attention", **(base | change)))
    for name in changed or before:
        assert after[name] != before[name], name


@pytest.mark.parametrize(("widget", "name"), [("w.block", "block"), ("w.head", "head")])
def test_pickers_open_a_head_and_write_the_link(widget, name):
    app = open_page("attention", prompt=PROMPT)
    before = charts(app)["attention-matrices"]
    app.segmented_control(widget).set_value(2)
    run(app)
    assert charts(app)["attention-matrices"] != before
    assert app.query_params[name] == "2"


def test_a_head_is_switched_off_and_the_badge_undoes_it(model):
    app = open_page("attention", prompt=PROMPT, block=3, head=4)
    app.button("switch-3.4").click()
    run(app)
    assert app.query_params["off"] == "3.4"
    assert "1 head off" in html(app)
    assert "writes nothing" in html(app)
    edited = tj.trace(model, PROMPT, edits=[tj.ablate_head(3, 4)])
    plain = {p.token_id: p.probability for p in edited.next_tokens(k=2048)}
    top = [p.token_id for p in tj.trace(model, PROMPT).next_tokens(k=4)]
    shown = trace(app, "attention-change", "after")["x"][:4]
    assert shown == pytest.approx([plain[i] for i in top], abs=1e-5)
    app.button("undo").click()
    run(app)
    assert "off" not in app.query_params
    assert "head off" not in html(app)


def test_all_attention_off_in_one_click_leaves_what_one_token_knows():
    app = open_page("attention", prompt=PROMPT)
    app.button("switch-all").click()
    run(app)
    assert app.query_params["off"] == "all"
    assert "all attention off" in html(app)
    after = trace(app, "attention-change", "after")["x"]
    before = trace(app, "attention-change", "before")["x"]
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) > 0.05


def test_a_whole_block_is_switched_off_and_on_again():
    app = open_page("attention", prompt=PROMPT, block=2)
    app.button("switch-2").click()
    run(app)
    assert app.query_params["off"] == "2"
    assert "6 heads off" in html(app)
    app.button("switch-2").click()
    run(app)
    assert "off" not in app.query_params


def test_heads_are_switched_on_again_one_by_one():
    app = open_page("attention", prompt=PROMPT, off="0.1,2.2", block=4)
    assert "2 heads off" in html(app)
    app.button("on-2.2").click()
    run(app)
    assert app.query_params["off"] == "0.1"


@pytest.mark.parametrize(
    "query",
    [
        {"off": "9.9"},
        {"off": "<b>"},
        {"key": 99},
        {"key": "x"},
        {"block": 99, "head": 99},
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(query):
    app = open_page("attention", prompt=PROMPT, **query)
    assert "tj-notice" in html(app)
    assert "<b>0" not in html(app)
    assert len(charts(app)) == 8


@pytest.mark.parametrize("prompt", ["Once", "Hi there", "<b>x</b> & $y$ %{x}", "🙂 é\n\ttab"])
def test_short_and_strange_prompts_show_every_figure(prompt):
    app = open_page("attention", prompt=prompt)
    assert len(charts(app)) == 8
    assert "<b>x</b> &" not in html(app)


def test_the_first_token_alone_is_said_to_have_only_itself():
    assert "only itself to look at" in html(open_page("attention", prompt="Once"))


def test_a_head_is_named_for_what_it_does_here_and_on_average(model):
    app = open_page("attention", prompt=PROMPT, block=3, head=4)
    assert "On this prompt: <b>previous token</b>. On average: no name" in html(app)
    averages = stored_head_averages(model, MODELS_FOLDER / BUNDLED_MODEL).scores.values[:, 3, 4]
    assert trace(app, "attention-scores", "marks")["x"] == pytest.approx(list(averages), abs=1e-6)


def test_what_the_heads_write_adds_up_to_what_attention_adds(model):
    app = open_page("attention", prompt=PROMPT, block=2, head=1, token=5)
    journey = tj.trace(model, PROMPT)
    lengths = np.linalg.norm(journey["result", 2][5], axis=-1)
    assert trace(app, "attention-written", "length of what it writes")["x"] == pytest.approx(
        list(lengths), rel=1e-4
    )
    total = np.linalg.norm(journey["attn_out", 2][5])
    assert f"length {total:.2f}" in html(app)


def test_scores_without_an_occasion_are_no_zeros():
    app = open_page("attention", prompt="Once upon a time")
    assert "–" in notes(app, "attention-scores")
