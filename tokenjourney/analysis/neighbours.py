"""Which rows of a matrix lie near which: cosines, nearest neighbours, word arithmetic.

Made for an embedding matrix W_E of 50,257 rows: lengths of rows can be computed once and handed
in, and a search is one matrix-vector product in float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2

Array = NDArray[np.float32]
_AT_ONCE = 32  # rows compared with all others in one product; bounds its memory


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The rows nearest to a vector, the nearest first.

    Attributes:
        rows: Their numbers in the matrix, (k,): of W_E, token IDs.
        cosines: Their cosines with the vector, (k,).
    """

    rows: NDArray[np.intp]
    cosines: Array


def row_lengths(matrix: ArrayLike) -> Array:
    """The length (Euclidean norm) of every row: (n, d) → (n,).

    >>> row_lengths([[3.0, 4.0], [0.0, 2.0]])
    array([5., 2.], dtype=float32)
    """
    rows = np.asarray(matrix, np.float32)
    return _read_only(np.sqrt(np.einsum("ij,ij->i", rows, rows)))


def cosine_similarities(
    matrix: ArrayLike, vector: ArrayLike, lengths: ArrayLike | None = None
) -> Array:
    """The cosine of the angle between every row and a vector: (n, d), (d,) → (n,).

    u · v / (|u| |v|), from −1 (opposite) to 1 (same direction). A row or vector of length 0 has no
    direction, and the cosine 0 here.

    Args:
        matrix: The rows.
        vector: What they are compared with.
        lengths: `row_lengths(matrix)`, where it is known already.

    >>> cosine_similarities([[2.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], [3.0, 0.0])
    array([ 1.,  0., -1.], dtype=float32)
    """
    rows, one = np.asarray(matrix, np.float32), np.asarray(vector, np.float32)
    known = row_lengths(rows) if lengths is None else np.asarray(lengths, np.float32)
    return _over_lengths(rows @ one, known * row_lengths(one[None]))


def cosines_of_rows(first: ArrayLike, second: ArrayLike) -> Array:
    """The cosine of each row of one array with the same row of another: (n, d), (n, d) → (n,).

    >>> cosines_of_rows([[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 0.0]])
    array([1., 0.], dtype=float32)
    """
    one, other = np.asarray(first, np.float32), np.asarray(second, np.float32)
    products = np.einsum("ij,ij->i", one, other)
    return _over_lengths(products, row_lengths(one) * row_lengths(other))


def _over_lengths(products: Array, lengths: Array) -> Array:
    """Cosines: products of vectors over the products of their lengths, 0 where one has none."""
    zero = np.zeros_like(products)
    return _read_only(np.clip(np.divide(products, lengths, out=zero, where=lengths > 0), -1, 1))


def nearest_rows(
    matrix: ArrayLike,
    vector: ArrayLike,
    k: int,
    *,
    lengths: ArrayLike | None = None,
    without: Iterable[int] = (),
) -> Neighbours:
    """The k rows with the largest cosine with a vector; equals in the order of the matrix.

    Args:
        matrix: (n, d), the rows to search, all of them.
        vector: (d,), what to search near.
        k: How many; fewer come back where fewer are left.
        lengths: `row_lengths(matrix)`, where it is known already.
        without: Rows that are left out, such as the one the vector came from.

    >>> nearest_rows([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], [1.0, 0.1], 2, without=[0]).rows
    array([2, 1])
    """
    cosines = np.array(cosine_similarities(matrix, vector, lengths))
    left_out = np.unique(np.fromiter(without, dtype=np.intp))
    cosines[left_out] = -np.inf
    count = max(0, min(k, len(cosines) - len(left_out)))
    if count == 0:
        return Neighbours(np.empty(0, np.intp), np.empty(0, np.float32))
    edge = np.partition(cosines, -count)[-count]
    among = np.flatnonzero(cosines >= edge)
    rows = among[np.argsort(-cosines[among], kind="stable")][:count]
    return Neighbours(rows, _read_only(cosines[rows]))


def nearest_others(
    matrix: ArrayLike, rows: Sequence[int], lengths: ArrayLike | None = None
) -> NDArray[np.intp]:
    """For each of some rows of a matrix the other one with the largest cosine: (n,).

    All are searched in one product, as a large matrix takes longest to be fetched.

    Args:
        matrix: (V, d), the rows to search, all of them.
        rows: Numbers of n of them.
        lengths: `row_lengths(matrix)`, where it is known already.

    >>> nearest_others([[1.0, 0.0], [0.0, 1.0], [1.0, 0.5]], [0, 1])
    array([2, 2])
    """
    searched = np.asarray(matrix, np.float32)
    known = row_lengths(searched) if lengths is None else np.asarray(lengths, np.float32)
    asked = np.asarray(rows, np.intp)
    cosines = np.array(_over_lengths(searched[asked] @ searched.T, known[asked, None] * known))
    np.put_along_axis(cosines, asked[:, None], -np.inf, 1)
    return np.asarray(cosines.argmax(1), np.intp)


