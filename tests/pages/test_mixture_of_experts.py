"""The page on experts shows what the small trained model really does with the prompt."""

import re

import numpy as np
import pytest

import tokenjourney as tj
from tests.pages.driver import charts, html, open_page, trace
from tokenjourney.analysis.experts import stored_expert_survey
from tokenjourney.model.loading import MODELS_FOLDER

PROMPT = "Once upon a time there was a little"


@pytest.fixture(scope="module")
def journey():
    return tj.trace(tj.load_model(MODELS_FOLDER / "mla-moe"), PROMPT)


def test_lit_bulbs_are_the_gates_of_every_block(journey):
    page = open_page("mixture_of_experts", prompt=PROMPT)
    lit = trace(page, "mixture_of_experts-bulbs", "lit")
    experts = trace(page, "mixture_of_experts-bulbs", "experts")
    gates = np.stack([journey["gates", block] for block in range(4)])
    assert len(lit["x"]) == 4 * len(journey) * 4
    shown = gates.max() * ((np.array(lit["marker"]["size"]) - 6) / 7) ** 2  # by their areas
    np.testing.assert_allclose(np.sort(shown), np.sort(gates[gates > 0]), 1e-4)
    assert {row[0] for row in experts["customdata"]} == set(range(len(journey)))


def test_the_shared_expert_is_lit_for_every_token(journey):
    page = open_page("mixture_of_experts", prompt=PROMPT)
    squares = trace(page, "mixture_of_experts-bulbs", "shared")
    assert len(squares["x"]) == 4 * len(journey)
    said = trace(page, "mixture_of_experts-bulbs", "experts")["hovertext"][-len(squares["x"]) :]
    written = np.linalg.norm(journey["shared_out", 1][2])
    assert f"block 1: the shared expert writes {written:.2f}" in said[len(journey) + 2]


def test_it_says_how_much_of_the_large_model_a_token_meets():
    page = html(open_page("mixture_of_experts", prompt=PROMPT))
    assert "671,026,404,352" in page
    assert "5.5\u00a0%" in page


def test_the_router_shows_the_followed_tokens_affinities(journey):
    app = open_page("mixture_of_experts", prompt=PROMPT, token=3, mblock=2)
    bars = charts(app)["mixture_of_experts-router"][0]
    np.testing.assert_allclose(bars["x"], journey["router_scores", 2][3], atol=1e-5)
    colours = np.array(bars["marker"]["color"])
    chosen = journey["gates", 2][3] > 0
    assert len(set(colours[chosen])) == len(set(colours[~chosen])) == 1
    assert set(colours[chosen]) != set(colours[~chosen])


@pytest.mark.parametrize("name", ["mla-moe", "mha-moe"])
def test_loads_and_information_are_those_that_were_counted(name):
    app = open_page("mixture_of_experts", prompt=PROMPT, experts_of=name, mblock=1)
    survey = stored_expert_survey(MODELS_FOLDER / name)
    bars, marks = charts(app)["mixture_of_experts-loads"]
    np.testing.assert_allclose(bars["y"], survey.loads[1] / survey.loads[1].mean(), 1e-5)
    np.testing.assert_allclose(marks["y"], survey.unbiased[1] / survey.unbiased[1].mean(), 1e-5)
    found, chance = charts(app)["mixture_of_experts-information"]
    np.testing.assert_allclose(found["x"], survey.information, 1e-5)
    np.testing.assert_allclose(chance["x"], survey.shuffled, 1e-5)


def test_it_says_that_it_runs_a_model_of_its_own_and_compares_the_four():
    page = html(open_page("mixture_of_experts", prompt=PROMPT))
    assert "whichever model is chosen above" in page
    for bits in ("1.260", "1.165", "1.249", "1.125"):
        assert f"<td>{bits}</td>" in page


def test_one_token_and_a_long_text():
    assert charts(open_page("mixture_of_experts", prompt="Hi"))
    page = open_page("mixture_of_experts", prompt="The dog ran to the cat. " * 30)
    assert len(trace(page, "mixture_of_experts-bulbs", "lit")["x"]) == 60 * 16
    assert re.search(r"Drawn are tokens \d+–\d+ of \d+\.", html(page))
