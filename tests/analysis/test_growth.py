"""The model that was kept while it grew gets better, and speaks the bundled model's tokens."""

import math

import pytest

import tokenjourney as tj
from tokenjourney.analysis.growth import GROWING, stage_view, stages, written_behind


@pytest.fixture(scope="module")
def kept():
    return stages()


def test_it_starts_untrained_and_gets_better_each_time(kept):
    assert kept[0].step == 0
    bits = [stage.bits for stage in kept]
    assert bits == sorted(bits, reverse=True)
    assert len(kept) >= 4


def test_the_files_together_stay_small():
    assert sum(path.stat().st_size for path in GROWING.rglob("*") if path.is_file()) < 4_000_000


def test_a_story_costs_an_untrained_one_what_guessing_costs_and_a_grown_one_less(kept):
    bundled = tj.load_model()
    ids = bundled.tokenizer.encode("Once upon a time there was a little girl.")
    assert list(kept[0].model.tokenizer.encode("Once upon a time")) == ids[:4]
    losses = [stage_view(stage, ids).losses.mean_loss for stage in kept]
    assert losses[0] == pytest.approx(math.log(2048), abs=0.4)
    assert losses[-1] < losses[0] - 3


def test_what_is_guessed_and_what_came_have_the_probabilities_of_the_model(kept):
    grown = kept[-1]
    ids = grown.model.tokenizer.encode("Once upon a time")
    view = stage_view(grown, ids)
    every = tj.trace(grown.model, ids).next_tokens(position=1, k=2048)
    best = view.best(1, 3)
    assert [token_id for token_id, _ in best] == [one.token_id for one in every[:3]]
    assert [p for _, p in best] == pytest.approx([one.probability for one in every[:3]], rel=1e-5)
    (came,) = [one.probability for one in every if one.token_id == ids[2]]
    assert view.came(1) == pytest.approx(came, rel=1e-5)
    assert view.came(len(ids) - 1) is None


def test_each_writes_the_same_again_as_far_as_there_is_room(kept):
    grown = kept[-1]
    ids = grown.model.tokenizer.encode("Once upon a time")
    assert written_behind(grown, ids) == written_behind(grown, ids) != ""
    assert written_behind(grown, ids) != written_behind(kept[0], ids)
    n_ctx = grown.model.config.n_ctx
    assert len(grown.model.tokenizer.encode(written_behind(grown, [ids[0]] * (n_ctx - 1)))) == 1
    assert written_behind(grown, [ids[0]] * n_ctx) == ""


def test_a_folder_without_the_list_is_refused(tmp_path):
    with pytest.raises(tj.CheckpointError, match="keep-steps"):
        stages(tmp_path)
