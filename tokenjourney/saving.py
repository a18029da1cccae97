"""A Journey as one safetensors file."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tokenjourney.beyond.config import config_of
from tokenjourney.derived import Array
from tokenjourney.edits import Edit
from tokenjourney.errors import CheckpointError, HookError, TokenJourneyError
from tokenjourney.journey import Journey
from tokenjourney.model.model import read_only
from tokenjourney.prompt import check_ids
from tokenjourney.record import Record
from tokenjourney.source import Source

if TYPE_CHECKING:
    from tokenjourney.model import Model

ALL_UP_TO = 128
"""Longest prompt of which everything is saved, where the caller does not say."""

_FORMAT = "token-journey 1"


def save(journey: Journey, path: str | os.PathLike[str], keep: str | None = None) -> None:
    """See `Journey.save`."""
    keep = keep or ("all" if len(journey) <= ALL_UP_TO else "stream")
    if keep not in ("all", "stream"):
        raise HookError(f'keep is {keep!r}; give "all" or "stream".')
    length, record = len(journey), journey._record
    tensors: dict[str, Tensor] = {
        "stream": record.stream[:, :length],
        "keys": record.keys[:, :, :length],
        "values": record.values[:, :, :length],
        "token_ids": torch.tensor(journey.token_ids),
        "last_logits": torch.tensor(journey.logits_at()),
        **_vocabulary(journey),
    }
    if keep == "all":
        tensors["logits"] = torch.tensor(journey.logits)
        tensors |= {f"hook.{name}": torch.tensor(journey[name]) for name in journey.names}
    for index, edit in enumerate(journey.edits):
        if edit.array is not None:
            tensors[f"edit.{index}"] = torch.tensor(edit.array)
    edits = [
        {"name": edit.name, "kind": edit.kind, "head": edit.head, "factor": edit.factor}
        for edit in journey.edits
    ]
    facts = {
        "format": _FORMAT,
        "model": journey.model_name,
        "config": json.dumps(asdict(journey.config)),
        "edits": json.dumps(edits),
        "keep": keep,
    }
    target = Path(path)
    aside = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, aside, metadata=facts)
        os.replace(aside, target)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"Cannot write {target}: {error}. Free some space or choose another folder; a file "
            "that was there before is untouched."
        ) from error
    finally:
        aside.unlink(missing_ok=True)


def load(path: str | os.PathLike[str], model: Model | None = None) -> Journey:
    """See `Journey.load`."""
    try:
        file = _File(Path(path))
        config = config_of(json.loads(file.facts["config"]))
        name = file.facts["model"]
        length = len(file.tensor("token_ids"))
        edits = tuple(
            Edit(array=file.array(f"edit.{index}"), **fields)
            for index, fields in enumerate(json.loads(file.facts["edits"]))
        )
        for edit in edits:
            edit.check(config, length)
        record = Record(config, 1)
        record.stream, record.keys = file.tensor("stream"), file.tensor("keys")
        record.values = file.tensor("values")
        record.capacity = record._used = length
        kept = ((config.n_layers, heads, length, d_each) for heads, d_each in config.kept_shapes)
        expected = ((config.n_layers + 1, length, config.d_model), *kept)
        if tuple(tuple(t.shape) for t in (record.stream, record.keys, record.values)) != expected:
            raise CheckpointError("its tensors do not have the shapes that its header promises")
        token_ids = check_ids(config, file.tensor("token_ids").tolist())
        last_logits = file.array("last_logits")
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, TokenJourneyError) as error:
        raise CheckpointError(
            f"{path} is not a saved Journey, or is damaged: {error}. Save it again with "
            "journey.save(path)."
        ) from error
    if model is not None and (model.name != name or model.config != config):
        raise CheckpointError(
            f"{path} is a Journey through {name!r}, not through {model.name!r}. Load that model, "
            "or open the file without one."
        )
    return Journey(config, token_ids, record, _SavedSource(name, model, file), edits, last_logits)


class _File:
    """An open Journey file; tensors are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        opened: Any = safe_open(path, "pt")
        self._file = opened
        self.facts: dict[str, Any] = self._file.metadata() or {}
        if self.facts.get("format") != _FORMAT:
            raise CheckpointError(f"its header does not say {_FORMAT!r}")
        self.names = set(self._file.keys())

    def tensor(self, name: str) -> Tensor:
        found: Tensor = self._file.get_tensor(name)
        return found

    def array(self, name: str) -> Array | None:
        return read_only(self.tensor(name)) if name in self.names else None


class _SavedSource(Source):
    """Where a loaded Journey gets what it does not keep: from its file, else from its model."""

    def __init__(self, name: str, model: Model | None, file: _File, cut: int | None = None) -> None:
        super().__init__(name, model)
        self._file = file
        self._cut = cut
        lengths = file.array("vocabulary.lengths")
        self._bytes = file.tensor("vocabulary.bytes").numpy().tobytes()
        self._ends = np.concatenate([[0], np.cumsum(lengths)]) if lengths is not None else None

    def token_bytes(self, token_id: int) -> bytes:
        if self._ends is None or token_id + 1 >= len(self._ends):
            return f"‹{token_id}›".encode()
        return self._bytes[self._ends[token_id] : self._ends[token_id + 1]]

    def stored(self, name: str) -> Array | None:
        found = self._file.array(f"hook.{name}")
        if found is None or self._cut is None:
            return found
        square = name.endswith(("hook_attn_scores", "hook_pattern"))
        return found[:, : self._cut, : self._cut] if square else found[: self._cut]

    def first(self, n_tokens: int) -> Source:
        return _SavedSource(self.name, self.model, self._file, n_tokens)

    def logits(self, journey: Journey, position: int | None = None) -> Array:
        stored = self._file.array("logits")
        if stored is None:
            return super().logits(journey, position)
        return stored[: len(journey)] if position is None else stored[position]


def _vocabulary(journey: Journey) -> dict[str, Tensor]:
    """The bytes of every token, so that predictions can be read without the model."""
    pieces = [journey._source.token_bytes(i) for i in range(journey.config.d_vocab)]
    joined = np.frombuffer(b"".join(pieces), np.uint8).copy()
    return {
        "vocabulary.bytes": torch.from_numpy(joined),
        "vocabulary.lengths": torch.tensor([len(piece) for piece in pieces], dtype=torch.int32),
    }


__all__ = ["ALL_UP_TO", "load", "save"]
