"""Keeping the experts of a mixture equally busy while it is trained.

Left alone, a router sends ever more tokens to the few experts that learned first. Two ways out:

- DeepSeek-V3 (2024), section 2.1.2, auxiliary-loss-free: after each step, the bias of every expert
  that had more than its share of tokens falls by a fixed amount, that of every other rises. The
  bias decides who is chosen and nothing else, so no gradient is disturbed.
- the classical way (Fedus et al., "Switch Transformers", 2021, section 2.2): a loss that is least
  where all experts have the same load: n_experts · Σ (share of tokens) · (mean affinity).
"""

from __future__ import annotations

import torch
from torch import Tensor

from tokenjourney.beyond.moe import MixtureOfExperts, Router
from tokenjourney.model.gpt2 import GPT2
from tokenjourney.model.hooks import NO_TAP, Hook, Tap


class Balance:
    """Watches who is chosen during a step, and acts on it.

    Attributes:
        tap: To be handed to the forward pass.
        loads: For each block with experts, the choices that each expert got since the last update.
    """

    def __init__(self, network: GPT2, rate: float, weight: float) -> None:
        """Balances all mixtures of a network; without any, does nothing.

        Args:
            network: Its sigmoid routers are balanced by bias, its softmax routers by the loss.
            rate: How much a bias changes in one step.
            weight: Of the auxiliary loss.
        """
        self._rate, self._weight = rate, weight
        self._routers: dict[int, Router] = {
            index: block.mlp.router
            for index, block in enumerate(network.blocks)
            if isinstance(block.mlp, MixtureOfExperts)
        }
        self.loads: dict[int, Tensor] = {}
        self._affinities: dict[int, Tensor] = {}
        hooks: dict[str, list[Hook]] = {}
        for index in self._routers:
            hooks[f"blocks.{index}.mlp.hook_router_scores"] = [self._affinity_hook(index)]
            hooks[f"blocks.{index}.mlp.hook_gates"] = [self._load_hook(index)]
        self.tap = Tap(hooks) if hooks else NO_TAP

    def _affinity_hook(self, index: int) -> Hook:
        def watch(affinities: Tensor) -> None:
            self._affinities[index] = affinities.flatten(0, -2).mean(dim=0)

        return watch

    def _load_hook(self, index: int) -> Hook:
        def watch(gates: Tensor) -> None:
            self.loads[index] = (gates.detach() != 0).flatten(0, -2).sum(dim=0).float()

        return watch

    def auxiliary_loss(self) -> Tensor | float:
        """The weighted loss of the softmax routers in the pass just made; 0 without any."""
        total: Tensor | float = 0.0
        for index, router in self._routers.items():
            if router.config.router == "softmax":
                shares = self.loads[index] / self.loads[index].sum()
                even = len(shares) * (shares * self._affinities[index]).sum()
                total = total + self._weight * even
        return total

    def update(self) -> None:
        """Moves the biases of the sigmoid routers one step towards equal loads."""
        with torch.no_grad():
            for index, router in self._routers.items():
                if router.config.router == "sigmoid":
                    load = self.loads[index]
                    router.bias += self._rate * torch.sign(load.mean() - load)
