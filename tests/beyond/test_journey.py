"""A Journey takes these models as it takes a GPT-2."""

import numpy as np
import pytest
import torch

import tokenjourney as tj
from tests.beyond.models import KINDS, config_of_kind, model_of
from tests.engine import close
from tokenjourney.beyond.checkpoints import save_checkpoint
from tokenjourney.edits import hook_shape
from tokenjourney.errors import CheckpointError, HookError

TEXT = "ab to cab"


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    return model_of(config_of_kind(request.param))


@pytest.fixture(scope="module")
def journey(model):
    return tj.trace(model, TEXT)


def test_every_activation_has_its_shape(journey):
    for name in journey.names:
        assert journey[name].shape == hook_shape(journey.config, name, len(journey)), name
        assert journey[name].dtype == np.float32


def test_logits_are_those_of_the_plain_forward_pass(model, journey):
    plain = model.network(torch.tensor([journey.token_ids]))[0].numpy()
    close(journey.logits, plain)


def test_a_block_adds_up_and_a_pattern_sums_to_one(journey):
    for block in range(2):
        close(journey["resid_mid", block], journey["resid_pre", block] + journey["attn_out", block])
        close(journey["resid_post", block], journey["resid_mid", block] + journey["mlp_out", block])
        pattern = journey["pattern", block]
        close(pattern.sum(-1), np.ones(pattern.shape[:2]))
        assert not np.triu(pattern, k=1).any()


def test_what_passes_at_one_position_is_that_row_of_what_passes(model, journey):
    for position in (0, 4, len(journey) - 1):
        names = ("q", "k", "v", "result", "attn_out", "resid_mid", "mlp_out")
        rows = tj.trace(model, TEXT).passing_at(position, 1, *names)
        for name, row in zip(names, rows, strict=True):
            close(row, journey[name, 1][position])


def test_other_tokens_in_a_place_are_runs_with_them_there(model, journey):
    for position in (0, 4, len(journey) - 1):
        found = tj.trace(model, TEXT).logits_instead(position, [66, 65])
        for token_id, logits in zip((66, 65), found, strict=True):
            close(logits, tj.trace(model, [*journey.token_ids[:position], token_id]).logits_at())


def test_heads_add_up_to_what_attention_writes(model, journey):
    bias = getattr(model.network.blocks[0].attn.out, "bias", None)
    written = journey["result", 0].sum(axis=1) + (0 if bias is None else bias.numpy())
    close(written, journey["attn_out", 0])


def test_a_later_token_changes_nothing_earlier(model, journey):
    longer = tj.trace(model, [*journey.token_ids, 65, 66])
    close(longer.stream[:, : len(journey)], journey.stream)


def test_edits_that_work_per_position_reach_the_tokens_that_come_later(model, journey):
    edits = [tj.ablate_head(0, 1), tj.scale("blocks.1.attn.hook_k", 0.5), tj.ablate_mlp(0)]
    edited = tj.trace(model, journey.token_ids, edits)
    assert not np.allclose(edited.logits_at(), journey.logits_at(), atol=1e-3)
    grown = tj.trace(model, journey.token_ids[:3], edits).extend(*journey.token_ids[3:5])
    for token_id in journey.token_ids[5:]:
        grown = grown.extend(token_id)
    close(grown.logits_at(), edited.logits_at(), 1e-4)


def test_saving_and_loading_brings_everything_back(model, journey, tmp_path):
    path = tmp_path / "journey.safetensors"
    journey.save(path)
    again = tj.Journey.load(path)
    assert again.config == model.config
    assert again.names == journey.names
    for name in journey.names:
        close(again[name], journey[name])
    close(tj.Journey.load(path, model).extend(65).logits_at(), journey.extend(65).logits_at(), 1e-4)


def test_a_checkpoint_opens_as_it_was_saved(model, journey, tmp_path):
    save_checkpoint(tmp_path, model.network, model.tokenizer, dtype=torch.float32)
    again = tj.load_model(tmp_path)
    assert again.config == model.config
    assert again.n_parameters == model.n_parameters
    assert np.array_equal(tj.trace(again, TEXT).logits, journey.logits)
    for name, buffer in model.network.named_buffers():
        assert torch.equal(again.network.get_buffer(name), buffer)


def test_generation_goes_through_the_cache(model):
    steps = list(tj.generate(model, TEXT, 5, temperature=0))
    ids = list(tj.trace(model, TEXT).token_ids)
    for step in steps:
        best = int(tj.trace(model, ids).logits_at().argmax())
        assert step.token.id == best
        ids.append(best)


def test_a_model_without_position_matrix_says_so():
    model = model_of(config_of_kind("mla"))
    with pytest.raises(HookError, match="no W_pos"):
        _ = model.W_pos
    assert "hook_pos_embed" not in tj.trace(model, TEXT).names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d_latent": 13}, "has the shape"),
        ({"colour": "red"}, "colour"),
        ({"n_layers": 500}, "fewer tensors"),
        ({"attention": "linear"}, "attention is 'linear'"),
        ({"attention": "mha"}, "missing"),
    ],
)
def test_a_folder_whose_files_do_not_fit_is_refused(tmp_path, change, message):
    import json

    save_checkpoint(tmp_path, model_of(config_of_kind("mla")).network)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=message):
        tj.load_model(tmp_path)
