"""The small parts that models after GPT-2 have in common."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokenjourney.model.hooks import NO_TAP, Tap


class Projection(nn.Module):
    """y = x W without a bias, with W as (d_in, d_out)."""

    def __init__(self, d_in: int, d_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d_in, d_out))

    def forward(self, x: Tensor) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        return x @ self.weight


class RMSNorm(nn.Module):
    """Brings each vector to length √d, then applies a learned gain.

    Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019): x / √(mean of x² + ε) · gain.
    """

    def __init__(self, d: int, eps: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d))
        self.eps = eps

    def forward(self, x: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """(…, d) → (…, d); torch's fused kernel where nobody asks for the scale."""
        if tap.touches("hook_scale"):
            scale = tap("hook_scale", (x.square().mean(-1, keepdim=True) + self.eps).sqrt())
            y = x / scale * self.gain
        else:
            y = F.rms_norm(x, x.shape[-1:], self.gain, self.eps)
        return tap("hook_normalized", y)


class SwiGLU(nn.Module):
    """A gated feed-forward part: d_model → d → d_model, each token alone.

    Shazeer, "GLU Variants Improve Transformer" (2020), section 2:
    (SiLU(x W_gate) ⊙ x W_up) W_down, without biases. One expert is one of these.
    """

    def __init__(self, d_model: int, d: int) -> None:
        super().__init__()
        self.gate = Projection(d_model, d)
        self.up = Projection(d_model, d)
        self.down = Projection(d, d_model)

    def forward(self, x: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """(…, d_model) → (…, d_model)."""
        post = tap("hook_post", F.silu(self.gate(x)) * self.up(x))
        out: Tensor = self.down(post)
        return out


def rotated(x: Tensor, start: int, base: float) -> Tensor:
    """Rotary position embedding: pairs of neighbouring numbers, turned by the token's position.

    Su et al., "RoFormer" (2021), section 3.2.2: pair i of position m is turned by m · base^(−2i/d).
    The product of a rotated query and a rotated key depends on how far apart they are alone.

    Args:
        x: (B, T, heads, d), d even.
        start: Position of the first token.
        base: Base of the wavelengths; 10,000 in the paper.
    """
    n_tokens, d = x.shape[1], x.shape[-1]
    frequencies = base ** (-torch.arange(0, d, 2, dtype=torch.float32) / d)
    positions = torch.arange(start, start + n_tokens, dtype=torch.float32)
    angles = torch.outer(positions, frequencies)[:, None]  # (T, 1, d / 2)
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1).flatten(-2)
