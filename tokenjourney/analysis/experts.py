"""Where the tokens of a text go in a model with experts, and how a router judges one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from tokenjourney.beyond.moe import MixtureOfExperts
from tokenjourney.errors import CheckpointError, PromptError
from tokenjourney.model.hooks import Tap
from tokenjourney.model.model import Model
from tokenjourney.model.stored import write_json
from tokenjourney.training.corpus import end_of_text_id

if TYPE_CHECKING:
    from tokenjourney.journey import Journey

Array = NDArray[np.float32]
FILE = "experts.json"


@dataclass(frozen=True, eq=False)
class ExpertSurvey:
    """Where the tokens of a text go.

    Attributes:
        n_tokens: Tokens of the text.
        loads: (n_blocks, n_experts), the choices that each expert got.
        unbiased: The same if the routers' biases were 0: without what balancing added.
        information: (n_blocks,), mutual information of token and expert, in bits.
        shuffled: The same with the tokens shuffled: what chance alone gives.
        entropy: (n_blocks,), entropy of the experts, the most that it could be.
        top: For each block and expert the tokens that it gets most beyond its share: ID, how often,
            and which share of that token's choices.
    """

    n_tokens: int
    loads: NDArray[np.int64]
    unbiased: NDArray[np.int64]
    information: Array
    shuffled: Array
    entropy: Array
    top: tuple[tuple[tuple[tuple[int, int, float], ...], ...], ...]

    def shares(self, block: int) -> tuple[Array, Array]:
        """(n_experts,) twice: loads in equal shares, with the bias and without it."""
        with_bias, without = self.loads[block], self.unbiased[block]
        return (
            np.asarray(with_bias / with_bias.mean(), np.float32),
            np.asarray(without / without.mean(), np.float32),
        )


@dataclass(frozen=True)
class Judged:
    """How a router judged one expert for one token.

    Attributes:
        expert: Its number.
        group: The group it stands in.
        affinity: From 0 to 1.
        bias: What balancing adds to it for choosing.
        gate: With what it was chosen; 0 where it was not.
    """

    expert: int
    group: int
    affinity: float
    bias: float
    gate: float


def router_choice(
    affinities: Array, gates: Array, bias: torch.Tensor, n_groups: int
) -> tuple[Judged, ...]:
    """One token at a router, expert by expert.

    Args:
        affinities: (n_experts,).
        gates: (n_experts,).
        bias: (n_experts,).
        n_groups: Groups that the experts stand in.
    """
    size = len(affinities) // n_groups
    return tuple(
        Judged(e, e // size, float(affinities[e]), float(bias[e]), float(gates[e]))
        for e in range(len(affinities))
    )


def shared_lengths(journey: Journey) -> Array:
    """(n_layers, T): the length of what the shared experts write to each token.

    Raises:
        HookError: the model has no shared experts.
    """
    blocks = range(journey.config.n_layers)
    lengths = [np.linalg.norm(journey.passing(i, "shared_out")[0], axis=-1) for i in blocks]
    return np.asarray(lengths, np.float32)


def expert_survey(model: Model, stories: Sequence[str], most: int = 8) -> ExpertSurvey:
    """Sends stories through a model with experts and counts who gets which token.

    Raises:
        PromptError: the model has no experts, or no tokenizer.
    """
    if model.tokenizer is None:
        raise PromptError(f"{model.name} has no tokenizer.")
    mixtures = {
        index: block.mlp
        for index, block in enumerate(model.network.blocks)
        if isinstance(block.mlp, MixtureOfExperts)
    }
    if not mixtures:
        raise PromptError(f"{model.name} has no experts.")
    n_ctx, end = model.config.n_ctx, end_of_text_id(model.tokenizer)
    chosen: dict[int, list[NDArray[np.bool_]]] = {index: [] for index in mixtures}
    plain: dict[int, list[NDArray[np.bool_]]] = {index: [] for index in mixtures}
    hooks: dict[str, Any] = {}
    for index, mixture in mixtures.items():

        def scores(
            value: torch.Tensor, index: int = index, part: MixtureOfExperts = mixture
        ) -> None:
            plain[index].append(part.router.choice(value[0]).numpy())

        def gates(value: torch.Tensor, index: int = index) -> None:
            chosen[index].append((value[0] != 0).numpy())

        hooks[f"blocks.{index}.mlp.hook_router_scores"] = [scores]
        hooks[f"blocks.{index}.mlp.hook_gates"] = [gates]
    ids: list[int] = []
    with torch.inference_mode():
        for story in stories:
            row = [end, *model.tokenizer.encode(story)][:n_ctx]
            ids += row
            model.network(torch.tensor([row]), Tap(hooks))
    tokens = np.array(ids)
    return _surveyed(tokens, model.config.d_vocab, chosen, plain, most)


def _surveyed(
    tokens: NDArray[np.int64],
    d_vocab: int,
    chosen: dict[int, list[NDArray[np.bool_]]],
    plain: dict[int, list[NDArray[np.bool_]]],
    most: int,
) -> ExpertSurvey:
    rng = np.random.default_rng(0)
    choices = [np.concatenate(rows) for rows in chosen.values()]
    unbiased = [np.concatenate(rows) for rows in plain.values()]
    counts = [joint_counts(tokens, rows, d_vocab) for rows in choices]
    mixed = [joint_counts(rng.permutation(tokens), rows, d_vocab) for rows in choices]
    shares = [table.sum(axis=0) / table.sum() for table in counts]
    return ExpertSurvey(
        n_tokens=len(tokens),
        loads=np.stack([rows.sum(axis=0) for rows in choices]),
        unbiased=np.stack([rows.sum(axis=0) for rows in unbiased]),
        information=np.array([mutual_information(table) for table in counts], np.float32),
        shuffled=np.array([mutual_information(table) for table in mixed], np.float32),
        entropy=np.array([-(s[s > 0] * np.log2(s[s > 0])).sum() for s in shares], np.float32),
        top=tuple(_favourites(table, most) for table in counts),
    )


def joint_counts(
    tokens: NDArray[np.int64], chosen: NDArray[np.bool_], d_vocab: int
) -> NDArray[np.int64]:
    """(d_vocab, n_experts): how often each token went to each expert."""
    table = np.zeros((d_vocab, chosen.shape[1]), np.int64)
    np.add.at(table, tokens, chosen)
    return table


def mutual_information(table: NDArray[np.int64]) -> float:
    """Bits that the token tells about the expert, from the counts of both together.

    I = Σ p(t, e) log₂ (p(t, e) / (p(t) p(e))), with shares of the counts as probabilities. On few
    counts that is too high: compare it with shuffled ones.

    Example:
        >>> mutual_information(np.array([[5, 0], [0, 5]]))
        1.0
    """
    p = table / table.sum()
    expected = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    seen = p > 0
    return float((p[seen] * np.log2(p[seen] / expected[seen])).sum())


def _favourites(
    table: NDArray[np.int64], most: int
) -> tuple[tuple[tuple[int, int, float], ...], ...]:
    """The tokens that each expert gets most beyond its share of all choices."""
    of_token = table.sum(axis=1, keepdims=True)
    expected = of_token * (table.sum(axis=0) / table.sum())
    beyond = table - expected
    return tuple(
        tuple(
            (int(i), int(table[i, e]), round(float(table[i, e] / of_token[i, 0]), 4))
            for i in np.argsort(-beyond[:, e], kind="stable")[:most]
            if table[i, e]
        )
        for e in range(table.shape[1])
    )


def save_expert_survey(survey: ExpertSurvey, folder: Path) -> Path:
    """Writes experts.json into the checkpoint's folder, to the side and then renamed.

    Raises:
        CheckpointError: it cannot be written.
    """
    content = {
        "n_tokens": survey.n_tokens,
        "loads": survey.loads.tolist(),
        "unbiased": survey.unbiased.tolist(),
        "information": [round(float(x), 4) for x in survey.information],
        "shuffled": [round(float(x), 4) for x in survey.shuffled],
        "entropy": [round(float(x), 4) for x in survey.entropy],
        "top": survey.top,
    }
    return write_json(folder / FILE, content)


def stored_expert_survey(folder: Path) -> ExpertSurvey:
    """What `save_expert_survey` wrote.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    try:
        raw: Any = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return ExpertSurvey(
            n_tokens=int(raw["n_tokens"]),
            loads=np.array(raw["loads"], np.int64),
            unbiased=np.array(raw["unbiased"], np.int64),
            information=np.array(raw["information"], np.float32),
            shuffled=np.array(raw["shuffled"], np.float32),
            entropy=np.array(raw["entropy"], np.float32),
            top=tuple(
                tuple(tuple((int(i), int(n), float(s)) for i, n, s in expert) for expert in block)
                for block in raw["top"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder / FILE} is missing or damaged ({error}). Make it with "
            "python -m tokenjourney experts."
        ) from error
