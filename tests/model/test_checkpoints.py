"""Checkpoints: what transformers saved opens here, and what cannot be opened says why."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import tokenjourney as tj
from tests.checkpoints import change_config, random_gpt2, save_by_transformers, tiny_tokenizer
from tokenjourney.errors import CheckpointError, ModelNotFoundError, PromptError
from tokenjourney.model import loading, stored
from tokenjourney.model.checkpoints import save_checkpoint

IDS = torch.tensor([[5, 17, 300, 2, 2, 90, 41]])


@pytest.fixture
def folder(tiny_folder, tmp_path):
    """A copy that a test may change."""
    return shutil.copytree(tiny_folder, tmp_path / "tiny")


def rewrite(folder, change):
    """Changes the tensors of a checkpoint."""
    path = folder / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(path).items()}
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


def logits(model):
    return tj.trace(model, IDS[0].tolist()).logits


# What opens -------------------------------------------------------------------------------------


def test_a_model_knows_its_sizes_and_matrices(tiny_folder):
    model = tj.load_model(tiny_folder)
    config = model.config
    assert model.name == "tiny"
    assert (config.n_layers, config.n_heads, config.d_model, config.d_head) == (3, 4, 48, 12)
    assert (config.d_mlp, config.d_vocab, config.n_ctx) == (192, 320, 96)
    stored = load_file(tiny_folder / "model.safetensors")
    np.testing.assert_array_equal(model.W_E, stored["transformer.wte.weight"].numpy())
    np.testing.assert_array_equal(model.W_pos, stored["transformer.wpe.weight"].numpy())
    np.testing.assert_array_equal(model.W_U, model.W_E.T)
    assert model.n_parameters == sum(tensor.numel() for tensor in stored.values())
    for array in (model.W_E, model.W_pos, model.W_U):
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(AttributeError):
        model.name = "other"


def test_a_loaded_network_is_ready_to_run_and_not_to_train(tiny_folder):
    network = tj.load_model(tiny_folder).network
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's list of maps")
def test_opening_fp32_weights_maps_the_file_and_copies_nothing(folder):
    network = tj.load_model(folder).network
    lines = Path("/proc/self/maps").read_text().splitlines()
    (line,) = [line for line in lines if str(folder / "model.safetensors") in line]
    start, end = (int(address, 16) for address in line.split()[0].split("-"))
    assert all(start <= parameter.data_ptr() < end for parameter in network.parameters())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_files_are_computed_in_fp32(folder, dtype):
    def halve(tensors):
        tensors.update({name: tensor.to(dtype) for name, tensor in tensors.items()})

    rewrite(folder, halve)
    model = tj.load_model(folder)
    stored = load_file(folder / "model.safetensors")
    assert all(parameter.dtype == torch.float32 for parameter in model.network.parameters())
    np.testing.assert_array_equal(model.W_E, stored["transformer.wte.weight"].float().numpy())


def test_files_without_the_transformer_prefix_and_with_old_masks(folder):
    expected = logits(tj.load_model(folder))

    def old_names(tensors):
        for name in list(tensors):
            tensors[name.removeprefix("transformer.")] = tensors.pop(name)
        for block in range(3):
            tensors[f"h.{block}.attn.bias"] = torch.ones(1, 1, 96, 96).tril()
            tensors[f"h.{block}.attn.masked_bias"] = torch.tensor(-1e4)

    rewrite(folder, old_names)
    np.testing.assert_array_equal(logits(tj.load_model(folder)), expected)


def test_a_tied_file_may_repeat_the_embedding_as_lm_head(folder):
    rewrite(folder, lambda t: t.update({"lm_head.weight": t["transformer.wte.weight"].clone()}))
    assert tj.load_model(folder).config.tied
    rewrite(folder, lambda t: t["lm_head.weight"].mul_(2))
    with pytest.raises(CheckpointError, match=r"lm_head\.weight differs"):
        tj.load_model(folder)


def test_an_untied_unembedding(tmp_path):
    save_by_transformers(tmp_path, tie_word_embeddings=False)
    model = tj.load_model(tmp_path)
    stored = load_file(tmp_path / "model.safetensors")
    assert not model.config.tied
    np.testing.assert_array_equal(model.W_U, stored["lm_head.weight"].numpy().T)
    assert not np.allclose(model.W_U, model.W_E.T)


def test_a_model_in_shards(tmp_path, tiny_folder):
    random_gpt2().save_pretrained(tmp_path, max_shard_size="100KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    assert not (tmp_path / "model.safetensors").exists()
    np.testing.assert_array_equal(
        logits(tj.load_model(tmp_path)), logits(tj.load_model(tiny_folder))
    )
    shard = sorted(tmp_path.glob("*.safetensors"))[0]
    shard.unlink()
    with pytest.raises(CheckpointError, match=shard.name):
        tj.load_model(tmp_path)


def test_an_index_cannot_point_out_of_its_folder(tmp_path):
    random_gpt2().save_pretrained(tmp_path, max_shard_size="100KB")
    path = tmp_path / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    index["weight_map"]["transformer.wte.weight"] = "../secret.safetensors"
    path.write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="outside its folder"):
        tj.load_model(tmp_path)


def test_options_that_are_honoured(tmp_path):
    save_by_transformers(
        tmp_path,
        n_inner=40,
        layer_norm_epsilon=1e-3,
        activation_function="gelu_pytorch_tanh",
        reorder_and_upcast_attn=True,
    )
    config = tj.load_model(tmp_path).config
    assert (config.d_mlp, config.layer_norm_eps) == (40, 1e-3)


def test_a_folder_without_tokenizer_files_takes_token_ids_only(tmp_path):
    save_by_transformers(tmp_path)
    model = tj.load_model(tmp_path)
    assert model.tokenizer is None
    assert "no tokenizer files" in model.tokenizer_problem
    assert tj.trace(model, [1, 2, 3]).logits.shape == (3, 320)
    with pytest.raises(PromptError, match="no tokenizer files"):
        tj.trace(model, "text")


def test_a_tokenizer_that_does_not_fit_leaves_the_model_with_token_ids_and_the_reason(folder):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["normalizer"] = {"type": "Lowercase"}
    path.write_text(json.dumps(content), encoding="utf-8")
    model = tj.load_model(folder)
    assert model.tokenizer is None
    assert "Lowercase" in model.tokenizer_problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("added_tokens", 3),
        ("added_tokens", ["x"]),
        ("added_tokens", [{}]),
        ("post_processor", {"type": "TemplateProcessing", "single": [1]}),
        ("post_processor", {"type": "Sequence", "processors": 1}),
        ("pre_tokenizer", {"type": "Sequence", "pretokenizers": 1}),
        ("model", {"vocab": [], "merges": []}),
        ("model", {"vocab": {"a": []}, "merges": []}),
        ("model", {"vocab": {}, "merges": {}}),
    ],
)
def test_a_tokenizer_file_of_another_form_is_an_error(folder, key, value):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {key: value}
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(CheckpointError):
        tj.load_model(folder)


def test_a_damaged_tokenizer_file_is_an_error(folder):
    path = folder / "tokenizer.json"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not valid JSON"):
        tj.load_model(folder)


def test_a_tokenizer_with_fewer_tokens_than_rows_can_show_all_of_them(tiny_model):
    assert len(tiny_tokenizer().special_tokens) == 1
    assert tiny_model.config.d_vocab == tiny_model.tokenizer.n_vocab == 320
    assert tiny_model.tokenizer.decode([319]) == ""


# What does not open -----------------------------------------------------------------------------


def test_all_that_is_wrong_with_the_tensors_is_named_at_once(folder):
    def spoil(tensors):
        del tensors["transformer.h.1.attn.c_attn.bias"]
        tensors["transformer.h.0.extra"] = torch.zeros(3)
        tensors["transformer.wpe.weight"] = torch.zeros(95, 48)
        tensors["transformer.ln_f.bias"] = torch.zeros(48, dtype=torch.int32)

    rewrite(folder, spoil)
    with pytest.raises(CheckpointError) as caught:
        tj.load_model(folder)
    message = str(caught.value)
    assert "missing: h.1.attn.c_attn.bias" in message
    assert "extra: h.0.extra" in message
    assert "wpe.weight has the shape (95, 48), not (96, 48)" in message
    assert "ln_f.bias is of type I32" in message


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_cut_short(folder, share):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is not a whole"):
        tj.load_model(folder)


def test_a_web_page_in_place_of_the_weights(folder):
    (folder / "model.safetensors").write_text("<!doctype html><title>Not found</title>")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        tj.load_model(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"gpt2"', "\x00"])
def test_a_config_that_is_none(folder, content):
    (folder / "config.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        tj.load_model(folder)


@pytest.mark.parametrize("key", ["n_layer", "n_head", "n_embd", "vocab_size", "n_positions"])
def test_a_config_without_a_size_names_it(folder, key):
    change_config(folder, **{key: None})
    with pytest.raises(CheckpointError, match=f"lacks {key}"):
        tj.load_model(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"n_layer": 2},
        {"n_layer": 4},
        {"n_layer": 10**9},
        {"n_layer": "3"},
        {"n_layer": -1},
        {"n_head": 5},
        {"n_head": 0},
        {"n_embd": 64},
        {"n_embd": True},
        {"vocab_size": 10**12},
        {"n_positions": 1.5},
        {"n_inner": "wide"},
        {"n_inner": 100},
        {"layer_norm_epsilon": "small"},
        {"layer_norm_epsilon": 0},
        {"resid_pdrop": "some"},
    ],
    ids=str,
)
def test_sizes_that_are_wrong_or_do_not_fit_the_tensors(folder, change):
    change_config(folder, **change)
    with pytest.raises(CheckpointError):
        tj.load_model(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"activation_function": "relu"}, "'relu'"),
        ({"activation_function": "gelu"}, "'gelu'"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
        ({"scale_attn_weights": False}, "scale_attn_weights"),
        ({"add_cross_attention": True}, "add_cross_attention"),
        ({"quantization_config": {"bits": 4}}, "quantization_config"),
        ({"auto_map": {"AutoModel": "code.Model"}}, "auto_map"),
        ({"model_type": "llama"}, "'llama'"),
        ({"model_type": "gpt_neo"}, "'gpt_neo'"),
        ({"model_type": None}, "model_type"),
        ({"model_type": "tokenjourney-mla"}, "tokenjourney-mla"),
    ],
)
def test_what_is_not_computed_is_refused_by_name(folder, change, reason):
    change_config(folder, **change)
    with pytest.raises(CheckpointError, match=reason):
        tj.load_model(folder)


def test_a_folder_without_config_or_weights(folder, tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        tj.load_model(tmp_path)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"pytorch_model\.bin is a pickle"):
        tj.load_model(folder)


def test_no_such_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for name in (Path("nowhere"), "./nowhere", str(tmp_path / "file"), "../nowhere", "~/a/b/c"):
        with pytest.raises(ModelNotFoundError, match="Give a folder"):
            tj.load_model(name)
    for name in ("a" * 5000, "~nobody-of-this-name/models"):
        with pytest.raises(ModelNotFoundError, match="no folder that can be opened"):
            tj.load_model(name)


def test_a_folder_beside_the_server_does_not_stand_in_for_the_bundled_model(
    tmp_path, tiny_folder, monkeypatch
):
    shutil.copytree(tiny_folder, tmp_path / "tinystories")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loading, "MODELS_FOLDER", tmp_path / "nothing")
    for name in (None, "tinystories"):
        with pytest.raises(ModelNotFoundError, match="bundled model is missing"):
            tj.load_model(name)
    assert tj.load_model("./tinystories").name == "tinystories"


@pytest.mark.parametrize("name", [3, b"gpt2", ["gpt2"], True])
def test_a_name_must_be_a_name(name):
    with pytest.raises(ModelNotFoundError, match="must be a str or a path"):
        tj.load_model(name)


def test_a_local_model_has_no_revisions(tiny_folder):
    with pytest.raises(ModelNotFoundError, match="revision"):
        tj.load_model(tiny_folder, revision="main")


# Writing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_saved_opens_again(tmp_path, tied):
    save_by_transformers(tmp_path / "a", tokenizer=True, tie_word_embeddings=tied, n_inner=40)
    model = tj.load_model(tmp_path / "a")
    save_checkpoint(tmp_path / "b" / "c", model.network, model.tokenizer, dtype=torch.float32)
    again = tj.load_model(tmp_path / "b" / "c")
    assert again.config == model.config
    np.testing.assert_array_equal(logits(again), logits(model))
    assert again.tokenizer.encode("the cat") == model.tokenizer.encode("the cat")


def test_saved_in_fp16_by_default(tmp_path, tiny_model):
    save_checkpoint(tmp_path / "half", tiny_model.network)
    stored = load_file(tmp_path / "half" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    assert json.loads((tmp_path / "half" / "config.json").read_text())["torch_dtype"] == "float16"


def test_saving_replaces_the_checkpoint_and_leaves_other_files(folder, tiny_model):
    (folder / "README.md").write_text("mine")
    before = set(folder.parent.iterdir())
    save_checkpoint(folder, tiny_model.network, tiny_tokenizer())
    assert (folder / "README.md").read_text() == "mine"
    assert not (folder / "tokenizer.json").exists()  # of the checkpoint that was there before
    assert tj.load_model(folder).tokenizer is not None
    assert set(folder.parent.iterdir()) == before  # nothing is left lying around


def test_a_full_disk_leaves_the_old_checkpoint_whole(folder, tiny_model, monkeypatch):
    expected = logits(tj.load_model(folder))

    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stored, "save_file", full)
    before = set(folder.parent.iterdir())
    with pytest.raises(CheckpointError, match="No space left"):
        save_checkpoint(folder, tiny_model.network)
    np.testing.assert_array_equal(logits(tj.load_model(folder)), expected)
    assert set(folder.parent.iterdir()) == before


def test_saving_into_a_file_or_another_dtype_is_refused(tmp_path, tiny_model):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="Cannot write"):
        save_checkpoint(tmp_path / "file", tiny_model.network)
    with pytest.raises(CheckpointError, match="dtype"):
        save_checkpoint(tmp_path / "x", tiny_model.network, dtype=torch.int8)
