"""What the map draws is what the journey holds."""

import numpy as np
import pytest

import tokenjourney as tj
from tokenjourney.analysis.journey_map import (
    MapSummary,
    curves_shown,
    map_summary,
    packed,
    rows_shown,
    settled_from,
    sources_of_head,
    standardised,
    strongest_overall,
    strongest_sources,
    unpacked,
    whole_steps,
)
from tokenjourney.analysis.lens import residual_stack


def summary_of(journey: tj.Journey) -> MapSummary:
    blocks = (
        (journey["pattern", block], journey["resid_mid", block])
        for block in range(journey.config.n_layers)
    )
    stream = residual_stack(journey)
    return map_summary(journey.token_ids, stream, blocks, journey.config.layer_norm_eps)


@pytest.fixture(scope="module")
def short(tiny_model: tj.Model) -> tj.Journey:
    return tj.trace(tiny_model, [5, 9, 2, 5, 77, 140])


@pytest.fixture(scope="module")
def long(tiny_model: tj.Model) -> tj.Journey:
    return tj.trace(tiny_model, [(7 * i) % 300 for i in range(80)])


def test_tracks_are_as_wide_as_the_residual_vectors_are_long(short: tj.Journey) -> None:
    summary = summary_of(short)
    for block in range(short.config.n_layers):
        before = np.linalg.norm(short["resid_pre", block], axis=-1)
        middle = np.linalg.norm(short["resid_mid", block], axis=-1)
        after = np.linalg.norm(short["resid_post", block], axis=-1)
        np.testing.assert_allclose(summary.lengths[block], before, rtol=1e-6)
        np.testing.assert_allclose(summary.middles[block], middle, rtol=1e-6)
        np.testing.assert_allclose(summary.lengths[block + 1], after, rtol=1e-6)
        wrote = np.linalg.norm(short["mlp_out", block], axis=-1)
        np.testing.assert_allclose(summary.writes[block], wrote, rtol=1e-4)


def test_the_final_layernorm_scales_as_the_models_own_does(short: tj.Journey) -> None:
    last = short["resid_post", short.config.n_layers - 1]
    own = standardised(last, short.config.layer_norm_eps)
    network = short.model.network.ln_final
    gain, bias = (p.detach().numpy() for p in (network.gain, network.bias))
    np.testing.assert_allclose(own * gain + bias, short["ln_final.hook_normalized"], atol=1e-5)


def test_every_curve_is_the_mean_of_the_heads_and_names_the_strongest(short: tj.Journey) -> None:
    curves = curves_shown(summary_of(short).sources, 5, range(6))
    assert len(curves.blocks) > 10
    for i in range(len(curves.blocks)):
        pattern = short["pattern", int(curves.blocks[i])]
        cell = pattern[:, curves.queries[i], curves.keys[i]]
        assert curves.shares[i] == pytest.approx(cell.mean(), abs=1e-6)
        assert curves.head_shares[i] == pytest.approx(cell.max(), abs=1e-6)
        assert cell[curves.heads[i]] == cell.max()


def test_curves_can_be_those_of_one_head(short: tj.Journey) -> None:
    patterns = (short["pattern", block] for block in range(short.config.n_layers))
    curves = curves_shown(sources_of_head(patterns, 1), 5, range(6))
    assert len(curves.blocks) > 10
    assert set(curves.heads) == {1}
    for block, query, key, value in zip(
        curves.blocks, curves.queries, curves.keys, curves.shares, strict=True
    ):
        assert value == short["pattern", int(block)][1, query, key]


def test_a_short_prompt_shows_all_attention_from_0_05_on(short: tj.Journey) -> None:
    curves = curves_shown(summary_of(short).sources, 2, range(6))
    wanted = 0
    for block in range(short.config.n_layers):
        mean = short["pattern", block].mean(axis=0).copy()
        np.fill_diagonal(mean, 0)
        wanted += int((mean >= 0.05).sum())
    assert len(curves.blocks) == wanted
    assert (curves.queries != curves.keys).all()
    assert (curves.keys < curves.queries).all()


