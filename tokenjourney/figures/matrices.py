"""What is done to a matrix before it is drawn: the range of its scale, and merging of cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.text import count
from tokenjourney.figures.theme import FigureError

Array = NDArray[np.float32]


def as_vector(values: ArrayLike, name: str = "values") -> Array:
    """The values as a float32 vector.

    Raises:
        FigureError: it has another number of axes, or no number in it.
    """
    return _as_array(values, name, 1)


def as_matrix(values: ArrayLike, name: str = "values") -> Array:
    """The values as a float32 matrix.

    Raises:
        FigureError: it has another number of axes, or no number in it.
    """
    return _as_array(values, name, 2)


def require_same_length(**parts: object) -> None:
    """Check that several sequences belong together.

    Raises:
        FigureError: their lengths differ; the message names each with its length.
    """
    lengths = {name: len(part) for name, part in parts.items()}  # type: ignore[arg-type]
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise FigureError(f"These belong together and must be equally long, but {said}.")


def symmetric_limit(*arrays: ArrayLike, percentile: float = 99.0) -> float:
    """The limit L of a scale from −L to +L: the 99th percentile of all absolute values, never 0.

    Infinite values (masked scores) and NaN are left out. Pass all strips that are compared, so
    that they share it.

    >>> symmetric_limit([-4.0, 1.0, 2.0], percentile=100)
    4.0
    """
    values = np.concatenate([np.abs(np.asarray(a, dtype=np.float32)).ravel() for a in arrays])
    values = values[np.isfinite(values)]
    limit = float(np.percentile(values, percentile)) if values.size else 0.0
    return limit or float(values.max(initial=0.0)) or 1.0


@dataclass(frozen=True, eq=False)
class Downsampled:
    """A matrix with fewer cells, and what was done to it.

    `values[i, j]` is the mean of rows `row_starts[i]` up to the next start, and columns likewise.
    `statement` says so in words, and is empty when nothing was done.
    """

    values: Array
    row_starts: NDArray[np.intp]
    column_starts: NDArray[np.intp]
    statement: str


def downsampled(matrix: ArrayLike, max_cells: int = 250_000) -> Downsampled:
    """A matrix of at most `max_cells` cells, each the mean of a rectangle of the original.

    The longer side is merged first, so that cells stay as square as the original allows.

    >>> downsampled([[1.0, 3.0], [5.0, 7.0]], max_cells=1).values
    array([[4.]], dtype=float32)
    """
    values = as_matrix(matrix, "matrix")
    rows, columns = values.shape
    row_step = column_step = 1
    while -(-rows // row_step) * -(-columns // column_step) > max(max_cells, 1):
        if rows / row_step >= columns / column_step:
            row_step += 1
        else:
            column_step += 1
    row_starts = np.arange(0, rows, row_step)
    column_starts = np.arange(0, columns, column_step)
    if row_step == column_step == 1:
        return Downsampled(values, row_starts, column_starts, "")
    sums = np.add.reduceat(np.add.reduceat(values, row_starts, axis=0), column_starts, axis=1)
    row_sizes = np.diff(np.append(row_starts, rows))
    column_sizes = np.diff(np.append(column_starts, columns))
    means = (sums / np.outer(row_sizes, column_sizes)).astype(np.float32)
    statement = (
        f"{count(rows)} × {count(columns)} numbers are too many to draw: "
        f"each cell is the mean of {row_step} × {column_step} of them."
    )
    return Downsampled(means, row_starts, column_starts, statement)


def _as_array(values: ArrayLike, name: str, axes: int) -> Array:
    array = np.asarray(values, dtype=np.float32)
    if array.ndim != axes or array.size == 0:
        raise FigureError(
            f"{name} has the shape {array.shape}. Expected {axes} "
            f"{'axis' if axes == 1 else 'axes'} with at least one number in it."
        )
    return array
