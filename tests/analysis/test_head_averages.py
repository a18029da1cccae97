"""What heads do on average is measured once, and belongs to the weights it was measured on."""

import json

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import close, random_model
from tokenjourney.__main__ import main
from tokenjourney.analysis.head_averages import (
    FILE,
    SEEDS,
    head_averages,
    save_head_averages,
    stored_head_averages,
)
from tokenjourney.analysis.heads import head_scores, repeated_random_tokens


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def averages(model):
    return head_averages(model, seeds=(3, 4))


def test_an_average_is_the_mean_over_the_runs(model, averages):
    runs = []
    for seed in (3, 4):
        ids = repeated_random_tokens(model.config.d_vocab, model.config.n_ctx, seed=seed)
        journey = tj.trace(model, ids)
        runs.append(head_scores(journey["pattern", 1], ids).values)
    close(averages.scores.values[:, 1], np.mean(runs, axis=0))
    assert averages.n_tokens == len(ids)


def test_what_is_stored_comes_back(model, averages, tmp_path):
    save_head_averages(averages, model, tmp_path)
    again = stored_head_averages(model, tmp_path)
    close(again.scores.values, averages.scores.values)
    assert again.scores.occasions.tolist() == averages.scores.occasions.tolist()
    assert (again.n_tokens, again.seeds) == (averages.n_tokens, (3, 4))
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_scores_of_other_weights_are_not_taken_for_these(model, averages, tmp_path):
    save_head_averages(averages, model, tmp_path)
    assert stored_head_averages(random_model(seed=1), tmp_path) is None


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"weights": 1}'])
def test_a_damaged_file_counts_as_missing(model, tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert stored_head_averages(model, tmp_path) is None


def test_no_file_is_no_answer(model, tmp_path):
    assert stored_head_averages(model, tmp_path) is None


def test_a_folder_that_cannot_be_written_is_named(model, averages, tmp_path):
    with pytest.raises(tj.CheckpointError, match="gone"):
        save_head_averages(averages, model, tmp_path / "gone")


def test_the_command_measures_and_stores_beside_the_checkpoint(tiny_folder, tmp_path, capsys):
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in tiny_folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert main(["heads", "--model", str(folder)]) == 0
    assert str(folder / FILE) in capsys.readouterr().out
    model = tj.load_model(folder)
    close(stored_head_averages(model, folder).scores.values, head_averages(model).scores.values)
    assert json.loads((folder / FILE).read_text())["seeds"] == list(SEEDS)
