"""Direct logit attribution: which part of the model pushed a token's logit up or down.

The residual stream is a sum, and after the final LayerNorm, with its scale taken as it came out,
the logit is linear in it; so the logit is the sum of what each part wrote, read along one
direction (Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021; the frozen
scale as in TransformerLens's `logit_attrs`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenjourney.journey import Journey
    from tokenjourney.model import Model

Array = NDArray[np.float32]

WRITTEN: Final = ("result", "attn_out", "mlp_out")
"""What a block writes into the stream: each head, its attention in all, its feed-forward part."""


@dataclass(frozen=True, eq=False)
class Attribution:
    """The parts of one logit. They sum to `total`.

    Attributes:
        embedding: From the token's row of W_E.
        position: From the position's row of W_pos.
        heads: (n_layers, n_heads), from what each head writes.
        attention_bias: (n_layers,), from what attention writes beside its heads: the output bias.
        mlp: (n_layers,), from what each feed-forward part writes.
        final_bias: From the bias of the final LayerNorm.
        total: The logit itself, or the difference of two.
    """

    embedding: float
    position: float
    heads: Array
    attention_bias: Array
    mlp: Array
    final_bias: float
    total: float

    @property
    def attention(self) -> Array:
        """(n_layers,): what each block's attention wrote, heads and bias together."""
        return np.asarray(self.heads.sum(1) + self.attention_bias, np.float32)

    @property
    def parts_sum(self) -> float:
        """The sum of all parts; `total` up to rounding."""
        inner = np.sum(self.attention, dtype=np.float64) + np.sum(self.mlp, dtype=np.float64)
        return float(self.embedding + self.position + inner + self.final_bias)

    def strongest(self, n: int, sign: int = 1) -> tuple[tuple[int, int | None, float], ...]:
        """The n heads and feed-forward parts that push most, as (block, head, push).

        Args:
            n: How many at most.
            sign: 1 for those that push up, −1 for those that push down.

        Returns:
            The strongest first; head is None for a block's feed-forward part.
        """
        parts: list[tuple[int, int | None, float]] = [
            (block, None, float(value)) for block, value in enumerate(self.mlp)
        ]
        for (block, head), value in np.ndenumerate(self.heads):
            parts.append((block, head, float(value)))
        pushing = [part for part in parts if part[2] * sign > 0]
        return tuple(sorted(pushing, key=lambda part: -abs(part[2]))[:n])


def logit_direction(model: Model, token_id: int, against: int | None = None) -> Array:
    """(d_model,): the column of W_U along which a token's logit is read.

    Args:
        model: The model.
        token_id: The token.
        against: Another token: the direction then reads the logit of the first minus its logit.
    """
    column = model.W_U[:, token_id]
    return np.asarray(column if against is None else column - model.W_U[:, against])


@dataclass(frozen=True, eq=False)
class Writers:
    """All that was written into the residual stream of one position, by who wrote it.

    Attributes:
        embedding: (d_model,) the token's row of W_E.
        position: (d_model,) the position's row of W_pos.
        heads: (n_layers, n_heads, d_model).
        attention: (n_layers, d_model), all heads and the output bias together.
        mlp: (n_layers, d_model).
        scale: What the final LayerNorm divides by there.
    """

    embedding: Array
    position: Array
    heads: Array
    attention: Array
    mlp: Array
    scale: float


def writers(journey: Journey, position: int) -> Writers:
    """Who wrote what into one position.

    Args:
        journey: The journey.
        position: From 0.
    """
    rows = [
        journey.passing_at(position, block, *WRITTEN) for block in range(journey.config.n_layers)
    ]
    adds_positions = "hook_pos_embed" in journey.names  # a model that rotates them adds none
    return written(
        embedding=np.array(journey["hook_embed"][position]),
        position=np.array(journey["hook_pos_embed"][position]) if adds_positions else None,
        blocks=rows,
        scale=float(journey["ln_final.hook_scale"][position, 0]),
    )


def written(
    embedding: Array, position: Array | None, blocks: Sequence[Sequence[Array]], scale: float
) -> Writers:
    """`Writers` from what stands at one position.

    Args:
        embedding: (d_model,) the token's row of W_E.
        position: (d_model,) the position's row of W_pos; None where the model adds none.
        blocks: For each block its rows of `WRITTEN`.
        scale: What the final LayerNorm divides by.
    """
    heads, attention, mlp = (np.stack(part) for part in zip(*blocks, strict=True))
    if position is None:
        position = np.zeros_like(embedding)
    return Writers(embedding, position, heads, attention, mlp, scale)


def direct_logit_attribution(
    model: Model,
    journey: Journey,
    position: int,
    token_id: int,
    against: int | None = None,
    wrote: Writers | None = None,
) -> Attribution:
    """What each part of the model adds to a token's logit after one position.

    LayerNorm takes the mean out of the vector, divides by `scale`, multiplies by the gain. With
    the scale as it came out, each part x contributes (x − mean(x)) ÷ scale · gain · W_U[token].

    Args:
        model: The model that the journey went through.
        journey: The journey.
        position: From 0.
        token_id: The token.
        against: Another token, to attribute the difference of both logits.
        wrote: `writers` of this position, where they are known already.
    """
    wrote = wrote or writers(journey, position)
    column = logit_direction(model, token_id, against)
    along = column * model.parameter("ln_final.gain")
    along = (along - along.mean()) / wrote.scale  # taking the mean out of x or of it is one
    logits = journey.logits_at(position)
    other = 0.0 if against is None else float(logits[against])
    return Attribution(
        embedding=float(wrote.embedding @ along),
        position=float(wrote.position @ along),
        heads=wrote.heads @ along,
        attention_bias=(wrote.attention - wrote.heads.sum(1)) @ along,
        mlp=wrote.mlp @ along,
        final_bias=float(column @ model.parameter("ln_final.bias")),
        total=float(logits[token_id]) - other,
    )


@dataclass(frozen=True, eq=False)
class Readout:
    """How one logit is read from one residual vector, number by number.

    Attributes:
        residual: (d_model,) after the last block.
        scale: What the final LayerNorm divides by.
        normalised: (d_model,) after the final LayerNorm, gain and bias.
        column: (d_model,) the token's column of W_U.
        products: (d_model,) normalised × column; they sum to the logit.
        logit: The token's logit.
    """

    residual: Array
    scale: float
    normalised: Array
    column: Array
    products: Array
    logit: float

    @property
    def lengths(self) -> tuple[float, float, float]:
        """Lengths of the residual vector, of the normalised one, and of the column."""
        a, b, c = (float(np.linalg.norm(x)) for x in (self.residual, self.normalised, self.column))
        return a, b, c


def logit_readout(model: Model, journey: Journey, position: int, token_id: int) -> Readout:
    """The last two steps for one token: final LayerNorm, then the product with its column of W_U.

    Args:
        model: The model that the journey went through.
        journey: The journey.
        position: From 0.
        token_id: The token whose logit is read.
    """
    normalised = journey["ln_final.hook_normalized"][position]
    column = model.W_U[:, token_id]
    return Readout(
        residual=journey["resid_post", journey.config.n_layers - 1][position],
        scale=float(journey["ln_final.hook_scale"][position, 0]),
        normalised=normalised,
        column=np.asarray(column),
        products=normalised * column,
        logit=float(journey.logits_at(position)[token_id]),
    )
