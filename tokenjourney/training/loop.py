"""The training loop: one network, one stream of batches, one report per step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokenjourney.errors import TokenJourneyError
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.hooks import NO_TAP, Tap
from tokenjourney.training.balance import Balance
from tokenjourney.training.corpus import NOT_A_TARGET

Schedule = Literal["cosine", "wsd"]
Optimizer = Literal["adamw", "muon"]


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        steps: Number of steps, each on one batch.
        batch_size: Windows in a batch.
        learning_rate: Peak rate of AdamW.
        matrix_rate: Peak rate of Muon for the blocks' matrices, where the optimizer is "muon".
        optimizer: "adamw" for everything, or "muon": Muon for the blocks' matrices (Jordan et al.,
            2024) and AdamW for embeddings, gains and biases.
        schedule: After the warm-up, "cosine" falls to a tenth of the peak; "wsd" stays at the peak
            and falls to 0 in a straight line over the last `decay_share` of the steps.
        warmup: Steps over which the rate rises from 0.
        decay_share: Share of the steps in which "wsd" falls.
        weight_decay: Of the matrices; gains, biases and embeddings are not decayed.
        clip: Longest gradient; a longer one is shortened to it.
        bf16: Whether matrix products run in bfloat16.
        seed: Of weights, order and dropout.
        balance_rate: How much a step changes an expert's bias, in models with a sigmoid router.
        auxiliary_weight: Of the loss that balances experts, in models with a softmax router.
    """

    steps: int
    batch_size: int = 16
    learning_rate: float = 3e-3
    matrix_rate: float = 6e-3
    optimizer: Optimizer = "muon"
    schedule: Schedule = "wsd"
    warmup: int = 100
    decay_share: float = 0.35
    weight_decay: float = 0.1
    clip: float = 1.0
    bf16: bool = False
    seed: int = 0
    balance_rate: float = 0.003
    auxiliary_weight: float = 0.01

    def __post_init__(self) -> None:
        """Refuses what cannot be trained with."""
        if self.steps < 1 or self.batch_size < 1 or self.warmup < 0:
            raise TokenJourneyError("steps and batch_size must be 1 or more, warmup 0 or more.")
        if self.learning_rate <= 0 or self.matrix_rate <= 0 or not 0 <= self.decay_share <= 1:
            raise TokenJourneyError("Learning rates must be positive, decay_share from 0 to 1.")
        if self.schedule not in ("cosine", "wsd") or self.optimizer not in ("adamw", "muon"):
            raise TokenJourneyError("schedule is cosine or wsd, optimizer is adamw or muon.")

    def rate(self, step: int) -> float:
        """The share of the peak learning rate at `step`, from 0 to 1."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.schedule == "cosine":
            progress = (step - self.warmup) / max(1, self.steps - self.warmup)
            return 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, progress)))
        decay_from = self.steps * (1 - self.decay_share)
        if step < decay_from:
            return 1.0
        return max(0.0, (self.steps - step) / (self.steps - decay_from))


@dataclass(frozen=True)
class StepReport:
    """What one step did: its number, mean loss in nats per token, and the gradient's length."""

    step: int
    loss: float
    gradient_norm: float
    rate: float


def make_optimizers(network: GPT2, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """The optimizers of a recipe, each parameter in exactly one."""
    matrices, embeddings, rest = [], [], []
    for name, parameter in network.named_parameters():
        if parameter.dim() < 2:
            rest.append(parameter)
        elif name.startswith("blocks."):
            matrices.append(parameter)
        else:
            embeddings.append(parameter)
    decayed = [] if recipe.optimizer == "muon" else matrices
    adamw = torch.optim.AdamW(
        [
            {"params": embeddings + rest, "weight_decay": 0.0},
            *([{"params": decayed, "weight_decay": recipe.weight_decay}] if decayed else []),
        ],
        lr=recipe.learning_rate,
        betas=(0.9, 0.95),
        foreach=True,
    )
    optimizers: list[torch.optim.Optimizer] = [adamw]
    if recipe.optimizer == "muon":
        optimizers.append(
            torch.optim.Muon(
                matrices,
                lr=recipe.matrix_rate,
                weight_decay=recipe.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak_rate"] = group["lr"]
    return optimizers


def next_token_loss(
    network: nn.Module, inputs: Tensor, targets: Tensor, tap: Tap = NO_TAP
) -> Tensor:
    """Mean cross-entropy in nats of the next token at every position.

    Args:
        network: Maps (B, T) IDs to (B, T, d_vocab) logits.
        inputs: (B, T) IDs.
        targets: (B, T) IDs, each the one that comes after the input at its place.
        tap: Watches and edits the pass, in networks that take one.
    """
    logits = network(inputs) if tap is NO_TAP else network(inputs, tap)
    return F.cross_entropy(
        logits.flatten(0, 1).float(), targets.flatten(), ignore_index=NOT_A_TARGET
    )


def training_steps(
    network: GPT2,
    optimizers: list[torch.optim.Optimizer],
    batches: Iterator[tuple[Tensor, Tensor]],
    recipe: Recipe,
    first_step: int = 0,
    *,
    tap: Tap = NO_TAP,
    watch: Callable[[GPT2], None] | None = None,
) -> Iterator[StepReport]:
    """Trains step by step, reporting after each; stop iterating to stop training.

    Args:
        network: Its weights change.
        optimizers: From `make_optimizers`.
        batches: Endless (inputs, targets), both (B, T).
        recipe: How to train.
        first_step: The step to begin with, where a run is resumed.
        tap: Watches and edits every pass: a network that lacks something is trained through it.
        watch: Sees the network in every step, when its gradients are there and nothing is changed.

    Raises:
        TokenJourneyError: the loss is no longer a number.
    """
    network.train()
    balance = Balance(network, recipe.balance_rate, recipe.auxiliary_weight)
    tap = balance.tap.also(tap)
    for step in range(first_step, recipe.steps):
        rate = recipe.rate(step)
        inputs, targets = next(batches)
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            loss = next_token_loss(network, inputs, targets, tap)
            balanced = loss + balance.auxiliary_loss()
        balanced.backward()  # type: ignore[no-untyped-call]
        if watch:
            watch(network)
        norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip, foreach=True)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_rate"] * rate
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        balance.update()
        if not math.isfinite(loss.item()):
            raise TokenJourneyError(
                f"The loss became {loss.item()} at step {step}. Take a smaller learning rate, "
                "or resume from an earlier checkpoint."
            )
        yield StepReport(step, loss.item(), norm.item(), rate)
