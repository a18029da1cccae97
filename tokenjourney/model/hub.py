"""Fetching checkpoints from the Hugging Face Hub, into the Hub's own cache."""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tokenjourney.errors import CheckpointError, ModelNotFoundError
from tokenjourney.model.checkpoints import read_config
from tokenjourney.model.stored import CONFIG_FILE, INDEX_FILE, WEIGHTS_FILE
from tokenjourney.vocabulary import TOKENIZER_FILES

_REPOSITORY = re.compile(r"[\w.-]+(/[\w.-]+)?", re.ASCII)
_WAYS_OUT = (
    "Ways out: the bundled model (no name), a local folder in the same layout, or, once the model "
    "is in the Hub's cache, HF_HUB_OFFLINE=1, with which nothing is asked of the network."
)


def fetch(repository: str, revision: str | None = None, local_files_only: bool = False) -> Path:
    """The folder of a Hub repository in the cache; what is not there yet is downloaded.

    First come the configuration and the tokenizer, so that another architecture is refused before
    its weights are fetched. A download that was broken off goes on where it stopped.

    Args:
        repository: "gpt2" or "owner/name".
        revision: Branch, tag or commit; the main branch where not given.
        local_files_only: Whether to look into the cache alone.

    Raises:
        ModelNotFoundError: there is no such model or revision, it may not be fetched, or the Hub
            cannot be reached.
        CheckpointError: it is not a GPT-2, or has no safetensors.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise ModelNotFoundError(
            f"{repository!r} is neither a folder nor a Hub id, which looks like 'gpt2' or "
            f"'owner/name'. {_WAYS_OUT}"
        )
    small = [CONFIG_FILE, INDEX_FILE, *TOKENIZER_FILES]
    folder = _download(repository, revision, local_files_only, small)
    if not (folder / CONFIG_FILE).is_file():
        raise CheckpointError(f"The Hub repository {repository} has no {CONFIG_FILE}.")
    read_config(folder)
    weights = [WEIGHTS_FILE, "model-*-of-*.safetensors"]
    folder = _download(repository, revision, local_files_only, small + weights)
    if not any(folder.glob("*.safetensors")):
        raise CheckpointError(
            f"The Hub repository {repository} has no {WEIGHTS_FILE}. Pickled weights are never "
            "opened: they can run code."
        )
    return folder


def _download(
    repository: str, revision: str | None, local_files_only: bool, patterns: list[str]
) -> Path:
    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                local_files_only=local_files_only,
                allow_patterns=patterns,
            )
        )
    except Exception as error:  # whatever the client meets, the model is not there
        what = _explained(repository, revision, local_files_only, error)
        raise ModelNotFoundError(f"{what} {_WAYS_OUT}") from error


def _explained(
    repository: str, revision: str | None, local_files_only: bool, error: Exception
) -> str:
    """What happened, in one sentence."""
    if isinstance(error, GatedRepoError):
        what = (
            f"The Hub gives {repository} only to those who were granted access; ask for it on the "
            "model's page and log in with `hf auth login`."
        )
    elif isinstance(error, RevisionNotFoundError):
        what = f"The Hub's repository {repository} has no revision {revision!r}."
    elif isinstance(error, RepositoryNotFoundError):
        what = f"The Hub has no public model {repository!r}; check the spelling."
    elif isinstance(error, HFValidationError):
        what = f"{repository!r} is no valid Hub id ({error})."
    elif isinstance(error, LocalEntryNotFoundError):
        if local_files_only or constants.HF_HUB_OFFLINE:
            why = "the network was not to be asked"
        else:
            why = "the Hub cannot be reached"
        what = f"The model {repository} is not in the Hub's cache, or not whole, and {why}."
    else:
        what = f"The model {repository} could not be fetched ({type(error).__name__}: {error})."
    return what
