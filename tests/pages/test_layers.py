"""The page of the stack: lens, rank, lengths, and who pushed a token."""

import numpy as np
import pytest
from streamlit.runtime.scriptrunner import StopException

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace

PROMPT = "The dog chased another dog"
FIGURES = (
    "layers-lens", "layers-rank", "layers-norms", "layers-attribution", "layers-rollout",
)  # fmt: skip


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, PROMPT)


def test_the_last_column_of_the_lens_is_the_models_answer(model, journey):
    lens = trace(open_page("layers", prompt=PROMPT), "layers-lens", "logit lens")
    answers = [journey.next_tokens(position=p, k=1)[0].probability for p in range(len(journey))]
    assert np.array(lens["z"])[:, -1] == pytest.approx(answers, rel=1e-4)
    assert np.array(lens["z"]).shape == (len(journey), model.config.n_layers + 1)


def test_a_cell_of_the_lens_follows_its_token_and_watches_its_guess(model, journey):
    cells = trace(open_page("layers", prompt=PROMPT), "layers-lens", "cells: best guess")
    best = [journey.next_tokens(position=p, k=1)[0].token_id for p in range(len(journey))]
    last = [i for i, depth in enumerate(cells["x"]) if depth == model.config.n_layers]
    assert [cells["customdata"][i] for i in last] == [[p, t] for p, t in enumerate(best)]


def test_the_pushes_shown_add_up_to_the_models_logit(journey):
    app = open_page("layers", prompt=PROMPT)
    answer = journey.next_tokens(k=1)[0]
    assert sum(trace(app, "layers-attribution", "pushes")["x"]) == pytest.approx(
        answer.logit, abs=1e-3
    )
    assert trace(app, "layers-attribution", "total")["x"] == pytest.approx([answer.logit])


def test_against_its_rival_the_pushes_add_up_to_the_difference(journey):
    app = open_page("layers", prompt=PROMPT)
    app.toggle("w.layers.rival").set_value(True)
    run(app)
    first, second = journey.next_tokens(k=2)
    total = trace(app, "layers-attribution", "pushes")["x"]
    assert sum(total) == pytest.approx(first.logit - second.logit, abs=1e-3)
    assert app.query_params["rival"] == "1"


def test_any_token_can_be_watched_from_the_list_by_its_text_and_by_the_link(model, journey):
    app = open_page("layers", prompt=PROMPT)
    third = journey.next_tokens(k=3)[2].token_id
    app.selectbox("w.layers.watch").set_value(str(third))
    run(app)
    assert trace(app, "layers-rank", "rank")["y"][-1] == 3
    word = model.tokenizer.encode(" mom")[0]
    rank = [p.token_id for p in journey.next_tokens(k=2048)].index(word) + 1
    app.text_input("w.layers.watchtext").set_value(" mom")
    run(app)
    assert trace(app, "layers-rank", "rank")["y"][-1] == rank
    linked = open_page("layers", prompt=PROMPT, watch=word)
    assert trace(linked, "layers-rank", "rank")["y"][-1] == rank


def test_another_prompt_or_another_followed_token_changes_every_figure():
    first = charts(open_page("layers", prompt=PROMPT))
    other = charts(open_page("layers", prompt="Once upon a time"))
    earlier = charts(open_page("layers", prompt=PROMPT, token=1))
    for name in FIGURES:
        assert other[name] != first[name]
    for name in FIGURES[1:]:
        assert earlier[name] != first[name]


def test_block_and_head_of_the_link_are_the_outlined_ones(model, journey):
    said = html(open_page("layers", prompt=PROMPT, block=3, head=4))
    assert "block 3 head 4" in said
    assert said != html(open_page("layers", prompt=PROMPT, block=5, head=1))


def test_a_single_token_has_a_stack_too():
    assert set(FIGURES) <= set(charts(open_page("layers", prompt="Once")))


def test_a_long_prompt_shows_the_rows_around_the_followed_token():
    app = open_page("layers", prompt="The dog ran. " * 20, token=40)
    lens = trace(app, "layers-lens", "logit lens")
    assert len(lens["z"]) == 24
    cells = trace(app, "layers-lens", "cells: best guess")
    assert 40 in {position for position, _ in cells["customdata"]}
    assert "Tokens 24–47" in html(app)
    near = open_page("layers", prompt="The dog ran. " * 20, token=33)
    assert "Tokens 24–47" in html(near), "the rows stay for neighbours"


@pytest.mark.parametrize("watch", ["x", "2048", "-1"])
def test_a_token_that_does_not_exist_is_answered_with_a_notice(watch):
    app = open_page("layers", prompt=PROMPT, watch=watch)
    assert f"The link says watch={watch}" in html(app)
    assert set(FIGURES) <= set(charts(app))


def test_the_shares_of_attention_are_those_of_the_followed_token(journey):
    app = open_page("layers", prompt=PROMPT, token=2)
    for name in ("mean attention", "attention rollout"):
        shares = trace(app, "layers-rollout", name)["y"]
        assert sum(shares) == pytest.approx(1, abs=1e-4)
        assert not any(shares[3:])
    blocks = range(journey.config.n_layers)
    mean = np.mean([journey["pattern", block][:, 2] for block in blocks], axis=(0, 1))
    assert trace(app, "layers-rollout", "mean attention")["y"] == pytest.approx(mean, abs=1e-5)


