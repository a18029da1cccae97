"""What the heads of a model do on average: measured once, and stored beside the checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tokenjourney.analysis.heads import KINDS, HeadScores, head_survey, repeated_random_tokens
from tokenjourney.journey import trace
from tokenjourney.model.stored import write_json

if TYPE_CHECKING:
    from tokenjourney.model import Model

FILE: Final = "heads.json"
"""Name of the file in the checkpoint's folder."""

SEEDS: Final = tuple(range(8))
"""Seeds of the runs over which the stored scores are means."""


@dataclass(frozen=True, eq=False)
class HeadAverages:
    """The four scores of every head on random tokens, written twice, as means over several draws.

    Attributes:
        scores: The scores, as (4, n_layers, n_heads); occasions are those of all runs together.
        n_tokens: How many tokens each run has.
        seeds: What each run was drawn with.
    """

    scores: HeadScores
    n_tokens: int
    seeds: tuple[int, ...]


def head_averages(model: Model, seeds: Sequence[int] = SEEDS) -> HeadAverages:
    """Measures the heads on repeated random tokens: one run for each seed.

    The scores are those of `analysis.heads`; on random tokens no meaning helps, so what a head
    does here it does by position and by repetition (Olsson et al., "In-context Learning and
    Induction Heads", 2022).

    Args:
        model: The model.
        seeds: One or more.
    """
    blocks = range(model.config.n_layers)
    found, n_tokens = [], 0
    for seed in seeds:
        ids = repeated_random_tokens(model.config.d_vocab, model.config.n_ctx, seed=seed)
        run, n_tokens = trace(model, ids), len(ids)
        found.append(
            head_survey((run.passing(b, "pattern")[0] for b in blocks), ids, most=1).scores
        )
    values = np.stack([scores.values for scores in found]).mean(axis=0, dtype=np.float32)
    values = np.asarray(values, np.float32)
    values.setflags(write=False)
    occasions = np.sum([scores.occasions for scores in found], axis=0)
    return HeadAverages(HeadScores(values, occasions), n_tokens, tuple(seeds))


def fingerprint(model: Model) -> str:
    """A word for the weights: of a model that was trained further it is another one."""
    rows = model.W_pos if model.config.learned_positions else model.W_E
    return hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()


def save_head_averages(averages: HeadAverages, model: Model, folder: Path) -> Path:
    """Writes heads.json into the checkpoint's folder, to the side and then renamed.

    Returns:
        The file.

    Raises:
        CheckpointError: it cannot be written.
    """
    values = averages.scores.values
    content = {
        "weights": fingerprint(model),
        "n_tokens": averages.n_tokens,
        "seeds": averages.seeds,
        "occasions": averages.scores.occasions.tolist(),
        "scores": {
            kind: [[_stored(score) for score in block] for block in values[row].tolist()]
            for row, kind in enumerate(KINDS)
        },
    }
    return write_json(folder / FILE, content)


def stored_head_averages(model: Model, folder: Path) -> HeadAverages | None:
    """What `save_head_averages` wrote for these weights; None where it is missing, or of others.

    A file that is damaged counts as missing: what it held can be measured again.
    """
    try:
        content: Any = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if content["weights"] != fingerprint(model):
            return None
        rows = [content["scores"][kind] for kind in KINDS]
        values = np.array(rows, dtype=np.float32)  # None, for no occasion, becomes NaN
        occasions = np.array(content["occasions"], dtype=np.int64)
        n_tokens, seeds = int(content["n_tokens"]), tuple(int(s) for s in content["seeds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if values.shape != (len(KINDS), model.config.n_layers, model.config.n_heads):
        return None
    values.setflags(write=False)
    return HeadAverages(HeadScores(values, occasions), n_tokens, seeds)


def _stored(score: float) -> float | None:
    """Six digits; None for a score without an occasion, which JSON has no number for."""
    return None if score != score else round(score, 6)
