"""One block, step by step: what each step makes of one token's vector.

Ba, Kiros and Hinton, "Layer Normalization" (2016); Srivastava et al., "Dropout" (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.neighbours import cosines_of_rows
from tokenjourney.errors import HookError

if TYPE_CHECKING:
    from tokenjourney.journey import Journey

Array = NDArray[np.float32]

Kind = Literal["stream", "inner", "added", "passes"]

STEPS: Final[dict[str, tuple[Kind, str]]] = {
    "resid_pre": ("stream", "resid_pre"),
    "ln1.normalized": ("inner", "resid_pre"),
    "attn_out": ("added", "resid_pre"),
    "dropout1": ("passes", "attn_out"),
    "resid_mid": ("stream", "resid_pre"),
    "ln2.normalized": ("inner", "resid_mid"),
    "mlp_out": ("added", "resid_mid"),
    "dropout2": ("passes", "mlp_out"),
    "resid_post": ("stream", "resid_mid"),
}
"""The steps of a block in forward order: what kind each is, and the step that it is compared with.

All but the dropouts are activations of the run. "stream" is the residual stream, "inner" what a
part sees of it, "added" what a part adds, "passes" what changes nothing in this run.
"""


def norms(vectors: Array) -> Array:
    """(…,): the length of each vector (…, d_model).

    >>> norms(np.array([[3.0, 4.0]], np.float32))
    array([5.], dtype=float32)
    """
    return np.asarray(np.linalg.norm(vectors, axis=-1), dtype=np.float32)


def degrees(cosine: float) -> float:
    """The angle of a cosine, in degrees.

    >>> degrees(0.0), degrees(1.0)
    (90.0, 0.0)
    """
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


@dataclass(frozen=True, eq=False)
class WalkStep:
    """One step of a token's way through a block.

    Attributes:
        name: One of `STEPS`.
        kind: What kind of step it is.
        source: The step that it is compared with.
        vector: (d_model,), the token's vector after it.
        ratio: Its length, divided by that of the source.
        angle: Degrees between it and the source: at 90 it adds a new direction.
    """

    name: str
    kind: Kind
    source: str
    vector: Array
    ratio: float
    angle: float

    @property
    def length(self) -> float:
        """The vector's length."""
        return float(norms(self.vector))

    @property
    def mean(self) -> float:
        """Mean of its numbers."""
        return float(self.vector.mean(dtype=np.float64))

    @property
    def variance(self) -> float:
        """Variance of its numbers."""
        return float(self.vector.var(dtype=np.float64))


def block_walk(journey: Journey, block: int, position: int) -> dict[str, WalkStep]:
    """One token's vectors through a block, step by step, by the names of `STEPS`.

    Raises:
        HookError: there is no such block or position.
    """
    if not 0 <= position < len(journey):
        raise HookError(f"There is no position {position}: they run from 0 to {len(journey) - 1}.")
    vectors: dict[str, Array] = {}
    for name, (kind, source) in STEPS.items():
        vectors[name] = (
            vectors[source] if kind == "passes" else np.asarray(journey[name, block][position])
        )
    return {
        name: WalkStep(
            name, kind, source, vectors[name],
            float(norms(vectors[name])) / (float(norms(vectors[source])) or 1.0),
            degrees(float(cosines_of_rows([vectors[name]], [vectors[source]])[0])),
        )
        for name, (kind, source) in STEPS.items()
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class LayerNormStages:
    """One vector on its way through a LayerNorm.

    Attributes:
        before: (d_model,), as it came in.
        standardised: The same with mean 0 and variance 1.
        after: With the learned gain and bias: what the next layer sees.
    """

    before: Array
    standardised: Array
    after: Array


def layer_norm_stages(x: Array, scale: float, gain: Array, bias: Array) -> LayerNormStages:
    """The three pictures of a LayerNorm: before; standardised; after gain and bias.

    Args:
        x: (d_model,), what comes in.
        scale: √(variance + ε), as the run computed it (`ln1.hook_scale`).
        gain: (d_model,), learned.
        bias: (d_model,), learned.

    >>> stages = layer_norm_stages(np.array([1.0, 3.0]), 1.0, np.ones(2), np.zeros(2))
    >>> stages.standardised
    array([-1.,  1.], dtype=float32)
    """
    standardised = np.asarray((x - x.mean(dtype=np.float64)) / scale, dtype=np.float32)
    after = np.asarray(standardised * gain + bias, dtype=np.float32)
    return LayerNormStages(x, standardised, after)


@dataclass(frozen=True, eq=False)
class DropoutExample:
    """One vector as training would see it.

    Attributes:
        kept: (d_model,) bool, what the mask lets through.
        values: The vector with the rest set to 0 and what is kept multiplied by `factor`.
        factor: 1 / (1 − rate).
    """

    kept: NDArray[np.bool_]
    values: Array
    factor: float

    @property
    def zeroed(self) -> int:
        """How many numbers the mask sets to 0."""
        return int((~self.kept).sum())

    @property
    def drawn(self) -> Array:
        """The values, with NaN for those set to 0, so that a figure can leave them empty."""
        return np.where(self.kept, self.values, np.float32(np.nan))


def dropout_example(x: Array, rate: float, seed: int) -> DropoutExample:
    """A mask as training draws one, here for illustration: at inference dropout does nothing.

    What is kept grows by 1 / (1 − rate), so that the sum stays the same on average.

    Raises:
        HookError: the rate is not from 0 to below 1.

    >>> dropout_example(np.ones(4, np.float32), 0.0, seed=0).values
    array([1., 1., 1., 1.], dtype=float32)
    """
    if not 0 <= rate < 1:
        raise HookError(f"A dropout rate of {rate} has no meaning: give one from 0 to below 1.")
    kept = np.random.default_rng(seed).random(x.shape) >= rate
    factor = 1 / (1 - rate)
    values = np.where(kept, x * np.float32(factor), np.float32(0))
    return DropoutExample(kept, values, factor)
