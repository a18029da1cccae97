"""What a Journey promises, on a small random network whose attention is not uniform."""

import math
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenjourney as tj
from tests.engine import CONFIG, TEXT, close, random_model
from tokenjourney.edits import hook_shape
from tokenjourney.journey import traced_blocks
from tokenjourney.model.hooks import Tap


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, TEXT)


@pytest.mark.parametrize("edits", [(), (tj.ablate_head(1, 0), tj.ablate_mlp(1))])
@pytest.mark.parametrize(
    "names",
    [("pattern",), ("pattern", "resid_mid", "mlp_out"), ("resid_pre", "resid_post"), ("q",)],
)
def test_what_passes_is_what_the_journey_holds_and_is_not_kept(model, edits, names):
    fresh = tj.trace(model, TEXT, edits=list(edits))
    before = fresh.n_bytes
    passed = fresh.passing(1, *names)
    assert fresh.n_bytes == before
    for name, value in zip(names, passed, strict=True):
        close(value, fresh[name, 1])
        assert not value.flags.writeable
    kept = fresh["pattern", 1]
    assert fresh.passing(1, "pattern")[0] is kept


@pytest.mark.parametrize(
    "edits",
    [
        (),
        (tj.ablate_head(1, 0), tj.ablate_mlp(0)),
        (tj.scale("blocks.1.attn.hook_k", 0.5),),
        (tj.replace("blocks.1.hook_attn_out", np.arange(7 * 32).reshape(7, 32) / 99),),
    ],
)
@pytest.mark.parametrize("position", [0, 3, 6])
def test_what_passes_at_one_position_is_that_row_of_what_passes(model, edits, position):
    fresh = tj.trace(model, TEXT, edits=list(edits))
    before, kept = fresh.n_bytes, fresh._record.keys.clone()
    names = ("result", "z", "k", "attn_out", "mlp_out", "resid_post")
    rows = fresh.passing_at(position, 1, *names)
    assert fresh.n_bytes == before
    assert torch.equal(fresh._record.keys, kept), "looked at, not written to"
    for row, whole in zip(rows, fresh.passing(1, *names), strict=True):
        close(row, whole[position])


@pytest.mark.parametrize(
    "edits",
    [
        (),
        (tj.ablate_head(1, 0), tj.ablate_mlp(0)),
        (tj.scale("blocks.1.attn.hook_k", 0.5), tj.scale("ln_final.hook_normalized", 2.0)),
        (tj.replace("blocks.1.hook_attn_out", np.arange(7 * 32).reshape(7, 32) / 99),),
    ],
)
@pytest.mark.parametrize("position", [0, 3, 6])
def test_other_tokens_in_a_place_are_runs_with_them_there(model, edits, position):
    fresh = tj.trace(model, TEXT, edits=list(edits))
    before, kept = fresh.n_bytes, fresh._record.keys.clone()
    found = fresh.logits_instead(position, [7, 3, fresh.token_ids[position]])
    assert (fresh.n_bytes, found.dtype, found.flags.writeable) == (before, np.float32, False)
    assert torch.equal(fresh._record.keys, kept), "looked at, not written to"
    for token_id, logits in zip((7, 3), found, strict=False):
        prompt = [*fresh.token_ids[:position], token_id]
        close(logits, tj.trace(model, prompt, [e.first(position + 1) for e in edits]).logits_at())
    close(found[2], fresh.logits_at(position))
    close(fresh.logits_instead(position, [3])[0], found[1])


def test_other_tokens_that_cannot_be_put_in_a_place_are_refused(journey, tmp_path):
    with pytest.raises(tj.HookError, match="run from 0"):
        journey.logits_instead(len(journey), [1])
    with pytest.raises(tj.PromptError, match="at least one"):
        journey.logits_instead(0, [])
    with pytest.raises(tj.PromptError, match="no token 99999"):
        journey.logits_instead(0, [99999])
    journey.save(tmp_path / "one.safetensors")
    with pytest.raises(tj.HookError, match="put other tokens"):
        tj.Journey.load(tmp_path / "one.safetensors").logits_instead(0, [1])


