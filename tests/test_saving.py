"""A saved Journey opens again, with or without its model, and damage is told."""

import numpy as np
import pytest

import tokenjourney as tj
from tests.engine import TEXT, close, random_model


@pytest.fixture(scope="module")
def model():
    return random_model()


@pytest.fixture(scope="module")
def journey(model):
    edits = [tj.ablate_head(block=0, head=1), tj.scale("blocks.1.hook_mlp_out", 0.5)]
    return tj.trace(model, TEXT, edits=edits)


def test_everything_is_there_without_the_model(journey, tmp_path):
    journey.save(tmp_path / "j.safetensors")
    loaded = tj.Journey.load(tmp_path / "j.safetensors")
    assert loaded.model is None
    assert loaded.tokens == journey.tokens
    assert loaded.text == TEXT
    for name in journey.names:
        close(loaded[name], journey[name])
    close(loaded.logits, journey.logits)
    assert loaded.next_tokens() == journey.next_tokens()
    cut = loaded[:3]
    close(cut["pattern", 1], journey[:3]["pattern", 1])
    close(cut.logits, journey[:3].logits)
    assert [edit.kind for edit in loaded.edits] == ["ablate_head", "scale"]


def test_the_stream_alone_needs_the_model_for_the_rest(model, journey, tmp_path):
    path = tmp_path / "j.safetensors"
    journey.save(path, keep="stream")
    alone = tj.Journey.load(path)
    close(alone["resid_pre", 1], journey["resid_pre", 1])
    assert alone.next_tokens() == journey.next_tokens()
    with pytest.raises(tj.HookError, match="model 'random' is needed"):
        alone["pattern", 0]
    with pytest.raises(tj.HookError, match="model 'random' is needed"):
        alone.extend(1)
    together = tj.Journey.load(path, model)
    close(together["pattern", 0], journey["pattern", 0])
    close(together.extend(1).logits, journey.extend(1).logits)


def test_long_prompts_keep_the_stream_only(model, tmp_path, monkeypatch):
    monkeypatch.setattr("tokenjourney.saving.ALL_UP_TO", 4)
    tj.trace(model, "xyz").save(tmp_path / "short")
    tj.trace(model, "x" * 5).save(tmp_path / "long")
    assert (tj.Journey.load(tmp_path / "short")["z", 0]).shape == (3, 4, 8)
    with pytest.raises(tj.HookError, match="needed"):
        tj.Journey.load(tmp_path / "long")["z", 0]


def test_a_replaced_array_is_saved_too(model, tmp_path):
    array = np.full((7, 32), 0.25, np.float32)
    edited = tj.trace(model, TEXT, edits=[tj.replace("blocks.1.hook_attn_out", array)])
    edited.save(tmp_path / "j", keep="stream")
    loaded = tj.Journey.load(tmp_path / "j", model)
    close(loaded["attn_out", 1], array)
    close(loaded.logits, edited.logits)


def test_a_model_of_another_name_or_size_is_refused(journey, model, tmp_path):
    journey.save(tmp_path / "j")
    other = tj.Model("other", model.network, model.tokenizer)
    with pytest.raises(tj.CheckpointError, match="not through 'other'"):
        tj.Journey.load(tmp_path / "j", other)


def test_a_damaged_file_is_told(journey, tmp_path):
    path = tmp_path / "j"
    journey.save(path)
    data = path.read_bytes()
    for broken in (data[: len(data) // 2], b"", b"not a journey", data[:8]):
        path.write_bytes(broken)
        with pytest.raises(tj.CheckpointError, match="not a saved Journey"):
            tj.Journey.load(path)
    with pytest.raises(tj.CheckpointError, match="not a saved Journey"):
        tj.Journey.load(tmp_path / "absent")


def test_a_disk_without_space_leaves_the_old_file_whole(journey, tmp_path, monkeypatch):
    path = tmp_path / "j"
    journey.save(path)
    before = path.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tokenjourney.saving.save_file", full)
    with pytest.raises(tj.CheckpointError, match="No space left"):
        journey.extend(1).save(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["j"]


def test_keep_is_all_or_stream(journey, tmp_path):
    with pytest.raises(tj.HookError, match="keep is 'some'"):
        journey.save(tmp_path / "j", keep="some")