def test_a_click_takes_every_token_away_and_the_link_keeps_it(model, journey):
    app = open_page("layers", prompt=PROMPT)
    assert "layers-occlusion" not in charts(app)
    app.button(key="try-without").click()
    run(app)
    changes = trace(app, "layers-occlusion", "change of the logit")["y"]
    answer = journey.next_tokens(k=1)[0]
    rows = journey["hook_embed"].copy()
    rows[1] = model.W_E.mean(axis=0)
    without = tj.trace(model, PROMPT, edits=[tj.replace("hook_embed", rows)])
    expected = without.logits_at()[answer.token_id] - answer.logit
    assert changes[1] == pytest.approx(expected, abs=1e-4)
    assert "Missed most" in html(app)
    assert app.query_params["without"] == "1"
    assert "try-without" not in [button.key for button in app.button]
    assert "layers-occlusion" in charts(open_page("layers", prompt=PROMPT, without=1))


def test_runs_that_were_finished_before_a_stop_are_not_run_again(model, monkeypatch):
    prompt = "We went home and slept"
    ran, stops_after = [], [None]
    retrace = tj.Journey.retrace

    def counted(journey, edits, since):
        if len(ran) == stops_after[0]:
            raise StopException  # what Streamlit raises for a click outside of the page
        ran.append(since)
        return retrace(journey, edits, since)

    monkeypatch.setattr(tj.Journey, "retrace", counted)
    app = open_page("layers", prompt=prompt)
    ran.clear()
    stops_after[0] = 2
    app.button(key="try-without").click().run()
    assert ran == [0, 1]
    assert "layers-occlusion" not in charts(app)
    ran.clear()
    stops_after[0] = None
    run(app)
    assert ran == list(range(2, len(model.tokenizer.encode(prompt))))
    assert "layers-occlusion" in charts(app)


def test_of_a_long_prompt_64_tokens_are_taken_away_with_a_click():
    app = open_page("layers", prompt="The dog ran. " * 20, without=1)
    changes = trace(app, "layers-occlusion", "change of the logit")["y"]
    assert sum(change == change for change in changes) <= 64
    assert any("earlier tokens" in button.label for button in app.button)


def test_a_head_and_a_feed_forward_part_are_switched_off_beside_the_untouched_run(model, journey):
    app = open_page("layers", prompt=PROMPT, block=2, head=1)
    for key, off in (("switch-2.1", "2.1"), ("switch-m2", "2.1,m2")):
        app.button(key).click()
        run(app)
        assert app.query_params["off"] == off
    edited = tj.trace(model, PROMPT, edits=[tj.ablate_head(2, 1), tj.ablate_mlp(2)])
    answer = edited.next_tokens(k=1)[0]
    assert trace(app, "layers-attribution", "total")["x"] == pytest.approx([answer.logit])
    assert sum(trace(app, "layers-attribution", "pushes")["x"]) == pytest.approx(
        answer.logit, abs=1e-3
    )
    crossed = trace(app, "layers-attribution", "switched off")
    assert set(zip(crossed["x"], crossed["y"], strict=True)) == {(1, 2), (8, 2)}
    ranks = trace(app, "layers-rank", "with everything on")["y"]
    then = [p.token_id for p in journey.next_tokens(k=2048)].index(answer.token_id) + 1
    assert ranks[-1] == then
    assert trace(app, "layers-depth", "with everything on")["y"]
    app.button("undo").click()
    run(app)
    names = {found.get("name") for found in charts(app)["layers-rank"]}
    assert "with everything on" not in names


@pytest.mark.parametrize("typed", [" cat", "cat"])
def test_an_earlier_word_is_replaced_and_the_late_prediction_follows(model, journey, typed):
    app = open_page("layers", prompt=PROMPT, swapat=1)
    app.text_input("w.layers.swapto").set_value(typed)
    run(app)
    ids = list(journey.token_ids)
    ids[1] = model.tokenizer.encode(" cat")[0]
    other = tj.trace(model, ids)
    after = trace(app, "layers-context", "after")["x"]
    first = journey.next_tokens(k=1)[0]
    shares = {p.token_id: p.probability for p in other.next_tokens(k=2048)}
    assert trace(app, "layers-context", "before")["x"][0] == pytest.approx(first.probability)
    assert after[0] == pytest.approx(shares[first.token_id], abs=1e-5)
    app.selectbox("w.layers.swapat").set_value("2")
    run(app)
    assert trace(app, "layers-context", "after")["x"] != after


def test_scale_shows_the_loaded_model_by_its_tensors_and_the_loss_of_this_prompt(model, journey):
    app = open_page("layers", prompt=PROMPT)
    assert trace(app, "layers-family", "parameters")["x"][0] == model.n_parameters
    losses = [
        -np.log(
            {p.token_id: p.probability for p in journey.next_tokens(position=at, k=2048)}[
                journey.token_ids[at + 1]
            ]
        )
        for at in range(len(journey) - 1)
    ]
    shown = trace(app, "layers-depth", "mean loss")["y"]
    assert shown[-1] == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_outlook_is_told_in_two_sentences_each():
    said = html(open_page("layers", prompt=PROMPT))
    for name in ("Reinforcement learning.", "GPU kernels.", "Distillation."):
        assert name in said


def test_where_all_is_off_nothing_pushes_up_or_down():
    shown = html(open_page("layers", prompt=PROMPT, off="all,mlps"))
    assert "<b>Strongest up:</b> nothing. <b>Strongest down:</b> nothing." in shown
    shown = html(open_page("layers", prompt=PROMPT))
    assert "nothing. <b>Strongest" not in shown