def test_a_position_that_is_not_there_and_a_square_are_refused(journey):
    for position in (-1, len(journey)):
        with pytest.raises(tj.HookError, match="run from 0"):
            journey.passing_at(position, 0, "z")
    with pytest.raises(tj.HookError, match="no row per position"):
        journey.passing_at(0, 0, "pattern")


def test_a_block_runs_no_further_than_the_last_that_is_wanted(journey):
    fresh = tj.trace(journey.model, TEXT)
    ran = []
    mlp = journey.model.network.blocks[0].mlp
    hook = mlp.register_forward_hook(lambda *_: ran.append(True))
    fresh.passing(0, "pattern", "q")
    assert not ran
    fresh.passing(0, "mlp_out")
    hook.remove()
    assert ran


def test_names_are_those_of_transformerlens(journey):
    block = [name for name in journey.names if name.startswith("blocks.1.")]
    assert block == [
        "blocks.1.hook_resid_pre",
        "blocks.1.ln1.hook_scale",
        "blocks.1.ln1.hook_normalized",
        "blocks.1.attn.hook_q",
        "blocks.1.attn.hook_k",
        "blocks.1.attn.hook_v",
        "blocks.1.attn.hook_attn_scores",
        "blocks.1.attn.hook_pattern",
        "blocks.1.attn.hook_z",
        "blocks.1.attn.hook_result",
        "blocks.1.hook_attn_out",
        "blocks.1.hook_resid_mid",
        "blocks.1.ln2.hook_scale",
        "blocks.1.ln2.hook_normalized",
        "blocks.1.mlp.hook_pre",
        "blocks.1.mlp.hook_post",
        "blocks.1.hook_mlp_out",
        "blocks.1.hook_resid_post",
    ]
    assert journey.names[:2] == ("hook_embed", "hook_pos_embed")
    assert journey.names[-2:] == ("ln_final.hook_scale", "ln_final.hook_normalized")


def test_every_activation_has_its_shape_and_cannot_be_written_to(journey):
    for name in journey.names:
        array = journey[name]
        assert array.shape == hook_shape(journey.config, name, len(journey)), name
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[..., 0] = 1.0


def test_logits_are_those_of_the_plain_forward_pass(model, journey):
    plain = model.network(torch.tensor([journey.token_ids]))[0].numpy()
    close(journey.logits, plain)
    close(journey.logits_at(), plain[-1])
    close(journey.logits_at(2), plain[2])


def test_the_logits_of_one_position_are_kept_until_another_is_asked_for(model, journey):
    one = tj.trace(model, journey.token_ids)
    asked = one.logits_at(1)
    assert one.logits_at(1) is asked
    close(one.logits_at(2), journey.logits_at(2))
    close(one.logits_at(1), asked)


@pytest.mark.parametrize("block", range(CONFIG.n_layers))
def test_a_block_adds_up(model, journey, block):
    close(journey["resid_mid", block], journey["resid_pre", block] + journey["attn_out", block])
    close(journey["resid_post", block], journey["resid_mid", block] + journey["mlp_out", block])
    bias = model.network.blocks[block].attn.out.bias.numpy()
    close(journey["result", block].sum(axis=1) + bias, journey["attn_out", block])
    pattern = journey["pattern", block]
    close(pattern.sum(-1), np.ones(pattern.shape[:2]))
    assert not np.triu(pattern, k=1).any()
    z = np.einsum("hqk,khd->qhd", pattern, journey["v", block])
    close(z, journey["z", block])


def test_the_first_block_starts_with_token_plus_position(journey):
    close(journey["resid_pre", 0], journey["hook_embed"] + journey["hook_pos_embed"])


def test_scores_are_scaled_and_masked(journey):
    scores = journey["attn_scores", 1]
    q, k = journey["q", 1], journey["k", 1]
    raw = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(CONFIG.d_head)
    seen = np.tril(np.ones((len(journey),) * 2, bool))
    close(scores[:, seen], raw[:, seen], 1e-4)
    assert np.isneginf(scores[:, ~seen]).all()


