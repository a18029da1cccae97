"""The models that this server offers: their names, sizes, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tokenjourney.errors import ModelNotFoundError
from tokenjourney.model.packing import STRIPS_UP_TO
from tokenjourney.ui.state import BUNDLED

DEFAULT_MODELS: Final = "gpt2,gpt2-medium,gpt2-large,gpt2-xl,distilgpt2"
# Parameters, and bytes of model.safetensors on the Hub.
_KNOWN: Final = {
    "distilgpt2": (81_912_576, 352_824_413),
    "gpt2": (124_439_808, 548_105_171),
    "gpt2-medium": (354_823_168, 1_519_984_962),
    "gpt2-large": (774_030_080, 3_247_159_078),
    "gpt2-xl": (1_557_611_200, 6_431_829_964),
}
_TITLES: Final = {
    "distilgpt2": "DistilGPT-2",
    "gpt2": "GPT-2 small",
    "gpt2-medium": "GPT-2 medium",
    "gpt2-large": "GPT-2 large",
    "gpt2-xl": "GPT-2 XL",
}


@dataclass(frozen=True)
class Offer:
    """A model in the picker.

    Attributes:
        name: Its name in the link.
        title: Its name in the picker.
        source: What `tokenjourney.load_model` takes; None for the bundled model.
        kind: "bundled", "folder" or "hub".
        parameters: How many it has, where that is known before it is loaded.
        download: Bytes to fetch from the Hub, where known.
    """

    name: str
    title: str
    source: str | None
    kind: str
    parameters: int | None = None
    download: int | None = None

    @property
    def size(self) -> str:
        """Size and memory in words, to read before one commits."""
        if self.kind == "bundled":
            return "comes along, opens at once"
        if self.kind == "folder":
            return f"from a folder of this server, {in_words(_weight(Path(self.source or '')))}"
        if self.parameters is None or self.download is None:
            return "from the Hugging Face Hub; size not known before it is asked for"
        return (
            f"{self.parameters / 1e6:,.0f} M parameters, {in_words(self.download)} to download, "
            f"up to {in_words(memory_for(self.parameters))} of memory"
        )


def memory_for(n_parameters: int) -> int:
    """The most bytes that a model takes, with the copies that model/packing.py makes of it."""
    copies = 2 if n_parameters <= STRIPS_UP_TO else 1
    return 4 * (1 + copies) * n_parameters


def offers() -> Mapping[str, Offer]:
    """What the server's owner allows, by name: the bundled model, folders, then Hub models.

    The settings are the environment variables `TOKENJOURNEY_MODELS` (Hub names, with commas
    between) and `TOKENJOURNEY_MODEL_PATHS` (folders, separated like PATH). Of two folders of one
    name the first counts; a folder hides a Hub model of its name.
    """
    found = {BUNDLED: Offer(BUNDLED, "Bundled model", None, "bundled")}
    for entry in os.environ.get("TOKENJOURNEY_MODEL_PATHS", "").split(os.pathsep):
        if entry.strip() and (folder := Path(entry.strip()).expanduser()).is_dir():
            name = folder.resolve().name
            found.setdefault(name, Offer(name, name, str(folder), "folder"))
    for offer in _of_the_hub(os.environ.get("TOKENJOURNEY_MODELS", DEFAULT_MODELS)):
        found.setdefault(offer.name, offer)
    return MappingProxyType(found)


@lru_cache(maxsize=4)
def _of_the_hub(names: str) -> tuple[Offer, ...]:
    return tuple(
        Offer(name, _TITLES.get(name, name), name, "hub", *_KNOWN.get(name, (None, None)))
        for entry in names.split(",")
        if (name := entry.strip())
    )


def folder(name: str) -> Path:
    """The folder in which the files of an offered model lie; nothing is fetched.

    Raises:
        ModelNotFoundError: this server does not offer it, or it is not here yet.
    """
    from tokenjourney.model.loading import checkpoint_folder

    offer = offers().get(name)
    if offer is None:
        raise ModelNotFoundError(f"This server has no model named {name!r}.")
    return checkpoint_folder(offer.source, local_files_only=offer.kind == "hub")


def on_disk(offer: Offer) -> bool:
    """Whether the model opens without a download."""
    if offer.kind != "hub" or offer.source is None:
        return True
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(offer.source, "model.safetensors"), str)


def download(offer: Offer, poll_seconds: float = 0.3) -> Iterator[int]:
    """Fetch a Hub model into the cache, and say again and again how many bytes are there.

    Args:
        offer: A model of the Hub.
        poll_seconds: Time between two answers.

    Raises:
        ModelNotFoundError: it cannot be fetched.
        CheckpointError: it is not a GPT-2, or has no safetensors.
    """
    from huggingface_hub import constants

    from tokenjourney.model.hub import fetch

    name = offer.source or offer.name
    folder = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}" / "blobs"
    with ThreadPoolExecutor(1, thread_name_prefix="download") as pool:
        fetched = pool.submit(fetch, name)
        while not wait([fetched], poll_seconds).done:
            yield _size_on_disk(folder)
        fetched.result()
    yield _size_on_disk(folder)


def _size_on_disk(folder: Path) -> int:
    total = 0
    for file in folder.glob("*"):
        with suppress(OSError):  # a file may be renamed while we look
            total += file.stat().st_size
    return total


def _weight(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


def in_words(n: int) -> str:
    """A number of bytes.

    >>> in_words(548_105_171), in_words(3_247_159_078)
    ('548 MB', '3.2 GB')
    """
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:,.0f} MB"
