"""Mixture of experts: many small feed-forward parts, of which each token goes through a few.

DeepSeek-AI, "DeepSeek-V3" (2024), section 2.1.2, equations (12) to (16); the classical router is
that of Shazeer et al., "Outrageously Large Neural Networks" (2017), section 2.1, as DeepSeek-V2
(2024), section 2.2 has it. How loads are balanced while training: training/balance.py.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.beyond.parts import Projection, SwiGLU
from tokenjourney.model.hooks import NO_TAP, Tap


class Router(nn.Module):
    """Decides which experts a token goes to, and with what gate.

    An expert's affinity s is σ(x · e) in V3, softmax over all x · e in the classical router. The
    top k win; V3 adds a bias to each affinity *for choosing only*, so that busy experts can be made
    less attractive without changing what the chosen ones contribute.

    Attributes:
        bias: (n_experts,), what balancing adds; not trained by gradients.
    """

    bias: Tensor

    def __init__(self, config: BeyondConfig) -> None:
        super().__init__()
        self.config = config
        self.centroids = Projection(config.d_model, config.n_experts)  # the vectors e
        self.register_buffer("bias", torch.zeros(config.n_experts))

    def affinities(self, x: Tensor) -> Tensor:
        """(…, d_model) → (…, n_experts), each from 0 to 1. Equation (15)."""
        logits: Tensor = self.centroids(x).float()
        return logits.sigmoid() if self.config.router == "sigmoid" else logits.softmax(dim=-1)

    def gates(self, affinities: Tensor) -> Tensor:
        """(…, n_experts) → the same, 0 for the experts that are not chosen.

        Equations (13), (14) and (16): the chosen experts' affinities, without the bias, divided by
        their sum where the configuration says so.
        """
        config = self.config
        chosen = self.choice(affinities.detach() + self.bias)
        gates = torch.where(chosen, affinities, 0.0)
        if config.normalise_gates:
            gates = gates / (gates.sum(dim=-1, keepdim=True) + 1e-20)
        return gates * config.gate_scale

    def choice(self, wanted: Tensor) -> Tensor:
        """(…, n_experts) biased affinities → True for the top_k of the best top_groups groups.

        A group is as good as the sum of its top_k / top_groups best experts (V3, section 2.1.2,
        node-limited routing), in the classical router as its best one (V2, section 2.2.2).
        """
        config = self.config
        if config.top_groups < config.n_groups:
            grouped = wanted.view(*wanted.shape[:-1], config.n_groups, -1)
            n_best = config.top_k // config.top_groups if config.router == "sigmoid" else 1
            n_best = min(max(1, n_best), grouped.shape[-1])
            best = grouped.topk(n_best, dim=-1).values.sum(dim=-1)
            allowed = _top(best, config.top_groups)[..., None].expand_as(grouped).flatten(-2)
            wanted = wanted.masked_fill(~allowed, -math.inf)
        return _top(wanted, config.top_k)


def _top(values: Tensor, k: int) -> Tensor:
    """True for the k largest along the last axis."""
    places = values.topk(k, dim=-1).indices
    return torch.zeros_like(values, dtype=torch.bool).scatter(-1, places, True)


class MixtureOfExperts(nn.Module):
    """The feed-forward part as shared experts plus the chosen ones of many. Equation (12).

    h = Σ shared(x) + Σ gate · expert(x). The tokens of one expert are computed together, so that an
    expert is one matrix product however the tokens are spread; an expert nobody chose costs nothing
    and gets no gradient.
    """

    def __init__(self, config: BeyondConfig) -> None:
        super().__init__()
        self.router = Router(config)
        self.experts = nn.ModuleList(
            SwiGLU(config.d_model, config.d_expert) for _ in range(config.n_experts)
        )
        # shared experts side by side are one wider expert
        width = config.n_shared * config.d_expert
        self.shared = SwiGLU(config.d_model, width) if config.n_shared else None

    def forward(self, x: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """(B, T, d_model) → (B, T, d_model)."""
        affinities = tap("hook_router_scores", self.router.affinities(x))
        gates = tap("hook_gates", self.router.gates(affinities))  # (B, T, n_experts)
        if tap.touches("hook_expert_out"):
            out = tap("hook_expert_out", self.expert_outputs(x, gates)).sum(dim=-2)
        else:
            out = self.routed(x.flatten(0, 1), gates.flatten(0, 1)).view_as(x)
        if self.shared is None:
            return out
        return out + tap("hook_shared_out", self.shared(x))

    def routed(self, x: Tensor, gates: Tensor) -> Tensor:
        """What the chosen experts write: (N, d_model) and (N, n_experts) → (N, d_model)."""
        experts, tokens = gates.T.nonzero(as_tuple=True)  # sorted by expert
        loads = torch.bincount(experts, minlength=len(self.experts)).tolist()
        written = [
            expert(rows)
            for expert, rows in zip(self.experts, torch.split(x[tokens], loads), strict=True)
            if len(rows)
        ]
        if not written:
            return torch.zeros_like(x)
        weighted = torch.cat(written) * gates[tokens, experts][:, None]
        return weighted.new_zeros(x.shape).index_add(0, tokens, weighted)

    def expert_outputs(self, x: Tensor, gates: Tensor) -> Tensor:
        """The same, expert by expert: (B, T, n_experts, d_model), 0 where one was not chosen."""
        out = x.new_zeros(*gates.shape, x.shape[-1])
        for index, expert in enumerate(self.experts):
            chosen = gates[..., index] != 0
            out[..., index, :][chosen] = expert(x[chosen]) * gates[..., index][chosen][:, None]
        return out
