"""A micro GPT, trained on a short text and watched while it learns.

It is the project's own network and its own training loop; only small. Everything that the training
page shows of it is recorded here, step by step.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.errors import PromptError
from tokenjourney.generation import generate
from tokenjourney.journey import trace
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.model import Model
from tokenjourney.tokenizer import Tokenizer
from tokenjourney.training.bpe import train_bpe
from tokenjourney.training.loop import Recipe, make_optimizers, next_token_loss, training_steps
from tokenjourney.training.moments import N_CTX, Beginning, MicroSettings, Moment, Snapshot
from tokenjourney.training.parts import gradient_norms, without_skips

BATCH = 16
HELD_OUT_SHARE = 0.12
SNAPSHOTS = 40
"""How often in a run more is recorded than the loss and the gradients."""
LEAST_TOKENS = 8 * N_CTX
_PROBE, _SAMPLE, _ON_MAP, _TEST_WINDOWS = 20, 90, 60, 8


@dataclass(frozen=True, eq=False)
class MicroText:
    """A text as the micro GPT sees it: the tokens that occur in it, numbered from 0.

    Attributes:
        vocabulary: The bytes of each token.
        train: IDs to learn from.
        held_out: IDs that are never trained on.
    """

    vocabulary: tuple[bytes, ...]
    train: NDArray[np.int64]
    held_out: NDArray[np.int64]

    def frequent(self, most: int) -> list[int]:
        """The IDs that occur most often, at most so many; of equal ones the lower first."""
        counts = Counter(self.train.tolist())
        return sorted(counts, key=lambda i: (-counts[i], i))[:most]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these tokens."""
        return b"".join(self.vocabulary[i] for i in ids).decode("utf-8", "replace")


def micro_text(text: str, n_merges: int) -> MicroText:
    """The tokens of a text under a vocabulary that was learned from its training part.

    Only tokens that occur get an ID, so that the untrained loss is ln of what there is to choose
    from.

    Raises:
        PromptError: the text gives too few tokens to train on.
    """
    cut = round(len(text) * (1 - HELD_OUT_SHARE))
    steps = train_bpe(text[:cut], n_merges)
    tokenizer = Tokenizer.from_merges([(step.left, step.right) for step in steps])
    train, held_out = tokenizer.encode(text[:cut]), tokenizer.encode(text[cut:])
    if len(train) < LEAST_TOKENS or len(held_out) <= N_CTX:
        raise PromptError(
            f"The text gives {len(train):,} tokens to learn and {len(held_out):,} to hold out. It "
            f"needs {LEAST_TOKENS:,} and {N_CTX + 1}: take a longer text, or fewer merges."
        )
    used = sorted({*train, *held_out})
    number = {token_id: index for index, token_id in enumerate(used)}
    return MicroText(
        tuple(map(tokenizer.token_bytes, used)),
        np.array([number[i] for i in train]),
        np.array([number[i] for i in held_out]),
    )


def micro_training(settings: MicroSettings) -> Iterator[Beginning | Moment]:
    """Trains, yielding first a `Beginning` and then a `Moment` a step; stop iterating to stop it.

    Raises:
        TokenJourneyError: the text is too short, or the loss is no longer a number.
    """
    text = micro_text(settings.text, settings.n_merges)
    network = _network(settings, len(text.vocabulary))
    on_map, probe = text.frequent(_ON_MAP), text.held_out[:_PROBE]
    yield Beginning(
        vocabulary=tuple(data.hex() for data in text.vocabulary),
        on_map=tuple(on_map),
        probe=tuple(probe.tolist()),
        n_train=len(text.train),
        n_held_out=len(text.held_out),
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
    look = partial(_snapshot, network, text, on_map, probe)
    yield from _moments(settings, network, text, look)


def _moments(
    settings: MicroSettings, network: GPT2, text: MicroText, look: Callable[[], Snapshot]
) -> Iterator[Moment]:
    """One moment a step; what stands in it was true before the step changed anything."""
    recipe = Recipe(
        steps=settings.steps + 1, batch_size=BATCH, learning_rate=settings.learning_rate,
        optimizer="adamw", schedule="cosine", warmup=min(20, settings.steps), seed=settings.seed,
    )  # fmt: skip
    every = max(1, settings.steps // SNAPSHOTS)
    seen: dict[str, Any] = {}

    def watch(network: GPT2) -> None:
        seen["norms"] = gradient_norms(network)
        step = seen["step"]
        is_due = step % every == 0 or step == settings.steps
        seen["snapshot"] = look() if is_due else None

    runs = [training_steps(
        network, make_optimizers(network, recipe), _batches(text, settings.seed), recipe,
        watch=watch,
    )]  # fmt: skip
    if settings.twin:
        twin = _network(settings, len(text.vocabulary))

        def watch_twin(network: GPT2) -> None:
            seen["twin_norms"] = gradient_norms(network)

        runs.append(training_steps(
            twin, make_optimizers(twin, recipe), _batches(text, settings.seed), recipe,
            tap=without_skips(settings.n_layers), watch=watch_twin,
        ))  # fmt: skip
    for step in range(settings.steps + 1):
        seen["step"] = step
        losses = [next(run).loss for run in runs]
        yield Moment(
            step, losses[0], seen["norms"], losses[1] if settings.twin else None,
            seen.get("twin_norms", ()), seen["snapshot"],
        )  # fmt: skip


def guessing_loss(d_vocab: int) -> float:
    """The loss of guessing evenly, in nats: ln d_vocab. An untrained network starts near it."""
    return math.log(d_vocab)


def _network(settings: MicroSettings, d_vocab: int) -> GPT2:
    network = GPT2(settings.config(d_vocab))
    network.initialise(torch.Generator().manual_seed(settings.seed))
    return network


def _batches(text: MicroText, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless windows from anywhere in the text: (inputs, targets), both (BATCH, N_CTX)."""
    rng = np.random.default_rng(seed)
    while True:
        yield _windows(text.train, rng.integers(0, len(text.train) - N_CTX, BATCH))


def _windows(ids: NDArray[np.int64], starts: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    rows = torch.from_numpy(ids[starts[:, None] + np.arange(N_CTX + 1)])
    return rows[:, :-1], rows[:, 1:]


def _snapshot(
    network: GPT2, text: MicroText, on_map: list[int], probe: NDArray[np.int64]
) -> Snapshot:
    """Looks at the network as it is now, without changing anything in it."""
    network.eval()
    last = len(text.held_out) - N_CTX - 1
    starts = np.unique(np.linspace(0, last, _TEST_WINDOWS).astype(np.int64))
    model = Model("micro", network)
    with torch.no_grad():
        loss = next_token_loss(network, *_windows(text.held_out, starts)).item()
        journey = trace(model, probe.tolist())
        layers = range(network.config.n_layers)
        patterns = np.stack([journey.passing(layer, "pattern")[0] for layer in layers])
        written = [
            step.token.id
            for step in generate(model, [on_map[0]], min(_SAMPLE, N_CTX - 1), 0.8, seed=0)
        ]
        rows = network.W_E[on_map]
    network.train()
    return Snapshot(
        held_out=loss,
        sample=text.decode(written),
        embedding=[[round(x, 4) for x in row] for row in rows.tolist()],
        patterns=np.round(patterns, 3).tolist(),
    )
