"""The same prompt through one model at several steps of its training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.output import PositionPredictions, position_predictions
from tokenjourney.errors import CheckpointError
from tokenjourney.generation import generate
from tokenjourney.journey import trace
from tokenjourney.model.checkpoints import load_checkpoint
from tokenjourney.model.loading import MODELS_FOLDER
from tokenjourney.model.model import Model
from tokenjourney.model.sampling import probabilities, ranking

GROWING = MODELS_FOLDER / "growing"
"""The bundled model that was kept while it grew; `python -m tokenjourney train --keep-steps`."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One model of several that were kept.

    Attributes:
        step: After how many steps of training; 0 is untrained.
        bits: Bits per byte on stories that it was never trained on.
        model: It.
    """

    step: int
    bits: float
    model: Model


def stages(folder: Path = GROWING) -> tuple[Stage, ...]:
    """The models that a training kept, the youngest first.

    Raises:
        CheckpointError: the folder holds no list of them, or one of them is damaged.
    """
    try:
        listed = json.loads((folder / "steps.json").read_text(encoding="utf-8"))
        return tuple(
            Stage(
                int(one["step"]),
                float(one["bits"]),
                load_checkpoint(folder / one["folder"], name=f"step {one['step']}"),
            )
            for one in listed
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder} holds no models kept while training: {error}. Train them again with "
            "--keep-steps, or get the project again."
        ) from error


@dataclass(frozen=True, eq=False)
class StageView:
    """What one of them makes of a prompt.

    Attributes:
        logits: (T, d_vocab).
        losses: Every position's prediction beside what came.
        patterns: (n_layers, n_heads, T, T).
    """

    logits: NDArray[np.float32]
    losses: PositionPredictions
    patterns: NDArray[np.float32]

    def best(self, position: int, k: int = 5) -> tuple[tuple[int, float], ...]:
        """The k most probable next tokens at a position: (token ID, probability), in order."""
        shares = probabilities(self.logits[position])
        return tuple((int(i), float(shares[i])) for i in ranking(self.logits[position])[:k])

    def came(self, position: int) -> float | None:
        """The probability of the token that really comes next there; None at the end."""
        if position == len(self.logits) - 1:
            return None
        return float(self.losses.true_probability[position])


def stage_view(stage: Stage, token_ids: Sequence[int]) -> StageView:
    """One stage's view of a prompt of at most n_ctx tokens."""
    model = stage.model
    journey = trace(model, token_ids)
    logits, blocks = journey.logits, range(model.config.n_layers)
    return StageView(
        logits=logits,
        losses=position_predictions([logits], journey.token_ids),
        patterns=np.stack([journey.passing(block, "pattern")[0] for block in blocks]),
    )


def written_behind(stage: Stage, token_ids: Sequence[int], most: int = 24) -> str:
    """What one stage writes by itself behind a prompt, at temperature 0.8 with seed 0.

    Args:
        stage: From `stages`.
        token_ids: The prompt, of at most n_ctx tokens.
        most: Tokens to write, as far as there is room.
    """
    room = min(most, stage.model.config.n_ctx - len(token_ids))
    if not room or stage.model.tokenizer is None:
        return ""
    steps = generate(stage.model, token_ids, room, 0.8, seed=0)
    return stage.model.tokenizer.decode([step.token.id for step in steps])
