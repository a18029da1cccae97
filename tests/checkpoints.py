"""Checkpoints with random weights, written by transformers itself."""

import json
import math
import shutil
from pathlib import Path

import torch

import tokenjourney as tj

TEXT = (
    "Once upon a time there was a little girl who had a cat. The cat sat on the mat. "
    "She didn't see the other cat, because it was on the other mat. They're friends now: 12 of 3. "
) * 3


def tiny_tokenizer():
    """256 bytes, 60 merges of a small text and the end-of-text token: 317 tokens."""
    merges = [(step.left, step.right) for step in tj.train_bpe(TEXT, 60)]
    assert len(merges) == 60
    return tj.Tokenizer.from_merges(merges, ["<|endoftext|>"])


def random_gpt2(seed=0, **options):
    """A GPT-2 of transformers whose heads look at some tokens much more than at others."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": 320, "n_positions": 96, "n_embd": 48, "n_layer": 3, "n_head": 4}
    config = GPT2Config(**(sizes | {"bos_token_id": 316, "eos_token_id": 316} | options))
    config._attn_implementation = "eager"
    model = GPT2LMHeadModel(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                centre = 1.0 if "ln_" in name and name.endswith("weight") else 0.0
                parameter.normal_(centre, 0.1, generator=generator)
            elif "c_attn" in name:  # scores with a deviation of 2 after LayerNorm
                parameter.normal_(0, math.sqrt(2 / parameter.shape[0]), generator=generator)
            elif "c_fc" in name or "c_proj" in name:
                parameter.normal_(0, 0.7 / math.sqrt(parameter.shape[0]), generator=generator)
            else:
                parameter.normal_(0, 0.14, generator=generator)
    return model


def save_by_transformers(folder: Path, seed=0, tokenizer=False, **options):
    """Saves such a model, and returns it."""
    model = random_gpt2(seed, **options)
    model.save_pretrained(folder)
    if tokenizer:
        from transformers import GPT2Tokenizer

        files = tiny_tokenizer().files()
        source = folder / "source"
        source.mkdir()
        for name in ("vocab.json", "merges.txt"):
            (source / name).write_text(files[name], encoding="utf-8")
        GPT2Tokenizer.from_pretrained(source).save_pretrained(folder)
        shutil.rmtree(source)
    return model


def change_config(folder: Path, **changes):
    """Changes keys of a checkpoint's config.json; None takes the key away."""
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def greedy_by_transformers(theirs, prompt, n_tokens):
    """The IDs that Hugging Face's model adds to a prompt (1, T), never stopping early."""
    with torch.no_grad():
        ids = theirs.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=n_tokens,
            min_new_tokens=n_tokens,
            do_sample=False,
            eos_token_id=-1,
            pad_token_id=0,
        )
    return ids[0, prompt.shape[1] :].tolist()
