"""What heads are said to do is what their patterns show."""

import numpy as np
import pytest

import tokenjourney as tj
from tokenjourney.analysis.heads import (
    KINDS,
    head_scores,
    head_survey,
    repeated_random_tokens,
)


def looking_at(keys: list[int]) -> np.ndarray:
    """A pattern in which query i spends all its attention on `keys[i]`."""
    return np.eye(len(keys), dtype=np.float32)[keys]


def random_patterns(*shape: int) -> np.ndarray:
    scores = np.random.default_rng(0).normal(size=shape)
    scores = np.where(np.tri(shape[-1], dtype=bool), scores, -np.inf)
    powers = np.exp(scores)
    return (powers / powers.sum(-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ([0, 0, 1, 2, 3, 4], "previous"),
        ([0, 0, 0, 0, 0, 0], "first"),
        ([0, 1, 2, 0, 1, 2], "same"),
        ([0, 1, 2, 1, 2, 3], "induction"),
        ([0, 1, 2, 3, 4, 5], ""),
    ],
)
def test_a_head_is_named_by_where_it_looks(keys: list[int], kind: str) -> None:
    assert head_scores(looking_at(keys), [7, 8, 9, 7, 8, 9]).kind() == kind


def test_scores_are_means_over_the_queries_that_have_the_occasion() -> None:
    pattern = np.tri(4, dtype=np.float32) / np.arange(1, 5)[:, None]  # everybody looks evenly
    scores = head_scores(pattern, [7, 8, 7, 8])
    found = dict(zip(KINDS, scores.values.tolist(), strict=True))
    assert scores.occasions.tolist() == [2, 2, 2, 2]
    assert found["previous"] == pytest.approx((1 / 3 + 1 / 4) / 2)
    assert found["same"] == pytest.approx((1 / 3 + 1 / 4) / 2)
    # at 2 the token after the earlier one is 1, at 3 it is 2
    assert found["induction"] == pytest.approx((1 / 3 + 1 / 4) / 2)


def test_without_a_repeated_token_there_is_no_score_for_repetition() -> None:
    scores = head_scores(random_patterns(5, 4, 4), [1, 2, 3, 4])
    assert np.isnan(scores.values[KINDS.index("same")]).all()
    assert np.isnan(scores.values[KINDS.index("induction")]).all()
    assert np.isfinite(scores.values[KINDS.index("previous")]).all()


@pytest.mark.parametrize("n_tokens", [1, 2])
def test_a_prompt_too_short_to_tell_first_from_previous_names_no_head(n_tokens: int) -> None:
    scores = head_scores(random_patterns(3, n_tokens, n_tokens), list(range(n_tokens)))
    assert np.isnan(scores.values).all()
    assert scores.kind(0) == ""


def test_a_token_repeated_at_once_does_not_count_itself_as_what_follows() -> None:
    scores = head_scores(looking_at([0, 1, 2]), [5, 5, 5])
    assert scores.values[KINDS.index("induction")] == 0


def test_patterns_of_another_prompt_are_refused() -> None:
    with pytest.raises(tj.TokenJourneyError, match=r"\(5, 5\)"):
        head_scores(random_patterns(4, 4), [1, 2, 3, 4, 5])


def test_a_survey_holds_every_head_of_every_block() -> None:
    patterns = random_patterns(3, 2, 6, 6)
    survey = head_survey(iter(patterns), [1, 2, 1, 2, 1, 2])
    np.testing.assert_array_equal(survey.thumbnails, patterns)
    expected = head_scores(patterns, [1, 2, 1, 2, 1, 2])
    np.testing.assert_array_equal(survey.scores.values, expected.values)
    assert survey.scores.values.shape == (4, 3, 2)


def test_scores_are_those_of_masks_over_the_whole_pattern() -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 7, 40)
    patterns = random_patterns(2, 40, 40)
    query, key = np.mgrid[0:40, 0:40]
    same = (ids[:, None] == ids[None, :]) & (key < query)
    after = np.zeros_like(same)
    after[:, 1:] = same[:, :-1] & (key[:, 1:] < query[:, 1:])
    late = query >= 2
    masks = (late & (key == query - 1), late & (key == 0), same, after)
    found = head_scores(patterns, ids.tolist())
    for row, mask in enumerate(masks):
        counted = mask.any(-1)
        assert found.occasions[row] == counted.sum()
        expected = (patterns * mask).sum(-1)[:, counted].mean(-1)
        np.testing.assert_allclose(found.values[row], expected, rtol=1e-5)


def test_thumbnails_of_long_prompts_merge_squares_and_their_rows_still_sum_to_one() -> None:
    patterns = random_patterns(1, 1, 7, 7)
    survey = head_survey(patterns, list(range(7)), most=4)
    assert survey.side == 2
    assert survey.thumbnails.shape == (1, 1, 4, 4)
    assert survey.thumbnails[0, 0, 1, 0] == pytest.approx(
        patterns[0, 0, 2:4, 0:2].sum(axis=-1).mean()
    )
    assert survey.thumbnails[0, 0, 3, 3] == pytest.approx(patterns[0, 0, 6, 6])
    np.testing.assert_allclose(survey.thumbnails.sum(axis=-1), 1, rtol=1e-5)


def test_repeated_random_tokens_fit_every_model_and_stay_the_same() -> None:
    assert repeated_random_tokens(50257, 1024) == repeated_random_tokens(50257, 1024)
    assert len(repeated_random_tokens(50257, 1024)) == 96
    assert len(repeated_random_tokens(5, 1024)) == 10
    assert len(repeated_random_tokens(50257, 8)) == 8