def unit_rows(rows: ArrayLike) -> Array:
    """Every row brought to length 1, so that only its direction counts; a row of zeros stays."""
    vectors = np.asarray(rows, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return _read_only(np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0))


def cosine_matrix(rows: ArrayLike) -> Array:
    """The cosine of every row with every row: (n, d) → (n, n), symmetric, 1 on the diagonal.

    A row of length 0 has the cosine 0 with all, itself included.
    """
    units = unit_rows(rows)
    cosines = np.clip(units @ units.T, -1, 1)
    np.fill_diagonal(cosines, units.any(axis=1))
    return _read_only(cosines)


def arithmetic_vector(matrix: ArrayLike, plus: int, minus: int, plus_too: int) -> Array:
    """Row a − row b + row c of a matrix: (d,).

    Mikolov, Yih and Zweig, "Linguistic Regularities in Continuous Space Word Representations"
    (2013), section 4: what lies near king − man + woman?
    """
    rows = np.asarray(matrix, np.float32)
    return _read_only(rows[plus] - rows[minus] + rows[plus_too])


def neighbourhood(
    matrix: ArrayLike, rows: Iterable[int], each: int, *, lengths: ArrayLike | None = None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Some rows, and the neighbours of each that are not among them.

    Args:
        matrix: (n, d), the rows to search.
        rows: Those whose neighbours are wanted.
        each: How many neighbours of each.
        lengths: `row_lengths(matrix)`, where it is known already.

    Returns:
        The rows without repetitions, and all their neighbours without repetitions, both in the
        order in which they were found.
    """
    own = tuple(dict.fromkeys(int(row) for row in rows))
    vectors = np.asarray(matrix, np.float32)
    known = row_lengths(vectors) if lengths is None else np.asarray(lengths, np.float32)
    scale = np.where(known > 0, known, np.inf)
    found: dict[int, None] = {}
    for start in range(0, len(own) if each > 0 else 0, _AT_ONCE):
        some = list(own[start : start + _AT_ONCE])
        cosines = (vectors[some] @ vectors.T) / scale
        cosines[:, list(own)] = -np.inf
        count = min(each, len(vectors) - len(own))
        for row in cosines if count > 0 else ():
            near = np.argpartition(-row, count - 1)[:count]
            found.update(dict.fromkeys(near[np.argsort(-row[near], kind="stable")].tolist()))
    return own, tuple(found)


def untrained_embedding(config: GPT2Config, seed: int) -> Array:
    """W_E as it is before any training: what `GPT2.initialise` draws with this seed.

    W_E is the first thing drawn, so a network of one block is enough to draw it.

    Args:
        config: Sizes of the model.
        seed: Of the random numbers.

    Returns:
        (d_vocab, d_model), read-only.
    """
    network = GPT2(replace(config, n_layers=1))
    network.initialise(torch.Generator().manual_seed(seed))
    return _read_only(network.W_E.detach().numpy())


@dataclass(frozen=True)
class Overlap:
    """How much of one matrix is left in another of the same shape.

    Attributes:
        mean: The cosine of every row with the same row of the other, on average.
        by_chance: How far from 0 that average lies where the two have nothing to do with each
            other: 1/√(n·d), the standard deviation of a mean of n cosines of random directions.
    """

    mean: float
    by_chance: float

    @property
    def is_chance(self) -> bool:
        """Whether it is no more than two unrelated matrices have."""
        return abs(self.mean) < 6 * self.by_chance


def row_overlap(one: ArrayLike, other: ArrayLike) -> Overlap:
    """How much each row of a matrix still points where the same row of another one does.

    Training moves the rows of an embedding matrix, the rare tokens' but little, so a matrix that
    was trained from a start still overlaps with it.

    Args:
        one: (n, d).
        other: (n, d).

    >>> row_overlap([[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [1.0, 0.0]]).mean
    0.5
    """
    cosines = cosines_of_rows(one, other)
    return Overlap(float(cosines.mean()), float(np.size(one) ** -0.5))


def _read_only(array: Array) -> Array:
    array.setflags(write=False)
    return array
