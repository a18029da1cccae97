"""The same numbers as transformers, with eager attention, on checkpoints that it saved itself.

Tolerances: correct fp32 implementations differ by a few 1e-6 in the logits at ordinary weights, and
by up to 1e-4 where attention is very sharp, as it is in these.
"""

import pytest
import torch

import tokenjourney as tj
from tests.checkpoints import greedy_by_transformers, save_by_transformers
from tests.parity import both, close
from tokenjourney.model.checkpoints import save_checkpoint

GPT2_SMALL = {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12}
CASES = [
    pytest.param({}, id="small"),
    pytest.param({"tie_word_embeddings": False}, id="untied"),
    pytest.param({"n_inner": 80, "layer_norm_epsilon": 1e-3}, id="narrow"),
    pytest.param({"reorder_and_upcast_attn": True}, id="reordered"),
    pytest.param({"activation_function": "gelu_pytorch_tanh"}, id="other name of GELU"),
    pytest.param(GPT2_SMALL, id="gpt2", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=CASES)
def pair(request, tmp_path_factory):
    """One checkpoint, opened by transformers and by us, and token IDs for it."""
    folder = tmp_path_factory.mktemp("parity")
    theirs = save_by_transformers(folder, **request.param)
    n_ctx = theirs.config.n_positions
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(theirs.config.vocab_size, (1, min(n_ctx // 2, 128)), generator=generator)
    return theirs, tj.load_model(folder), ids


@pytest.fixture(scope="module")
def runs(pair):
    """Their outputs, with what the last block gives, and our Journey."""
    theirs, ours, ids = pair
    return both(theirs, theirs.transformer.h[-1], ours, ids)


def test_attention_in_these_checkpoints_is_not_uniform(runs):
    outputs, _, _ = runs
    strongest = outputs.attentions[0][0, :, -1].max(dim=-1).values
    assert strongest.mean() > 5 / outputs.attentions[0].shape[-1]


def test_logits_of_every_position(runs):
    outputs, _, journey = runs
    close(journey.logits, outputs.logits[0].numpy())


def test_the_residual_stream_of_every_block(runs):
    outputs, last, journey = runs
    n_layers = journey.config.n_layers
    for block in range(n_layers):
        close(journey["resid_pre", block], outputs.hidden_states[block][0].numpy())
    close(journey["resid_post", n_layers - 1], last)
    close(journey["ln_final.hook_normalized"], outputs.hidden_states[-1][0].numpy())


def test_every_attention_pattern(runs):
    outputs, _, journey = runs
    for block, theirs in enumerate(outputs.attentions):
        close(journey["pattern", block], theirs[0].numpy(), tolerance=1e-5)


def test_greedy_generation_of_50_tokens(pair):
    theirs, ours, ids = pair
    prompt = ids[:, : min(ids.shape[1], 30)]
    expected = greedy_by_transformers(theirs, prompt, 50)
    steps = tj.generate(ours, prompt[0].tolist(), max_new_tokens=50, temperature=0)
    assert [step.token.id for step in steps] == expected
    assert len(expected) == 50


def test_what_we_save_is_what_transformers_opens(pair, tmp_path):
    from transformers import AutoModelForCausalLM

    theirs, ours, ids = pair
    save_checkpoint(tmp_path, ours.network, dtype=torch.float32)
    again = AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="eager").eval()
    assert again.config.tie_word_embeddings == theirs.config.tie_word_embeddings
    with torch.no_grad():
        close(again(ids).logits[0].numpy(), theirs(ids).logits[0].numpy())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_checkpoints_agree_too(tiny_model, tmp_path, dtype):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    save_checkpoint(tmp_path, tiny_model.network, tiny_model.tokenizer, dtype=dtype)
    ours = tj.load_model(tmp_path)
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    text = "The little cat didn't sit on the other mat."
    ids = AutoTokenizer.from_pretrained(tmp_path)(text, return_tensors="pt").input_ids
    assert ids[0].tolist() == ours.tokenizer.encode(text)
    with torch.no_grad():
        close(tj.trace(ours, text).logits, theirs(ids).logits[0].numpy())
