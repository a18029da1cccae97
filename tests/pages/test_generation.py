"""The generation page: what is written lives in the link, and every step can be taken otherwise."""

import pytest
from streamlit.runtime.scriptrunner import StopException

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace

PROMPT = "Once upon a time"


def written(app):
    """The token IDs behind the prompt, as the link has them."""
    text = app.query_params.get("go", "")
    return [int(part) for part in text.split(".")[1:]]


def click(app, key):
    app.button(key).click()
    return run(app)


def test_one_token_at_a_time_writes_what_generate_writes(model):
    app = open_page("generation", prompt=PROMPT)
    for _ in range(3):
        click(app, "go.one")
    steps = tj.generate(model, PROMPT, 3, 1.0, 40, 0.9, 7)
    assert written(app) == [step.token.id for step in steps]


def test_many_at_once_write_the_same_as_one_by_one(model):
    app = open_page("generation", prompt=PROMPT, seed=3, temp=0.8)
    app.slider("w.generation.many").set_value(10)
    run(app)
    click(app, "go.many")
    steps = tj.generate(model, PROMPT, 10, 0.8, 40, 0.9, 3)
    assert written(app) == [step.token.id for step in steps]
    assert "10 new tokens" in html(app)
    assert app.button("go.stop").disabled


def test_with_parts_off_each_candidate_has_the_ring_of_the_untouched_run(model):
    go = click(open_page("generation", prompt=PROMPT), "go.one").query_params["go"]
    app = open_page("generation", prompt=PROMPT, go=go, off="m0", temp=0.8)
    rings = trace(app, "generation-steps", "with everything on")
    assert len(rings["x"]) == 12
    grown = tj.trace(model, PROMPT)
    grown = grown.extend(written(app)[0])
    changed = tj.trace(model, grown.token_ids, edits=[tj.ablate_mlp(0)])
    ids = [one.token_id for one in changed.next_tokens(k=6)]
    then = {one.token_id: one.probability
            for one in grown.next_tokens(k=model.config.d_vocab, temperature=0.8)}  # fmt: skip
    ends = [(x - 1) / 0.94 for x in rings["x"][6:]]
    assert ends == pytest.approx([then[i] for i in ids], abs=1e-5)
    assert "with everything on" in str(trace(app, "generation-steps", "candidates")["hovertext"])


def test_with_everything_on_there_are_no_rings():
    app = open_page("generation", prompt=PROMPT)
    assert "with everything on" not in str(charts(app)["generation-steps"])


def test_temperature_zero_writes_the_greedy_text(model):
    app = open_page("generation", prompt=PROMPT, temp=0)
    click(app, "go.many")
    assert written(app) == [s.token.id for s in tj.generate(model, PROMPT, 20, 0)]


def test_the_link_opens_the_same_text_elsewhere():
    app = click(open_page("generation", prompt=PROMPT), "go.many")
    again = open_page("generation", prompt=PROMPT, go=app.query_params["go"])
    assert written(again) == written(app)
    assert charts(again)["generation-steps"] == charts(app)["generation-steps"]
    assert html(again).count('class="tj-new"') == 20


def test_one_back_and_start_over():
    app = click(open_page("generation", prompt=PROMPT), "go.many")
    ids = written(app)
    assert written(click(app, "go.back")) == ids[:-1]
    assert written(click(app, "go.over")) == []
    assert app.button("go.back").disabled


def test_one_token_can_be_taken_back_at_once():
    app = click(click(open_page("generation", prompt=PROMPT), "go.one"), "go.one")
    ids = written(app)
    assert written(click(app, "go.back")) == ids[:1]


def test_the_branch_that_is_left_stays_in_the_tree_and_in_the_link():
    app = open_page("generation", prompt=PROMPT)
    assert "generation-tree" not in charts(app)
    click(click(app, "go.one"), "go.one")
    first = written(app)
    app.slider("w.generation.at").set_value(1)
    run(app)
    other = next(b for b in app.button if str(b.key).startswith("go.branch.") and not b.disabled)
    click(app, other.key)
    assert app.query_params["tree"].split("_")[1:] == [f"0.{first[0]}.{first[1]}"]
    targets = trace(app, "generation-tree", "branches")
    assert app.query_params["go"] in {go for go, _ in targets["customdata"]}
    back = next((go, tree) for go, tree in targets["customdata"] if go != app.query_params["go"])
    again = open_page("generation", prompt=PROMPT, go=back[0], tree=back[1])
    assert written(again) == first
    assert len({go for go, _ in trace(again, "generation-tree", "branches")["customdata"]}) == 2
    click(again, "go.over")
    assert "tree" not in again.query_params
    assert "generation-tree" not in charts(again)


