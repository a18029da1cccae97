"""The output page draws what the model would draw, and says what each cut removed."""

import pytest

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, run, trace
from tokenjourney.generation import choose

PROMPT = "The dog chased another dog"


def drawn(app):
    """The token that the page says the draw falls on."""
    said = html(app)
    return said.rpartition('<span class="tj-token tj-followed">')[2].partition("</span>")[0]


def test_the_bars_are_the_models_own_probabilities(model):
    app = open_page("output", prompt=PROMPT, topk=0, topp=1)
    shares = trace(app, "output-choice", "kept")["x"]
    expected = [p.probability for p in tj.trace(model, PROMPT).next_tokens(k=12)]
    assert [one / sum(shares) for one in shares[:12]] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "query", [{}, {"temp": 0}, {"temp": 1.7, "seed": 3}, {"topk": 2, "topp": 1, "seed": 11}]
)
def test_the_draw_is_the_one_that_generation_makes(model, query):
    settings = {"temp": 1.0, "topk": 40, "topp": 0.9, "seed": 7} | query
    token_id = choose(
        tj.trace(model, PROMPT),
        float(settings["temp"]),
        int(settings["topk"]) or None,
        float(settings["topp"]) if settings["topp"] < 1 else None,
        int(settings["seed"]),
    )
    app = open_page("output", prompt=PROMPT, **query)
    assert drawn(app) == model.tokenizer.visible(token_id)


def test_each_cut_says_what_it_removes():
    said = html(open_page("output", prompt=PROMPT, topk=2, topp=1))
    assert "removes 2,046 tokens" in said
    assert "another 0 with 0\u00a0%" in said
    assert "Kept: 2 of 2,048" in said


@pytest.mark.parametrize(
    ("widget", "value", "link"),
    [("temp", 0.5, "0.5"), ("topk", 3, "3"), ("topp", 0.3, "0.3")],
)
def test_a_slider_changes_the_figure_and_the_link(widget, value, link):
    app = open_page("output", prompt=PROMPT)
    before = charts(app)["output-choice"]
    app.slider(f"w.output.{widget}").set_value(value)
    run(app)
    assert charts(app)["output-choice"] != before
    assert app.query_params[widget] == link


def test_draw_again_takes_the_next_seed_and_can_come_back_to_the_first():
    app = open_page("output", prompt=PROMPT)
    app.button("output.again").click()
    run(app)
    assert app.query_params["seed"] == "8"
    assert "seed 8 draws" in html(app)
    app.number_input("w.output.seed").set_value(7)
    run(app)
    assert "seed" not in app.query_params


def test_another_prompt_or_another_followed_token_changes_every_figure():
    first = charts(open_page("output", prompt=PROMPT))
    other = charts(open_page("output", prompt="Once upon a time"))
    earlier = charts(open_page("output", prompt=PROMPT, token=1))
    for name in ("output-choice", "output-tally", "output-readout", "output-positions"):
        assert other[name] != first[name]
        assert earlier[name] != first[name]


def test_the_logit_read_is_that_of_the_token_chosen(model):
    app = open_page("output", prompt=PROMPT)
    second = tj.trace(model, PROMPT).next_tokens(k=2)[1]
    app.selectbox("w.output.word").set_value(str(second.token_id))
    run(app)
    products = trace(app, "output-readout", "product")["z"][0]
    assert sum(products) == pytest.approx(second.logit, abs=1e-3)


def test_every_position_has_the_loss_of_what_came_next(model):
    journey = tj.trace(model, PROMPT)
    losses = trace(open_page("output", prompt=PROMPT), "output-positions", "loss")["x"]
    for position, following in enumerate(journey.token_ids[1:]):
        best = journey.next_tokens(position=position, k=model.config.d_vocab)
        chance = next(p.probability for p in best if p.token_id == following)
        assert 2.718281828 ** -losses[position] == pytest.approx(chance, rel=1e-3)


def test_a_single_token_has_nothing_that_could_prove_it_wrong():
    app = open_page("output", prompt="Once")
    assert "there is no loss yet" in html(app)
    assert "output-positions" in charts(app)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"temp": "hot"}, "The link says temp=hot"),
        ({"topk": -1}, "The link says topk=-1"),
        ({"seed": "1e9"}, "The link says seed=1e9"),
        ({"word": "<b>"}, "The link says word=&lt;b&gt;"),
    ],
)
def test_a_link_that_asks_for_nonsense_is_answered_with_a_notice_and_the_default(query, said):
    app = open_page("output", prompt=PROMPT, **query)
    assert said in html(app)
    assert "output-choice" in charts(app)


def test_markup_in_the_prompt_is_shown_as_text():
    app = open_page("output", prompt="<script>alert(1)</script> <b>bold")
    assert "<script>" not in html(app)
    assert "<b>bold" not in html(app)


def test_rings_are_the_probabilities_with_everything_on(visit):
    page = visit("output", "The dog chased another dog", off="all")
    journey = tj.trace(tj.load_model(), "The dog chased another dog")
    edits = [tj.ablate_head(b, h) for b in range(6) for h in range(6)]
    edited = tj.trace(journey.model, "The dog chased another dog", edits=edits)
    rows = [p.token_id for p in edited.next_tokens(k=12)]
    known = {p.token_id: p.probability for p in journey.next_tokens(k=2048)}
    for figure, expected in (("choice", [known[i] for i in rows]), ("positions", None)):
        rings = next(t for t in page.figures[figure] if t.get("name") == "with everything on")["x"]
        if expected:
            zero = next(t for t in page.figures[figure] if t.get("name") == "kept")["base"]
            shares = [(one - zero) / (sum(rings) - zero * len(rings)) for one in rings]
            assert shares[:12] == pytest.approx(expected, abs=1e-5)
    assert "mean loss" in page.text
    plain = visit("output", "The dog chased another dog")
    assert all(t.get("name") != "with everything on" for t in plain.figures["choice"])
