"""Edits change one activation, and everything a Journey shows follows from it."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import CONFIG, TEXT, close, random_model


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def plain(model):
    return tj.trace(model, TEXT)


def test_a_head_switched_off_writes_nothing(model, plain):
    edited = tj.trace(model, TEXT, edits=[tj.ablate_head(block=1, head=2)])
    assert not edited["z", 1][:, 2].any()
    others = [0, 1, 3]
    close(edited["z", 1][:, others], plain["z", 1][:, others])
    close(edited["attn_out", 1], plain["attn_out", 1] - plain["result", 1][:, 2])
    assert abs(edited.logits - plain.logits).max() > 1e-3


def test_an_mlp_switched_off_adds_nothing(model):
    edited = tj.trace(model, TEXT, edits=[tj.ablate_mlp(block=2)])
    assert not edited["mlp_out", 2].any()
    close(edited["resid_post", 2], edited["resid_mid", 2])


@pytest.mark.parametrize("name", [n for n in tj.trace(random_model(), "x").names])
def test_replacing_an_activation_by_itself_changes_nothing(model, plain, name):
    edited = tj.trace(model, TEXT, edits=[tj.replace(name, plain[name])])
    close(edited.logits, plain.logits, 1e-4)
    close(edited[name], plain[name])


@pytest.mark.parametrize("name", [n for n in tj.trace(random_model(), "x").names])
def test_every_activation_can_be_scaled_and_the_journey_stays_consistent(model, plain, name):
    edited = tj.trace(model, TEXT, edits=[tj.scale(name, 0.5)])
    assert abs(edited.logits - plain.logits).max() > 1e-5
    for block in range(CONFIG.n_layers):
        rerun = edited["resid_mid", block] + edited["mlp_out", block]
        if name != f"blocks.{block}.hook_resid_post":
            close(edited["resid_post", block], rerun)
    longer = edited.extend(7)
    again = tj.trace(model, [*edited.token_ids, 7], edits=edited.edits)
    close(longer.logits, again.logits, 1e-4)


def test_scores_scaled_by_0_stay_masked(model):
    edited = tj.trace(model, TEXT, edits=[tj.scale("blocks.0.attn.hook_attn_scores", 0.0)])
    size = len(edited)
    even = np.tril(np.ones((size, size))) / np.arange(1, size + 1)[:, None]
    close(edited["pattern", 0], np.broadcast_to(even, (CONFIG.n_heads, size, size)))


def test_a_slice_of_an_edited_journey_keeps_its_edits(model, plain):
    pattern = np.array(plain["pattern", 0])
    pattern[:] = np.eye(len(plain))
    edited = tj.trace(model, TEXT, edits=[tj.replace("blocks.0.attn.hook_pattern", pattern)])
    cut = edited[:3]
    close(cut["pattern", 0], pattern[:, :3, :3])
    close(cut["z", 0], edited["z", 0][:3])
    close(cut.logits, edited.logits[:3])


def test_a_replaced_activation_has_no_next_position(model, plain):
    edited = tj.trace(model, TEXT, edits=[tj.replace("hook_embed", plain["hook_embed"])])
    with pytest.raises(tj.HookError, match="replaces the whole of hook_embed"):
        edited.extend(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tj.ablate_head(block=3, head=0), "blocks 0 to 2|no hook"),
        (lambda: tj.ablate_head(block=0, head=4), "heads 0 to 3"),
        (lambda: tj.ablate_head(block=-1, head=0), "no block -1"),
        (lambda: tj.ablate_mlp(block=True), "no block True"),
        (lambda: tj.scale("blocks.0.nose", 1.0), "no hook"),
        (lambda: tj.scale("hook_embed", float("nan")), "finite"),
        (lambda: tj.scale("hook_embed", "2"), "finite"),
        (lambda: tj.replace("hook_embed", np.zeros((2, 32))), "shape"),
        (lambda: tj.replace("hook_embed", np.full((8, 32), np.nan)), "not finite"),
        (lambda: tj.replace("hook_embed", "text"), "numbers"),
    ],
)
def test_an_edit_without_a_place_says_so(model, make, message):
    with pytest.raises(tj.HookError, match=message):
        tj.trace(model, TEXT, edits=[make()])


@pytest.mark.parametrize("since", [0, 2])
def test_what_changes_late_need_not_be_traced_from_the_start(model, plain, since):
    rows = np.array(plain["hook_embed"])
    rows[since] = 0.5
    pattern = np.array(plain["pattern", 1])  # a fixed square, of which the late rows are used
    fixed = [tj.replace("blocks.1.attn.hook_pattern", pattern), tj.ablate_head(block=0, head=1)]
    before = tj.trace(model, TEXT, edits=fixed)
    edit = tj.replace("hook_embed", rows)
    late, whole = before.retrace([edit], since), tj.trace(model, TEXT, edits=[*fixed, edit])
    close(late.logits, whole.logits, 1e-4)
    close(late["z", 2], whole["z", 2])
    assert abs(late.logits[since:] - before.logits[since:]).max() > 1e-3
    close(before.logits, tj.trace(model, TEXT, edits=fixed).logits, 1e-4)


@pytest.mark.parametrize("since", [-1, 1000])
def test_tracing_again_from_a_place_that_is_not_there_is_refused(plain, since):
    with pytest.raises(tj.TokenJourneyError, match="no position"):
        plain.retrace([], since)