@pytest.mark.parametrize("tree", ["9.1", "0.99999", "0.x", "0.<b>"])
def test_a_tree_that_cannot_be_is_refused_with_a_notice(tree):
    app = click(open_page("generation", prompt=PROMPT), "go.one")
    go = app.query_params["go"]
    app = open_page("generation", prompt=PROMPT, go=go, tree=f"{go.partition('.')[0]}_{tree}")
    assert "The link says tree=" in html(app)
    assert "generation-tree" not in charts(app)


def test_another_candidate_of_an_earlier_step_starts_a_branch(model):
    app = click(open_page("generation", prompt=PROMPT), "go.many")
    ids = written(app)
    app.slider("w.generation.at").set_value(4)
    run(app)
    journey = tj.trace(model, list(tj.trace(model, PROMPT).token_ids) + ids[:3])
    other = next(p.token_id for p in journey.next_tokens(k=6) if p.token_id != ids[3])
    click(app, f"go.branch.{other}")
    assert written(app) == [*ids[:3], other]


def test_every_cell_of_the_steps_leads_to_its_own_branch(model):
    app = open_page("generation", prompt=PROMPT)
    click(click(app, "go.one"), "go.one")
    first, _ = written(app)
    cells = trace(app, "generation-steps", "candidates")
    links = {link for link, _ in cells["customdata"]}
    candidates = [p.token_id for p in tj.trace(model, PROMPT).next_tokens(k=6)]
    check = app.query_params["go"].partition(".")[0]
    assert {f"{check}.{i}" for i in candidates} <= links
    assert all(link.split(".")[1] == str(first) for link in links if link.count(".") > 1)


def test_the_text_is_decoded_again(model):
    app = click(open_page("generation", prompt=PROMPT), "go.many")
    ids = [*tj.trace(model, PROMPT).token_ids, *written(app)]
    assert " ".join(map(str, ids)) in html(app)


def test_another_prompt_forgets_the_text_of_this_one():
    app = click(open_page("generation", prompt=PROMPT), "go.one")
    go = app.query_params["go"]
    other = open_page("generation", prompt="The dog", go=go)
    assert "go" not in other.query_params
    assert 'class="tj-new"' not in html(other)


@pytest.mark.parametrize("ids", ["x", "99999", "1.-2"])
def test_tokens_that_do_not_exist_are_refused_with_a_notice(ids):
    app = click(open_page("generation", prompt=PROMPT), "go.one")
    check = app.query_params["go"].partition(".")[0]
    app = open_page("generation", prompt=PROMPT, go=f"{check}.{ids}")
    assert "The link says go=" in html(app)
    assert "generation-steps" in charts(app)


def test_a_full_context_ends_it_with_a_word(model):
    room = 3
    ids = model.tokenizer.encode("The dog ran. " * 80)
    while len(model.tokenizer.encode(text := model.tokenizer.decode(ids))) > (
        model.config.n_ctx - room
    ):
        ids = ids[:-1]
    app = click(open_page("generation", prompt=text), "go.many")
    assert len(model.tokenizer.encode(text)) + len(written(app)) == model.config.n_ctx
    assert "the context of 256 tokens is full" in html(app)
    assert "Go back some steps, or shorten the prompt" in html(app)
    assert app.button("go.one").disabled


def test_the_speed_of_the_cache_is_measured_when_asked(model):
    app = open_page("generation", prompt=PROMPT)
    assert "generation-speed" not in charts(app)
    click(app, "go.measure")
    for name in ("with cache", "without cache"):
        measured = trace(app, "generation-speed", name)
        assert measured["x"][-1] == model.config.n_ctx
        assert all(milliseconds > 0 for milliseconds in measured["y"])


def test_another_prompt_changes_the_candidates():
    first = charts(open_page("generation", prompt=PROMPT))["generation-steps"]
    assert charts(open_page("generation", prompt="The dog"))["generation-steps"] != first


def test_markup_that_is_generated_or_given_is_text():
    app = click(open_page("generation", prompt="<script>alert(1)</script>"), "go.one")
    assert "<script>" not in html(app)


def test_what_was_written_before_a_stop_stays(model, monkeypatch):
    app = open_page("generation", prompt=PROMPT)
    everything = tj.generate

    def stopped_after_three(*args, **kwargs):
        steps = everything(*args, **kwargs)
        for _ in range(3):
            yield next(steps)
        raise StopException  # as Streamlit does for a click outside of the page

    monkeypatch.setattr(tj, "generate", stopped_after_three)
    click(app, "go.many")
    monkeypatch.undo()
    run(app)
    assert written(app) == [step.token.id for step in tj.generate(model, PROMPT, 3, 1, 40, 0.9, 7)]
    assert html(app).count('class="tj-new"') == 3
