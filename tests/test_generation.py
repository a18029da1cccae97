"""Generation: one growing Journey, reproducible draws over the whole vocabulary."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tokenjourney as tj
from tests.engine import CONFIG, TEXT, random_model
from tokenjourney.generation import choose
from tokenjourney.model.sampling import draw, kept, probabilities, ranking

LOGITS = st.lists(st.floats(-20, 20), min_size=1, max_size=40).map(np.array)


@pytest.fixture(scope="module")
def model():
    return random_model()


def text_of(steps):
    return [step.token.id for step in steps]


def test_greedy_takes_the_most_probable_each_time(model):
    ids = model.tokenizer.encode(TEXT)
    for step in tj.generate(model, TEXT, max_new_tokens=10, temperature=0):
        with torch.no_grad():
            best = int(model.network(torch.tensor([ids]))[0, -1].argmax())
        assert step.token.id == best
        assert step.journey.token_ids == tuple(ids)
        ids.append(best)


def test_the_same_seed_gives_the_same_text_and_another_another(model):
    one = text_of(tj.generate(model, TEXT, seed=5))
    assert one == text_of(tj.generate(model, TEXT, seed=5))
    assert one != text_of(tj.generate(model, TEXT, seed=6))
    assert len(one) == 20


def test_going_on_from_the_middle_draws_what_was_drawn(model):
    steps = list(tj.generate(model, TEXT, max_new_tokens=8, seed=3))
    assert choose(steps[5].journey, seed=3) == steps[5].token.id


def test_a_step_carries_its_candidates_before_the_cut(model):
    steps = tj.generate(model, TEXT, max_new_tokens=3, temperature=0.7, top_k=1)
    for step in steps:
        assert step.predictions == step.journey.next_tokens(k=10, temperature=0.7)
        assert step.token.id == step.predictions[0].token_id


def test_the_last_step_says_why_it_is_the_last(model):
    assert [s.stopped for s in tj.generate(model, TEXT, 2)] == [None, "2 new tokens"]
    *before, last = tj.generate(model, "x" * 45, max_new_tokens=100)
    assert last.stopped == "the context of 48 tokens is full"
    assert len(before) == 2
    first = next(tj.generate(model, TEXT, 5, temperature=0))
    (only,) = tj.generate(model, TEXT, 5, temperature=0, stop_ids={first.token.id})
    assert only.stopped == "a token that ends the text"


def test_nothing_to_generate_is_no_error(model):
    assert list(tj.generate(model, TEXT, max_new_tokens=0)) == []


def test_edits_hold_while_generating(model):
    edits = [tj.ablate_head(block=0, head=head) for head in range(CONFIG.n_heads)]
    plain = text_of(tj.generate(model, TEXT, temperature=0))
    assert plain != text_of(tj.generate(model, TEXT, temperature=0, edits=edits))


@pytest.mark.parametrize(
    "arguments",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_k": 0},
        {"top_k": 1.5},
        {"top_p": 0},
        {"top_p": 1.01},
        {"max_new_tokens": -1},
        {"seed": -1},
        {"seed": 1.0},
    ],
)
def test_arguments_out_of_range_are_refused_at_the_call(model, arguments):
    with pytest.raises(tj.PromptError, match=next(iter(arguments))):
        tj.generate(model, TEXT, **arguments)


def test_a_full_context_is_refused_at_the_call(model):
    with pytest.raises(tj.PromptError, match="fills the context"):
        tj.generate(model, "x" * 48)


@given(LOGITS, st.floats(0, 5))
def test_probabilities_sum_to_1_and_keep_the_order(logits, temperature):
    shares = probabilities(logits, temperature)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares[ranking(logits)]) <= 0).all()


def test_extreme_logits_and_temperatures_make_no_nan():
    for logits in ([1e30, -1e30], [-np.inf, 0.0], [3.0e38, 3.0e38]):
        for temperature in (0, 1e-300, 1e-3, 1e6):
            assert np.isfinite(probabilities(np.array(logits, np.float32), temperature)).all()


@given(LOGITS, st.integers(1, 50), st.floats(0.01, 1))
def test_top_p_keeps_the_fewest_that_reach_the_mass_within_top_k(logits, top_k, top_p):
    shares, order = probabilities(logits), ranking(logits)
    mask = kept(shares, order, top_k, top_p)
    n = mask.sum()
    assert 1 <= n <= min(top_k, len(logits))
    assert mask[order[:n]].all()
    of_k = shares[order[:top_k]] / shares[order[:top_k]].sum()
    if top_p < 1:
        assert of_k[:n].sum() >= top_p - 1e-9
        assert n == 1 or of_k[: n - 1].sum() < top_p + 1e-9
    else:
        assert n == min(top_k, len(logits))


@given(LOGITS, st.floats(0, 1, exclude_max=True))
def test_a_draw_falls_on_a_kept_token(logits, point):
    shares, order = probabilities(logits), ranking(logits)
    mask = kept(shares, order, top_p=0.5)
    assert mask[draw(shares, order, mask, point)]


def test_draws_follow_the_probabilities():
    logits = np.log(np.array([0.5, 0.2, 0.3]))
    shares, order = probabilities(logits), ranking(logits)
    mask = kept(shares, order)
    points = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount([draw(shares, order, mask, point) for point in points], minlength=3)
    assert counts.tolist() == [500, 200, 300]


def test_a_journey_is_gone_on_from_as_its_tokens_would_be():
    model = tj.load_model()
    edits = [tj.ablate_head(block=1, head=2)]
    journey = tj.trace(model, "Once upon a time", edits)
    expected = [s.token for s in tj.generate(model, journey.token_ids, 5, edits=edits, seed=3)]
    steps = [*tj.generate(model, journey, 5, seed=3)]
    assert [step.token for step in steps] == expected
    assert steps[0].journey is journey
    assert steps[-1].journey.edits == tuple(edits)


def test_a_journey_through_another_model_or_with_new_edits_is_not_gone_on_from():
    model, other = tj.load_model(), tj.load_model()
    journey = tj.trace(model, "Once")
    with pytest.raises(tj.PromptError, match="another model"):
        next(tj.generate(other, journey))
    with pytest.raises(tj.PromptError, match="keeps the edits"):
        next(tj.generate(model, journey, edits=[tj.ablate_mlp(block=0)]))


def test_each_new_token_stands_where_it_stands_in_the_whole_text(model):
    steps = [*tj.generate(model, "€ ü", max_new_tokens=20, temperature=2.0, seed=1)]
    for step, later in pairwise(steps):
        assert step.token == later.journey.tokens[-1]
    assert any(not step.token.bytes.isascii() for step in steps)
