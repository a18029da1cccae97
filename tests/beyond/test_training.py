"""The command trains these models with the same loop, and writes a folder that opens."""

import json

import torch

import tokenjourney as tj
from tokenjourney.__main__ import main

STORIES = [f"The {a} sat on the {b}." for a in ("cat", "dog", "cow") for b in ("mat", "bed")]


def test_the_command_trains_latent_attention_with_experts(tmp_path, capsys):
    corpus, held_out, out = tmp_path / "corpus.txt", tmp_path / "held_out.txt", tmp_path / "mine"
    corpus.write_text("\n<|endoftext|>\n".join(STORIES[:-1] * 8))
    held_out.write_text(STORIES[-1])
    files = ["--corpus", str(corpus), "--validation", str(held_out), "--out", str(out)]
    sizes = ["--layers", "1", "--heads", "2", "--d-model", "8", "--vocabulary", "270"]
    kinds = ["--attention", "mla", "--d-latent", "6", "--d-query-latent", "0", "--d-rope", "4"]
    kinds += ["--feed-forward", "moe", "--experts", "4", "--top-k", "2", "--d-expert", "4"]
    kinds += ["--expert-groups", "2", "--top-groups", "1", "--optimizer", "adamw"]
    short = ["--steps", "7", "--batch-size", "2", "--context", "16", "--data", "Told by a test."]
    assert main(["train", *files, *sizes, *kinds, *short]) == 0
    assert "bits per byte" in capsys.readouterr().out
    model = tj.load_model(out)
    assert json.loads((out / "config.json").read_text())["model_type"] == "tokenjourney"
    assert (model.config.attention, model.config.d_latent) == ("mla", 6)
    assert ((tj.trace(model, "The cat")["gates", 0] > 0).sum(axis=1) == 2).all()
    assert torch.any(model.network.blocks[0].mlp.router.bias != 0)
    card = (out / "README.md").read_text()
    assert "latent attention (latent 6, rotated key 4" in card
    assert "2 for each token from 1 of 2 groups" in card
    assert "Told by a test." in card
