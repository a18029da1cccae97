"""The logit lens ends in the model's own answer."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import CONFIG, TEXT, close, random_model
from tokenjourney.analysis import lens
from tokenjourney.model.sampling import probabilities, ranking


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, TEXT)


def test_the_last_depth_is_what_the_model_answers(model, journey):
    found = lens.logit_lens(model, journey)
    np.testing.assert_array_equal(found.best[-1], journey.logits.argmax(-1))
    close(found.probability[-1], probabilities(journey.logits).max(-1))


def test_every_depth_and_position_has_a_guess(model, journey):
    found = lens.logit_lens(model, journey)
    assert found.best.shape == found.probability.shape == (CONFIG.n_layers + 1, len(journey))


def test_an_earlier_depth_is_the_final_layer_norm_and_unembedding_of_its_stream(model, journey):
    x = journey["resid_pre", 1][2].astype(np.float64)
    normal = (x - x.mean()) / np.sqrt(x.var() + CONFIG.layer_norm_eps)
    normal = normal * model.parameter("ln_final.gain") + model.parameter("ln_final.bias")
    logits = normal @ model.W_U
    found = lens.logit_lens(model, journey)
    assert found.best[1, 2] == logits.argmax()
    close(found.probability[1, 2], probabilities(logits).max(), 1e-4)


def test_a_window_shows_what_the_whole_shows_there(model, journey):
    whole, part = lens.logit_lens(model, journey), lens.logit_lens(model, journey, slice(2, 5))
    assert part.positions.tolist() == [2, 3, 4]
    np.testing.assert_array_equal(part.best, whole.best[:, 2:5])


def test_a_long_prompt_is_unembedded_in_pieces(model, journey, monkeypatch):
    whole = lens.logit_lens(model, journey)
    monkeypatch.setattr(lens, "_LOGITS_AT_ONCE", 2 * CONFIG.d_vocab)
    close(lens.logit_lens(model, journey).probability, whole.probability)


def test_a_token_watched_through_the_blocks_ends_at_its_final_rank(model, journey):
    for token_id in ranking(journey.logits_at(3))[[0, 7]].tolist():
        found = lens.token_depths(model, journey, 3, token_id)
        assert found.rank[-1] == ranking(journey.logits_at(3)).tolist().index(token_id) + 1
        close(found.logit[-1], journey.logits_at(3)[token_id])
        close(found.probability[-1], probabilities(journey.logits_at(3))[token_id])
        assert len(found.rank) == CONFIG.n_layers + 1


def test_norms_are_the_lengths_of_the_stream(journey):
    found = lens.residual_norms(journey)
    close(found[0], np.linalg.norm(journey["resid_pre", 0], axis=-1))
    close(found[-1], np.linalg.norm(journey["resid_post", CONFIG.n_layers - 1], axis=-1))


def test_a_guess_has_settled_where_it_last_changed(model, journey):
    found = lens.logit_lens(model, journey)
    for position in range(len(journey)):
        guesses = found.best[:, position].tolist()
        settled = found.settled(position)
        assert set(guesses[settled:]) == {guesses[-1]}
        assert settled == 0 or guesses[settled - 1] != guesses[-1]


def test_cells_name_position_and_guess_position_by_position(model, journey):
    found = lens.logit_lens(model, journey, slice(2, 4))
    expected = [[p, i] for p in (2, 3) for i in found.best[:, p - 2].tolist()]
    assert found.cells.tolist() == expected
