"""What a training run keeps on disk, so that it can be stopped and resumed at any step.

One safetensors file holds weights, optimizer state and the state of the random generator; it is
written to the side and renamed, so that a crash or a full disk leaves the last one whole.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tokenjourney.errors import CheckpointError
from tokenjourney.model.gpt2 import GPT2


def save_progress(
    path: Path,
    network: GPT2,
    optimizers: list[torch.optim.Optimizer],
    facts: dict[str, Any],
) -> None:
    """Writes everything that the next step depends on.

    Args:
        path: The file to write or replace.
        network: Its weights are kept.
        optimizers: Their state is kept.
        facts: What else to keep; anything JSON can hold.

    Raises:
        CheckpointError: the file cannot be written.
    """
    tensors = {f"weights.{name}": value for name, value in network.state_dict().items()}
    tensors["random"] = torch.get_rng_state()
    for index, optimizer in enumerate(optimizers):
        for number, state in optimizer.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"optimizer.{index}.{number}.{key}"] = torch.as_tensor(value)
    aside = path.with_suffix(".partial")
    try:
        save_file(
            {name: value.contiguous() for name, value in tensors.items()},
            aside,
            metadata={"facts": json.dumps(facts)},
        )
        os.replace(aside, path)
    except (OSError, SafetensorError) as error:
        aside.unlink(missing_ok=True)
        raise CheckpointError(
            f"Cannot write {path}: {error}. Free some space and resume."
        ) from error


def load_progress(
    path: Path, network: GPT2, optimizers: list[torch.optim.Optimizer] | None = None
) -> dict[str, Any]:
    """Brings network, optimizers and random generator back to where `path` left them.

    Returns:
        The facts that were saved with it.

    Raises:
        CheckpointError: the file is broken or belongs to a model of other sizes.
    """
    try:
        with safe_open(path, "pt") as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts: dict[str, Any] = json.loads((file.metadata() or {})["facts"])
        weights = {
            name.removeprefix("weights."): value
            for name, value in tensors.items()
            if name.startswith("weights.")
        }
        network.load_state_dict(weights)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"Cannot resume from {path}: {error}. Remove the file to start over, or give the "
            "sizes that it was made with."
        ) from error
    for index, optimizer in enumerate(optimizers or ()):
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            if name.startswith(f"optimizer.{index}."):
                _, _, number, key = name.split(".", 3)
                state.setdefault(int(number), {})[key] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    if optimizers is not None:
        torch.set_rng_state(tensors["random"])
    return facts


def read_facts(path: Path) -> dict[str, Any]:
    """The facts that were saved in `path`.

    Raises:
        CheckpointError: there is no such file, or it is broken.
    """
    try:
        with safe_open(path, "pt") as file:
            facts: dict[str, Any] = json.loads((file.metadata() or {})["facts"])
    except (OSError, SafetensorError, KeyError) as error:
        raise CheckpointError(f"{path} holds no training progress: {error}.") from error
    return facts
