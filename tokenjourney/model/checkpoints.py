"""Checkpoints: folders in Hugging Face's GPT-2 layout, opened and written.

The only place where Hugging Face's names (n_embd, wte, c_attn …) occur. How the files themselves
are read and written says stored.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tokenjourney.errors import CheckpointError, ModelNotFoundError, UnsupportedTokenizerError
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model
from tokenjourney.model.packing import WEIGHTS
from tokenjourney.model.stored import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    StoredTensors,
    read_json,
    refuse,
    weight_files,
    write_folder,
)
from tokenjourney.tokenizer import Tokenizer

_SIZES = {
    "n_layers": ("n_layer", "num_hidden_layers"),
    "n_heads": ("n_head", "num_attention_heads"),
    "d_model": ("n_embd", "hidden_size"),
    "d_vocab": ("vocab_size",),
    "n_ctx": ("n_positions", "max_position_embeddings", "n_ctx"),
}
_LARGEST_SIZE = 10_000_000
_TANH_GELU = ("gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh")
# Options that change the computation, and the one value that GPT-2 has. reorder_and_upcast_attn is
# not among them: it says in which order and precision the same numbers are computed.
_FIXED_OPTIONS: dict[str, Any] = {
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "add_cross_attention": False,
    "quantization_config": None,
    "auto_map": None,
    "pruned_heads": {},
}
_BLOCK_NAMES = {
    "ln1.gain": "ln_1.weight",
    "ln1.bias": "ln_1.bias",
    "attn.qkv.weight": "attn.c_attn.weight",
    "attn.qkv.bias": "attn.c_attn.bias",
    "attn.out.weight": "attn.c_proj.weight",
    "attn.out.bias": "attn.c_proj.bias",
    "ln2.gain": "ln_2.weight",
    "ln2.bias": "ln_2.bias",
    "mlp.up.weight": "mlp.c_fc.weight",
    "mlp.up.bias": "mlp.c_fc.bias",
    "mlp.down.weight": "mlp.c_proj.weight",
    "mlp.down.bias": "mlp.c_proj.bias",
}
_OUTER_NAMES = {
    "W_E": "wte.weight",
    "W_pos": "wpe.weight",
    "ln_final.gain": "ln_f.weight",
    "ln_final.bias": "ln_f.bias",
    "W_U_untied": "lm_head.weight",
}


def load_checkpoint(
    folder: str | os.PathLike[str], *, name: str | None = None, weights: str = "fp32"
) -> Model:
    """Opens a folder in Hugging Face's GPT-2 layout.

    Weights in fp32 are mapped into memory; fp16 and bf16 are converted to fp32. The large ones are
    copied once more, when they are met again, into the layout that packing.py describes.

    Args:
        folder: Holds config.json, model.safetensors (or its shards and their index), and the
            tokenizer's files, without which the model takes token IDs only.
        name: The model's name; the folder's own where not given.
        weights: What the network computes with; see `load_model`.

    Raises:
        ModelNotFoundError: there is no such folder.
        CheckpointError: a file is missing or damaged, the model is not a GPT-2, or tensors are
            missing, extra, misshapen or of another type; all of them are named.
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        what = "a file, not a folder" if path.is_file() else "not there"
        raise ModelNotFoundError(
            f"{path} is {what}. Give a folder that holds {CONFIG_FILE} and {WEIGHTS_FILE}, a Hub "
            "id, or nothing for the bundled model."
        )
    config = read_config(path)
    stored = StoredTensors(weight_files(path))
    if config.n_layers > len(stored.shapes):
        raise CheckpointError(
            f"{path / CONFIG_FILE} says n_layer {config.n_layers}, but the weights hold only "
            f"{len(stored.shapes)} tensors."
        )
    with torch.device("meta"):  # no memory, no random numbers: the weights come from the file
        network = GPT2(config)
    return opened_model(network, _weights(stored, network, path), path, name, weights)


def opened_model(
    network: GPT2,
    tensors: Mapping[str, Tensor],
    folder: Path,
    name: str | None = None,
    weights: str = "fp32",
) -> Model:
    """A network made on the meta device, with its weights put in and the folder's tokenizer."""
    if weights not in WEIGHTS:
        raise CheckpointError(f"weights is {weights!r}; give one of {', '.join(WEIGHTS)}.")
    network.load_state_dict(tensors, strict=True, assign=True)
    network.requires_grad_(False).eval()
    tokenizer, problem = None, ""
    with ThreadPoolExecutor(1) as pool:  # rounds weights while Python builds the tokenizer
        packing = pool.submit(network.pack, weights)
        try:
            tokenizer = Tokenizer.from_folder(folder, n_vocab=network.config.d_vocab)
        except UnsupportedTokenizerError as error:
            problem = str(error)
        packing.result()
    return Model(name or folder.resolve().name, network, tokenizer, problem)


# Configuration ------------------------------------------------------------------------------