def test_layer_norm_brings_mean_0_and_variance_1_before_gain_and_bias(model, journey):
    ln = model.network.blocks[0].ln1
    standard = (journey["ln1.normalized", 0] - ln.bias.numpy()) / ln.gain.numpy()
    close(standard.mean(-1), np.zeros(len(journey)), 1e-4)
    close(standard.var(-1), np.ones(len(journey)), 1e-3)
    x = journey["resid_pre", 0]
    close(journey["ln1.scale", 0][:, 0], np.sqrt(x.var(-1) + CONFIG.layer_norm_eps))


def test_fused_and_explicit_attention_agree(model, journey):
    ids = torch.tensor([journey.token_ids])
    seen = []
    tap = Tap({f"blocks.{i}.attn.hook_pattern": [seen.append] for i in range(CONFIG.n_layers)})
    close(model.network(ids, tap).numpy(), model.network(ids).numpy())
    assert len(seen) == CONFIG.n_layers


def test_fused_and_explicit_layer_norm_agree(model, journey):
    ids = torch.tensor([journey.token_ids])
    names = [name for name in journey.names if name.endswith("hook_scale")]
    seen = []
    tap = Tap({name: [seen.append] for name in names})
    close(model.network(ids, tap).numpy(), model.network(ids).numpy())
    assert len(seen) == len(names)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 256), min_size=2, max_size=20), st.integers(0, 256))
def test_a_later_token_changes_nothing_earlier(ids, other):
    model = random_model()
    one, two = tj.trace(model, ids), tj.trace(model, [*ids[:-1], other])
    before = len(ids) - 1
    close(one.logits[:before], two.logits[:before])
    for name in ("resid_post", "z", "mlp_out"):
        close(one[name, 2][:before], two[name, 2][:before])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 256), min_size=2, max_size=20), st.data())
def test_extending_gives_what_tracing_the_longer_prompt_gives(ids, data):
    model = random_model()
    start = data.draw(st.integers(1, len(ids)))
    grown = tj.trace(model, ids[:start])
    while len(grown) < len(ids):
        n = data.draw(st.integers(1, len(ids) - len(grown)))
        grown = grown.extend(*ids[len(grown) : len(grown) + n])
    whole = tj.trace(model, ids)
    assert grown.token_ids == whole.token_ids
    close(grown.logits, whole.logits)
    close(grown.logits_at(), whole.logits_at())
    close(grown["pattern", 2], whole["pattern", 2])
    cut = whole[:start]
    short = tj.trace(model, ids[:start])
    close(cut.logits, short.logits)
    close(cut["post", 1], short["post", 1])


def test_two_continuations_of_one_journey_do_not_disturb_each_other(model, journey):
    left = journey.extend(1)
    right = journey.extend(2)
    left_again = left.extend(3)
    right_again = right.extend(4)
    close(left_again.logits, tj.trace(model, [*journey.token_ids, 1, 3]).logits)
    close(right_again.logits, tj.trace(model, [*journey.token_ids, 2, 4]).logits)
    close(journey.logits, tj.trace(model, TEXT).logits)


def test_growing_shares_the_buffers(journey):
    first = journey.extend(1)
    second = first.extend(2)
    assert second.stream.data_ptr() == first.stream.data_ptr()


def test_threads_can_share_a_model_and_a_journey(model):
    shared = tj.trace(model, list(range(40)))
    expected = [tj.trace(model, list(range(40)))["z", block].copy() for block in range(3)]
    wrong = []

    def work(seed):
        for block in range(3):
            if not np.allclose(shared["z", block], expected[block], atol=1e-5):
                wrong.append(block)
        mine = shared.extend(seed)
        if not np.allclose(
            mine.logits_at(), tj.trace(model, mine.token_ids).logits_at(), atol=1e-4
        ):
            wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_tokens_stand_for_their_characters(journey):
    assert journey.text == TEXT
    assert [TEXT[token.start : token.end] for token in journey.tokens] == [
        token.text for token in journey.tokens
    ]
    assert journey.tokens[0] == tj.Token(256, b"ab", "ab", 0, 2)


