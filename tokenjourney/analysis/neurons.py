"""The feed-forward part, neuron by neuron: how strongly each fires and what it pushes.

A neuron is one of the d_mlp dimensions between the two matrices. What it adds to the residual
stream is its activation times its row of W_down: Geva et al., "Transformer Feed-Forward Layers
Build Predictions by Promoting Concepts in the Vocabulary Space" (2022), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.attention import Pushed, direct_effect, strongest_pushes

Array = NDArray[np.float32]


def gelu(x: Array) -> Array:
    """GELU in GPT-2's tanh form: 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    For drawing the curve; the points on it are the run's own. Hendrycks and Gimpel, "Gaussian
    Error Linear Units" (2016), section 2.

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1588,  0.    ,  0.8412])
    """
    return np.asarray(0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))


def gelu_curve(pre: Array, points: int = 241) -> tuple[Array, Array]:
    """The curve as x and y, over the range that some activations need, and at least −4 to 4.

    Args:
        pre: The activations before GELU that are to lie on it.
        points: How many points the curve has.
    """
    low = min(-4.0, float(pre.min()) * 1.05)
    high = max(4.0, float(pre.max()) * 1.05)
    x = np.linspace(low, high, points, dtype=np.float32)
    return x, gelu(x).astype(np.float32)


def strongest_positions(activations: Array, k: int) -> list[int]:
    """The positions of the `k` largest activations of one neuron, in the order of the prompt.

    A neuron that does not fire has a small negative activation, down to −0.17: that is not large.

    >>> strongest_positions(np.array([0.1, 3.0, -0.17, 2.0]), 3)
    [0, 1, 3]
    """
    order = np.argsort(-activations, kind="stable")[:k]
    return sorted(int(i) for i in order)


def writing_strengths(post: Array, W_down: Array) -> Array:
    """(…, d_mlp): the length of what each neuron adds to the residual stream, with its sign.

    Args:
        post: (…, d_mlp), activations after GELU.
        W_down: (d_mlp, d_model).
    """
    return np.asarray(post * np.linalg.norm(W_down, axis=-1), dtype=np.float32)


def strongest_neurons(post: Array, W_down: Array, k: int = 12) -> tuple[int, ...]:
    """The `k` neurons that write the longest vectors for one token, the strongest first.

    Args:
        post: (d_mlp,), activations after GELU of one token.
        W_down: (d_mlp, d_model).
        k: How many.
    """
    order = np.argsort(-np.abs(writing_strengths(post, W_down)), kind="stable")[:k]
    return tuple(int(i) for i in order)


@dataclass(frozen=True, eq=False)
class NeuronEffect:
    """What one neuron does to the scores of the vocabulary, as strongly as it fires here.

    Attributes:
        neuron: Its number, from 0 to d_mlp − 1.
        promoted: The tokens pushed up most.
        suppressed: The tokens pushed down most.
    """

    neuron: int
    promoted: Pushed
    suppressed: Pushed


def neuron_effect(
    neuron: int,
    post: Array,
    W_down: Array,
    *,
    scale: float,
    gain: Array,
    W_U: Array,
    k: int = 8,
) -> NeuronEffect:
    """What one neuron promotes and suppresses: its activation times its row of W_down, unembedded.

    Args:
        neuron: Its number.
        post: (d_mlp,), activations after GELU of one token.
        W_down: (d_mlp, d_model).
        scale: The final LayerNorm's scale at that position.
        gain: (d_model,), the gain of the final LayerNorm.
        W_U: (d_model, d_vocab).
        k: How many tokens each way.
    """
    effect = direct_effect(post[neuron] * W_down[neuron], scale, gain, W_U)
    return NeuronEffect(neuron, *strongest_pushes(effect, k))


def covered(post: Array, W_down: Array, k: int) -> float:
    """How much of all writing the strongest `k` neurons do: their share of the summed lengths."""
    lengths = np.sort(np.abs(writing_strengths(post, W_down)))[::-1]
    total = float(lengths.sum(dtype=np.float64))
    return float(lengths[:k].sum(dtype=np.float64)) / total if total else 0.0
