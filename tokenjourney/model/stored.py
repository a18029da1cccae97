"""The files of a checkpoint's folder, read and written: JSON, and tensors by their names.

Weights are read from safetensors files only; no pickle is ever loaded, and no code of a repository
is ever run. What is written goes to the side first and is then moved in, so that a full disk leaves
what was there before as it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from tokenjourney.errors import CheckpointError
from tokenjourney.tokenizer import Tokenizer
from tokenjourney.vocabulary import TOKENIZER_FILES

CONFIG_FILE, WEIGHTS_FILE = "config.json", "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"

_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# Old files hold the causal mask, which is no weight.
_MASK = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        CheckpointError: the file is missing, unreadable, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} is missing. A checkpoint is a folder with {CONFIG_FILE} and {WEIGHTS_FILE}."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not readable as JSON ({error}). It may be cut short; fetch it again."
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a JSON {type(content).__name__}, not an object.")
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Writes a JSON file into a checkpoint's folder, to the side and then renamed.

    Raises:
        CheckpointError: it cannot be written.
    """
    aside = path.with_name(f".{path.name}.new")
    try:
        aside.write_text(json.dumps(content) + "\n", encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be written: {error}.") from error
    return path


def weight_files(folder: Path) -> list[Path]:
    """The one file, or the shards that the index names."""
    if (folder / WEIGHTS_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    if not (folder / INDEX_FILE).is_file():
        pickled = sorted(path.name for path in folder.glob("pytorch_model*"))
        hint = (
            f" {pickled[0]} is a pickle, which can run code when it is opened, so it never is: "
            "open it in transformers and save it with save_pretrained."
            if pickled
            else ""
        )
        raise CheckpointError(f"{folder} holds no {WEIGHTS_FILE}.{hint}")
    places = read_json(folder / INDEX_FILE).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(name, str) for name in places.values()):
        raise CheckpointError(f"{folder / INDEX_FILE} lacks its weight_map.")
    shards = sorted(set(places.values()))
    foreign = [name for name in shards if Path(name).name != name or "\\" in name]
    if foreign:
        raise CheckpointError(f"{folder / INDEX_FILE} points outside its folder: {foreign[0]}.")
    missing = [name for name in shards if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(
            f"{folder} lacks {', '.join(missing)}, which {INDEX_FILE} names. Fetch it again."
        )
    return [folder / name for name in shards]


class StoredTensors:
    """The tensors of one or several safetensors files: shapes at once, numbers when asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.dtypes: dict[str, str] = {}
        self._homes: dict[str, tuple[Any, str]] = {}
        for path in files:
            try:
                file: Any = safe_open(path, framework="pt")
                for full_name in file.keys():  # noqa: SIM118 (it is no mapping)
                    self._add(file, full_name, path)
            except (OSError, SafetensorError) as error:
                raise CheckpointError(
                    f"{path} is not a whole safetensors file ({error}). It may be cut short; fetch "
                    "it again."
                ) from error

    def _add(self, file: Any, full_name: str, path: Path) -> None:
        name = full_name.removeprefix("transformer.")
        if _MASK.fullmatch(name):
            return
        if name in self.shapes:
            raise CheckpointError(f"{path} holds {full_name}, which the checkpoint has already.")
        part = file.get_slice(full_name)
        self.shapes[name] = tuple(part.get_shape())
        self.dtypes[name] = part.get_dtype()
        self._homes[name] = (file, full_name)

    def problems(
        self, wanted: Mapping[str, tuple[int, ...]], ignored: AbstractSet[str] = frozenset()
    ) -> list[str]:
        """What is missing, extra, misshapen or of another type, in words."""
        extra = self.shapes.keys() - wanted.keys() - ignored
        missing = [name for name in wanted if name not in self.shapes]
        problems = [f"missing: {', '.join(missing)}"] if missing else []
        problems += [f"extra: {', '.join(sorted(extra))}"] if extra else []
        for name, shape in wanted.items():
            found = self.shapes.get(name, shape)
            if found != shape:
                problems.append(f"{name} has the shape {found}, not {shape}")
            if self.dtypes.get(name, "F32") not in _DTYPES:
                problems.append(f"{name} is of type {self.dtypes[name]}, not F32, F16 or BF16")
        return problems

    def tensor(self, name: str) -> Tensor:
        """Mapped into memory; nothing is copied."""
        file, full_name = self._homes[name]
        found: Tensor = file.get_tensor(full_name)
        return found


def refuse(problems: Sequence[str], folder: Path) -> None:
    """Raises a CheckpointError that names what does not fit, where something does not."""
    if problems:
        raise CheckpointError(
            f"The weights in {folder} do not fit its {CONFIG_FILE}: {'; '.join(problems)}."
        )


def write_folder(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    tokenizer: Tokenizer | None,
    dtype: torch.dtype,
) -> None:
    """Writes config.json, the weights and the tokenizer's files to the side, then moves them in.

    Raises:
        CheckpointError: the folder cannot be written, or the dtype is another.
    """
    if dtype not in _DTYPES.values():
        raise CheckpointError(f"dtype is {dtype}; give torch.float32, float16 or bfloat16.")
    target = Path(folder).expanduser().absolute()
    stored = {
        name: tensor.detach().to("cpu", dtype).contiguous().clone()
        for name, tensor in weights.items()
    }
    texts = tokenizer.files() if tokenizer else {}
    texts[CONFIG_FILE] = json.dumps(config, indent=2) + "\n"
    aside = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        )
        for name, text in texts.items():
            (aside / name).write_text(text, encoding="utf-8", newline="\n")
        save_file(stored, aside / WEIGHTS_FILE, metadata={"format": "pt"})
        target.mkdir(exist_ok=True)
        for path in sorted(aside.iterdir()):
            path.chmod(0o644)
            os.replace(path, target / path.name)
        for stale in {*TOKENIZER_FILES, INDEX_FILE} - {*texts}:
            (target / stale).unlink(missing_ok=True)  # would be taken before the new files
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"Cannot write the checkpoint {target}: {error}. Free some space or choose another "
            "folder."
        ) from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
