"""Finding a model by its name: bundled, in a local folder, or on the Hugging Face Hub."""

from __future__ import annotations

import os
from pathlib import Path

from tokenjourney.errors import ModelNotFoundError
from tokenjourney.model.checkpoints import load_checkpoint
from tokenjourney.model.model import Model

BUNDLED_MODEL = "tinystories"
"""Name of the model that comes along, and of its folder in assets/models."""

MODELS_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "models"
"""Where bundled models lie."""


def load_model(
    name: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    local_files_only: bool = False,
    weights: str = "fp32",
) -> Model:
    """Opens a model.

    Args:
        name: None for the bundled model, which needs no network; a local folder in Hugging Face's
            GPT-2 layout; or the id of a repository on the Hugging Face Hub, such as "gpt2", which
            is fetched once and then kept in the Hub's cache.
        revision: Branch, tag or commit of a Hub repository.
        local_files_only: Whether to take a Hub model from the cache without asking the network.
        weights: What the network computes with. "fp32" is exact. "bf16" and "int8" round the
            weights, so that each further token of a large model takes a fraction of the time, at
            the price of another copy in memory and of a little quality: the bundled model needs
            0.6991 bits for a byte of held-out stories with all three, and finds the same token the
            most probable one as with fp32 in 99.3 % (bf16) and 99.0 % (int8) of all cases
            (`python -m tokenjourney evaluate` measures both).

    Returns:
        The model, ready to trace.

    Raises:
        ModelNotFoundError: there is no such model, or it cannot be fetched.
        CheckpointError: it is damaged, or neither a GPT-2 nor one of tokenjourney.beyond; or
            `weights` is something else.

    Example:
        >>> load_model().config.n_layers
        6
    """
    folder = checkpoint_folder(name, revision=revision, local_files_only=local_files_only)
    is_hub = _named_folder(name) is None
    from tokenjourney.beyond import checkpoints as beyond  # it is built on this package

    open_folder = beyond.load_checkpoint if beyond.is_beyond(folder) else load_checkpoint
    return open_folder(folder, name=os.fspath(name or "") if is_hub else None, weights=weights)


def checkpoint_folder(
    name: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    local_files_only: bool = False,
) -> Path:
    """The folder in which the files of a model lie; a Hub model is fetched if it is not there yet.

    Takes what `load_model` takes.

    Raises:
        ModelNotFoundError: there is no such model, or it cannot be fetched.
        CheckpointError: it is not a GPT-2, or has no safetensors.
    """
    if name is not None and not isinstance(name, str | os.PathLike):
        raise ModelNotFoundError(
            f"A model's name must be a str or a path, not {type(name).__name__}: give a Hub id, a "
            "local folder, or nothing for the bundled model."
        )
    folder = _named_folder(name)
    if folder is None:
        from tokenjourney.model.hub import fetch  # only here is huggingface_hub imported

        return fetch(os.fspath(name or ""), revision, local_files_only)
    if revision is not None:
        raise ModelNotFoundError(
            f"{folder} is a local model and has no revisions; leave out revision={revision!r}."
        )
    return folder


def _named_folder(name: str | os.PathLike[str] | None) -> Path | None:
    """The folder of the bundled model or of a local one; None for a Hub id."""
    if name is not None and name != BUNDLED_MODEL:
        return _local_folder(name)
    folder = MODELS_FOLDER / BUNDLED_MODEL
    if not folder.is_dir():
        raise ModelNotFoundError(
            f"The bundled model is missing: there is no folder {folder}. Get the project "
            "again, or load a model of the Hub, or a local folder."
        )
    return folder


def _local_folder(name: str | os.PathLike[str]) -> Path | None:
    """The folder that a name stands for; None where it can only be a Hub id."""
    text = os.fspath(name)
    try:
        folder = Path(text).expanduser()
        is_folder = text != "" and folder.is_dir()
    except (OSError, RuntimeError) as error:
        raise ModelNotFoundError(
            f"{text[:80]!r} is no folder that can be opened ({error}). Give a local folder, a Hub "
            "id, or nothing for the bundled model."
        ) from error
    return folder if is_folder or not isinstance(name, str) or _is_path(text) else None


def _is_path(text: str) -> bool:
    """Whether a name can only be a path: a Hub id has at most one slash, and starts with none."""
    return text.startswith((".", "~")) or os.path.isabs(text) or text.count("/") > 1 or "\\" in text
