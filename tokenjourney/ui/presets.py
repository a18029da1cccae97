"""One-click prompts, each with what it shows: checked with the loaded model before it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokenjourney.figures.text import number, share
from tokenjourney.tokenizer import visible
from tokenjourney.ui import cache
from tokenjourney.ui.text import ASSETS, Safe, load_file, markup, token

if TYPE_CHECKING:
    from tokenjourney.journey import Journey

FILE: Final = ASSETS / "presets.toml"
_MUCH: Final = 0.3  # of a head's attention, for a claim that it looks somewhere


@dataclass(frozen=True)
class Shown:
    """What a preset shows with one model.

    Attributes:
        holds: Whether its claim holds.
        sentence: What to say about it, as safe HTML.
        instead: A prompt that shows it where this one does not, if there is one.
    """

    holds: bool
    sentence: Safe
    instead: str | None


def texts() -> tuple[str, ...]:
    """The prompts, in order."""
    return tuple(preset["text"] for preset in load_file(FILE)["presets"])


def default() -> str:
    """The prompt of the first visit."""
    return str(load_file(FILE)["default"])


def shown(text: str, model: str) -> Shown | None:
    """What the preset or counterpart of that text shows with that model; None if there is none.

    Raises:
        TokenJourneyError: the model cannot trace it.
    """
    found = load_file(FILE)
    for preset in [*found["presets"], *found["counterparts"]]:
        if preset["text"] == text:
            return _shown(preset, model)
    return None


def _shown(preset: Mapping[str, Any], model: str) -> Shown:
    journey = cache.journey(model, preset["text"])
    loaded, guess = cache.model(model), journey.next_tokens(k=1)[0]
    pieces, holds = _CLAIMS[preset["claim"]](preset, model, journey)
    if "expects" in preset:
        holds = holds and guess.text == preset["expects"]
    if "expects_share" in preset:
        holds = holds and guess.probability >= preset["expects_share"]
    sentence = markup(
        preset["holds" if holds else "fails"],
        guess=token(cache.label(loaded, guess.token_id), followed=False),
        share=share(guess.probability),
        expects=token(visible(preset.get("expects", "").encode()), followed=False),
        pieces=pieces,
        **{"with": preset.get("with", "")},
    )
    return Shown(holds, sentence, None if holds else preset.get("instead"))


def _guess(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    return Safe(""), True


def _reaches(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    start = preset["text"].index(preset["to"])
    end = start + len(preset["to"])
    tokens = enumerate(journey.tokens[:-1])
    return _looks(journey, [i for i, one in tokens if one.start < end and one.end > start])


def _repeats(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    *before, last = journey.token_ids
    return _looks(journey, [i + 1 for i, one in enumerate(before) if one == last])


def _looks(journey: Journey, keys: list[int]) -> tuple[Safe, bool]:
    """The head that looks from the last token most at one of those, and whether it does so much."""
    if not keys:
        return Safe(""), False
    blocks = range(journey.config.n_layers)
    patterns = (journey.passing(block, "pattern")[0] for block in blocks)
    most = np.stack([pattern[:, -1, keys].max(axis=-1) for pattern in patterns])
    block, head = divmod(int(most.argmax()), most.shape[1])
    said = f"block {block}, head {head} looks there with {number(float(most.max()))}"
    return Safe(said), bool(most.max() >= _MUCH)


def _pieces(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    words = len(preset["text"].split())
    return _marks(cache.texts(journey)), len(journey.token_ids) > words


def _many(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    n = len(journey.token_ids)
    return Safe(f"{n} predictions"), n >= 5


def _twice(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    seen = Counter(journey.token_ids)
    twice = [
        name
        for name, token_id in zip(cache.texts(journey), journey.token_ids, strict=True)
        if seen[token_id] > 1
    ]
    return _marks(tuple(dict.fromkeys(twice))), bool(twice)


def _other(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    other = set(cache.texts(cache.journey(model, preset["with"])))
    letters = {name.strip("·").lower() for name in other}
    changed = [
        name
        for name in cache.texts(journey)
        if name not in other and name.strip("·").lower() in letters
    ]
    return _marks(tuple(changed)), bool(changed)


def _shuffled(preset: Mapping[str, Any], model: str, journey: Journey) -> tuple[Safe, bool]:
    other = cache.journey(model, preset["with"])
    same = Counter(other.token_ids) == Counter(journey.token_ids)
    here, there = (one.next_tokens(k=1)[0] for one in (journey, other))
    differs = (here.token_id, share(here.probability)) != (there.token_id, share(there.probability))
    return Safe(""), same and other.token_ids != journey.token_ids and differs


def _marks(names: tuple[str, ...]) -> Safe:
    return Safe(" ".join(token(name, followed=False) for name in names))


_CLAIMS: Final = {
    "sure": _guess,
    "next": _guess,
    "reaches": _reaches,
    "repeats": _repeats,
    "pieces": _pieces,
    "many": _many,
    "twice": _twice,
    "other": _other,
    "shuffled": _shuffled,
}
