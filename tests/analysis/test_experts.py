"""What is counted about experts, over a text."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.beyond.models import config_of_kind, model_of
from tokenjourney.analysis.experts import (
    expert_survey,
    joint_counts,
    mutual_information,
    save_expert_survey,
    stored_expert_survey,
)
from tokenjourney.beyond.checkpoints import save_checkpoint
from tokenjourney.errors import CheckpointError, PromptError
from tokenjourney.model.loading import MODELS_FOLDER


def test_information_is_none_where_experts_do_not_look_at_the_token():
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 5, 20_000)
    blind = rng.permuted(np.tile([True, False, False], (20_000, 1)), axis=1)
    assert mutual_information(joint_counts(tokens, blind, 5)) < 1e-3
    sure = np.eye(5, dtype=bool)[tokens]
    assert mutual_information(joint_counts(tokens, sure, 5)) == pytest.approx(np.log2(5), abs=1e-3)


def test_a_survey_counts_every_choice_and_comes_back_from_its_file(tmp_path):
    model = tj.load_model(MODELS_FOLDER / "mla-moe")
    stories = ["Once upon a time there was a cat.", "The dog sat on the mat. It was happy."]
    survey = expert_survey(model, stories, most=3)
    lengths = [1 + len(model.tokenizer.encode(story)) for story in stories]
    assert survey.n_tokens == sum(lengths)
    assert (survey.loads.sum(axis=1) == 4 * sum(lengths)).all()
    assert (survey.unbiased.sum(axis=1) == 4 * sum(lengths)).all()
    save_expert_survey(survey, tmp_path)
    again = stored_expert_survey(tmp_path)
    assert np.array_equal(again.loads, survey.loads)
    assert again.top == survey.top
    gates = tj.trace(model, [model.tokenizer.encode("<|endoftext|>", allow_special=True)[0]])
    assert (gates["gates", 0] > 0).sum() == 4


def test_the_stored_surveys_are_of_whole_stories_and_say_more_than_chance():
    for name in ("mla-moe", "mha-moe"):
        survey = stored_expert_survey(MODELS_FOLDER / name)
        assert (survey.loads.sum(axis=1) == 4 * survey.n_tokens).all()
        assert (survey.information > survey.shuffled).all()
        assert (survey.information < survey.entropy).all()


def test_models_without_experts_and_folders_without_counts_say_so(tmp_path):
    with pytest.raises(PromptError, match="no experts"):
        expert_survey(tj.load_model(MODELS_FOLDER / "mla-mlp"), ["Once"])
    save_checkpoint(tmp_path, model_of(config_of_kind("moe")).network, dtype=torch.float32)
    with pytest.raises(CheckpointError, match="missing or damaged"):
        stored_expert_survey(tmp_path)