def read_config(folder: Path) -> GPT2Config:
    """The sizes of a checkpoint, from its config.json.

    Raises:
        CheckpointError: the file is missing or damaged, a size is missing, the architecture is
            another, or an option is set that would have to be computed and is not.
    """
    raw = read_json(folder / CONFIG_FILE)
    _refuse_architecture(raw, folder)
    values, missing = {}, []
    for size, aliases in _SIZES.items():
        given = [raw[alias] for alias in aliases if raw.get(alias) is not None]
        if given:
            values[size] = given[0]
        else:
            missing.append(aliases[0])
    if missing:
        raise CheckpointError(f"{folder / CONFIG_FILE} lacks {', '.join(missing)}.")
    inner = raw.get("n_inner")
    if inner is not None:
        values["d_mlp"] = inner
    for size, value in values.items():
        if type(value) is not int or not 1 <= value <= _LARGEST_SIZE:
            raise CheckpointError(f"{folder / CONFIG_FILE}: {size} is {value!r}, which is no size.")
    try:
        return GPT2Config(
            **values,
            layer_norm_eps=_number(raw, "layer_norm_epsilon", 1e-5),
            dropout=_number(raw, "resid_pdrop", 0.1),
            attention_dropout=_number(raw, "attn_pdrop", 0.1),
            tied=raw.get("tie_word_embeddings") is not False,
        )
    except CheckpointError as error:
        raise CheckpointError(f"{folder / CONFIG_FILE}: {error}") from error


def _refuse_architecture(raw: Mapping[str, Any], folder: Path) -> None:
    kind = raw.get("model_type")
    if kind != "gpt2":
        found = f"holds a model of type {kind!r}" if kind else "does not name its model_type"
        raise CheckpointError(
            f"{folder / CONFIG_FILE} {found}; only the GPT-2 architecture (model_type 'gpt2') can "
            "be opened."
        )
    activation = raw.get("activation_function", "gelu_new")
    if activation not in _TANH_GELU:
        raise CheckpointError(
            f"{folder / CONFIG_FILE} asks for the activation {activation!r}; only GPT-2's own, the "
            "tanh form of GELU ('gelu_new'), is computed."
        )
    for option, value in _FIXED_OPTIONS.items():
        if raw.get(option, value) not in (value, None):
            raise CheckpointError(
                f"{folder / CONFIG_FILE} sets {option} to {raw[option]!r}; a model with that "
                "option would be computed differently from GPT-2, and is not supported."
            )


def _number(raw: Mapping[str, Any], key: str, default: float) -> float:
    value = raw.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckpointError(f"{key} is {value!r}, but must be a number.")
    return float(value)


# Weights ------------------------------------------------------------------------------------


def weight_names(n_layers: int, tied: bool) -> dict[str, str]:
    """Our parameter names → those of Hugging Face's files, without their `transformer.` prefix."""
    names = {
        f"blocks.{block}.{ours}": f"h.{block}.{theirs}"
        for block in range(n_layers)
        for ours, theirs in _BLOCK_NAMES.items()
    }
    names |= _OUTER_NAMES
    if tied:
        del names["W_U_untied"]
    return names


def _weights(stored: StoredTensors, network: GPT2, folder: Path) -> dict[str, Tensor]:
    """The parameters by our names, each checked against the network's own shape."""
    expected = network.state_dict()
    names = weight_names(network.config.n_layers, network.config.tied)
    wanted = {theirs: tuple(expected[ours].shape) for ours, theirs in names.items()}
    problems = stored.problems(wanted, ignored={"lm_head.weight"} if network.config.tied else set())
    if not problems and network.config.tied and "lm_head.weight" in stored.shapes:
        same = stored.shapes["lm_head.weight"] == wanted["wte.weight"] and torch.equal(
            stored.tensor("lm_head.weight"), stored.tensor("wte.weight")
        )
        if not same:
            problems.append(
                "lm_head.weight differs from wte.weight, though config.json says that the two are "
                "tied (tie_word_embeddings)"
            )
    refuse(problems, folder)
    return {ours: stored.tensor(theirs).float() for ours, theirs in names.items()}


# Writing ------------------------------------------------------------------------------------


def save_checkpoint(
    folder: str | os.PathLike[str],
    network: GPT2,
    tokenizer: Tokenizer | None = None,
    *,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Writes a checkpoint that `load_model` and `transformers` open.

    The files are written beside the folder and then moved in, so a full disk leaves a checkpoint
    that was there before as it was. Other files in the folder stay.

    Args:
        folder: Made if it is not there.
        network: The weights.
        tokenizer: Its vocabulary is written, too.
        dtype: float32, float16 or bfloat16.

    Raises:
        CheckpointError: the folder cannot be written, or the dtype is another.
    """
    names = weight_names(network.config.n_layers, network.config.tied)
    weights = {
        theirs if theirs == "lm_head.weight" else f"transformer.{theirs}": tensor
        for ours, theirs in names.items()
        for tensor in [network.state_dict()[ours]]
    }
    write_folder(folder, _config_file(network.config, tokenizer, dtype), weights, tokenizer, dtype)


def _config_file(
    config: GPT2Config, tokenizer: Tokenizer | None, dtype: torch.dtype
) -> dict[str, Any]:
    """What config.json says, in Hugging Face's words."""
    special = tokenizer.special_tokens if tokenizer else {}
    end = special.get("<|endoftext|>", next(iter(special.values()), None))
    return {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": config.attention_dropout,
        "bos_token_id": end,
        "embd_pdrop": config.dropout,
        "eos_token_id": end,
        "layer_norm_epsilon": config.layer_norm_eps,
        "model_type": "gpt2",
        "n_embd": config.d_model,
        "n_head": config.n_heads,
        "n_inner": config.d_mlp,
        "n_layer": config.n_layers,
        "n_positions": config.n_ctx,
        "resid_pdrop": config.dropout,
        "tie_word_embeddings": config.tied,
        "torch_dtype": str(dtype).removeprefix("torch."),
        "vocab_size": config.d_vocab,
    }