def test_predictions_are_the_softmax_of_all_logits(journey):
    logits = journey.logits[3].astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum()
    found = journey.next_tokens(position=3, k=5)
    assert [p.token_id for p in found] == np.argsort(-logits, kind="stable")[:5].tolist()
    close([p.probability for p in found], shares[[p.token_id for p in found]])
    everything = journey.next_tokens(k=10_000)
    assert len(everything) == CONFIG.d_vocab
    assert sum(p.probability for p in everything) == pytest.approx(1)
    assert journey.next_tokens(temperature=0)[0].probability == 1
    assert journey.next_tokens(k=2) == everything[:2]


def test_derived_data_is_bounded(model, monkeypatch):
    monkeypatch.setattr("tokenjourney.journey.DERIVED_BYTES", 100_000)
    journey = tj.trace(model, list(range(40)))
    first = journey["pattern", 0].copy()
    for block in range(CONFIG.n_layers):
        journey["pattern", block]
    one_block = journey._derived.n_bytes
    assert one_block < 2 * 200_000
    close(journey["pattern", 0], first)


def test_progress_names_each_block(model):
    *blocks, journey = traced_blocks(model, TEXT)
    assert blocks == [0, 1, 2]
    close(journey.logits, tj.trace(model, TEXT).logits)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("", "empty"),
        ([], "empty"),
        ([300], "no token 300"),
        ([-1], "no token -1"),
        (b"bytes", "type bytes"),
        ([True], "True is no token ID"),
        ([1.5], "1.5 is no token ID"),
        (None, "type NoneType"),
        (7, "type int"),
        (np.zeros((2, 2), int), "2 dimensions"),
        ("\ud800", "surrogate"),
        ("x" * 49, "49 tokens, and random takes 48"),
    ],
)
def test_a_prompt_that_cannot_be_run_says_why(model, prompt, message):
    with pytest.raises(tj.PromptError, match=message):
        tj.trace(model, prompt)


@pytest.mark.parametrize("prompt", [[1, 2], (1, 2), np.array([1, 2]), torch.tensor([1, 2])])
def test_ids_may_come_in_any_sequence(model, prompt):
    assert tj.trace(model, prompt).token_ids == (1, 2)


def test_the_context_can_be_filled_to_the_last_place(model):
    full = tj.trace(model, "x" * 48)
    assert len(full) == 48
    with pytest.raises(tj.PromptError, match="context is full"):
        full.extend(1)
    with pytest.raises(tj.PromptError, match="context is full"):
        full[:46].extend(1, 2, 3)
    assert len(full[:46].extend(1, 2)) == 48
    with pytest.raises(tj.PromptError, match="at least one"):
        full[:46].extend()


@pytest.mark.parametrize(
    "key", ["blocks.9.hook_z", "nonsense", ("pattern", 3), ("pattern", -1), ("nose", 0), 3, None]
)
def test_an_unknown_activation_says_what_there_is(journey, key):
    with pytest.raises(tj.HookError, match=r"no block|no hook|has no"):
        journey[key]


@pytest.mark.parametrize("position", [9, -2, 1.0, True])
def test_an_unknown_position_says_which_there_are(journey, position):
    with pytest.raises(tj.HookError, match="0 to 6"):
        journey.next_tokens(position=position)


@pytest.mark.parametrize("cut", [slice(1, 3), slice(0, 0), slice(None, None, 2)])
def test_a_slice_that_does_not_start_at_the_start_is_refused(journey, cut):
    with pytest.raises(tj.PromptError, match="first tokens"):
        journey[cut]


@pytest.mark.parametrize("arguments", [{"k": 0}, {"k": True}, {"temperature": -1}, {"k": 2.0}])
def test_next_tokens_refuses_what_makes_no_sense(journey, arguments):
    with pytest.raises(tj.PromptError, match="give a"):
        journey.next_tokens(**arguments)


def test_a_model_without_a_tokenizer_takes_ids(model):
    mute = tj.Model("mute", model.network, None, "it has no tokenizer files")
    assert tj.trace(mute, [1, 2]).tokens[1].text == "‹2›"
    with pytest.raises(tj.PromptError, match="no tokenizer files"):
        tj.trace(mute, "text")
