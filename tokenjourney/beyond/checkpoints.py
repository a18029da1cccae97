"""Checkpoints of the models beyond GPT-2: the same folder, a model_type and names of our own.

config.json holds the fields of BeyondConfig beside the model_type "tokenjourney", and
model.safetensors holds the parameters by their names in the network. Nobody else opens these.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path

import torch

from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.beyond.network import BeyondGPT2
from tokenjourney.errors import CheckpointError
from tokenjourney.model import checkpoints as gpt2
from tokenjourney.model import stored
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model
from tokenjourney.tokenizer import Tokenizer

MODEL_TYPE = "tokenjourney"


def is_beyond(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds one of these models; what is unreadable does not."""
    try:
        raw = json.loads((Path(folder) / stored.CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(raw, dict) and raw.get("model_type") == MODEL_TYPE


def load_checkpoint(
    folder: str | os.PathLike[str], *, name: str | None = None, weights: str = "fp32"
) -> Model:
    """Opens a folder that `save_checkpoint` wrote.

    Args:
        folder: Holds config.json, model.safetensors and the tokenizer's files.
        name: The model's name; the folder's own where not given.
        weights: What the parts that are GPT-2's own compute with; see `load_model`.

    Raises:
        CheckpointError: a file is missing or damaged, or the weights do not fit the sizes.
    """
    path = Path(folder).expanduser()
    config = read_config(path)
    found = stored.StoredTensors(stored.weight_files(path))
    if config.n_layers > len(found.shapes):
        raise CheckpointError(f"{path} holds fewer tensors than {config.n_layers} blocks have.")
    with torch.device("meta"):  # no memory, no random numbers: the weights come from the file
        network = BeyondGPT2(config)
    wanted = {own: tuple(tensor.shape) for own, tensor in network.state_dict().items()}
    stored.refuse(found.problems(wanted), path)
    tensors = {own: found.tensor(own).float() for own in wanted}
    return gpt2.opened_model(network, tensors, path, name, weights)


def read_config(folder: Path) -> BeyondConfig:
    """The sizes of a checkpoint, from its config.json.

    Raises:
        CheckpointError: a field is missing, unknown or of the wrong kind.
    """
    path = folder / stored.CONFIG_FILE
    raw = stored.read_json(path)
    given = {key: value for key, value in raw.items() if key not in ("model_type", "torch_dtype")}
    unknown = given.keys() - {field.name for field in fields(BeyondConfig)}
    if unknown:
        raise CheckpointError(f"{path} holds {', '.join(sorted(unknown))}, which means nothing.")
    try:
        return BeyondConfig(**given)
    except (CheckpointError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}") from error


def save_checkpoint(
    folder: str | os.PathLike[str],
    network: GPT2,
    tokenizer: Tokenizer | None = None,
    *,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Writes a checkpoint that `load_model` opens; a plain GPT-2 in Hugging Face's layout.

    Raises:
        CheckpointError: the folder cannot be written, or the dtype is no float of 16 or 32 bits.
    """
    if not isinstance(network, BeyondGPT2):
        gpt2.save_checkpoint(folder, network, tokenizer, dtype=dtype)
        return
    facts = {"torch_dtype": str(dtype).removeprefix("torch."), **asdict(network.config)}
    config = {"model_type": MODEL_TYPE, **facts}
    stored.write_folder(folder, config, network.state_dict(), tokenizer, dtype)