def test_a_long_prompt_keeps_all_curves_of_the_followed_token_only(long: tj.Journey) -> None:
    summary = summary_of(long)
    curves = curves_shown(summary.sources, 40, range(80))
    for block in range(long.config.n_layers):
        mean = long["pattern", block].mean(axis=0)[40].copy()
        mean[40] = 0
        here = (curves.blocks == block) & (curves.queries == 40)
        assert set(curves.keys[here]) == set(np.flatnonzero(mean >= 0.08))
    others = curves.queries != 40
    pairs = set(zip(curves.blocks[others], curves.queries[others], strict=True))
    assert len(pairs) == others.sum()


def test_the_followed_tokens_curves_are_drawn_last(short: tj.Journey) -> None:
    followed = curves_shown(summary_of(short).sources, 3, range(6)).queries == 3
    assert followed.any()
    assert (np.diff(followed.astype(int)) >= 0).all()


def test_the_strongest_sources_are_those_with_most_attention_in_all_blocks(
    long: tj.Journey,
) -> None:
    total = sum(long["pattern", block].mean(axis=0)[60] for block in range(3)).copy()
    total[60] = 0
    assert strongest_overall(summary_of(long), 60, n=1) == (int(total.argmax()),)


def test_the_first_token_has_nobody_to_look_at(tiny_model: tj.Model) -> None:
    summary = summary_of(tj.trace(tiny_model, [3]))
    assert len(curves_shown(summary.sources, 0, (0,)).blocks) == 0
    assert strongest_overall(summary, 0) == ()
    assert summary.sources.shares.max() == 0


def test_nobody_looks_at_what_comes_later() -> None:
    pattern = np.tri(20, dtype=np.float32)[None] / np.arange(1, 21)[None, :, None]
    found = strongest_sources(pattern)
    seen = found.shares > 0
    assert (found.keys < np.arange(20)[:, None])[seen].all()


@pytest.mark.parametrize("followed", [0, 1, 35, 120, 999, 1023])
def test_a_long_prompt_shows_the_first_token_and_sixty_rows_around_the_followed(
    followed: int,
) -> None:
    rows = rows_shown(1024, followed)
    assert len(rows) == len(set(rows)) == 60
    assert rows[0] == 0
    assert followed in rows
    assert max(rows) < 1024
    assert list(rows[1:]) == list(range(rows[1], rows[1] + 59))


@pytest.mark.parametrize(
    ("guesses", "first"), [([1], 0), ([2, 2], 0), ([1, 2, 2], 1), ([2, 1, 2], 2)]
)
def test_a_guess_is_settled_from_where_it_no_longer_changes(guesses: list[int], first: int) -> None:
    assert settled_from(guesses) == first


def test_strips_keep_every_number_to_four_digits(short: tj.Journey) -> None:
    values = short["hook_embed"]
    steps, step = whole_steps(values)
    np.testing.assert_allclose(steps * step, values, atol=np.abs(values).max() / 60_000)


def test_no_numbers_at_all_still_have_a_step() -> None:
    assert whole_steps(np.zeros((2, 2))) == (pytest.approx(np.zeros((2, 2))), 1.0)


def test_what_is_packed_comes_out_again() -> None:
    arrays = {
        "a": np.arange(6, dtype=np.int16).reshape(2, 3),
        "b": np.array([0.5], dtype=np.float32),
        "none": np.zeros((2, 0), dtype=np.uint8),
    }
    found = unpacked(packed({"text": "·<b>‹E2›"}, arrays))
    assert found["text"] == "·<b>‹E2›"
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_a_stream_of_another_prompt_is_refused(short: tj.Journey) -> None:
    with pytest.raises(tj.TokenJourneyError, match="3 tokens"):
        map_summary((1, 2, 3), residual_stack(short), ())
