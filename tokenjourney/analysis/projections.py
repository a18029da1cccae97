"""Many dimensions on a flat map: principal component analysis, and maps laid on each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Projection:
    """Rows on the plane in which they differ most.

    Attributes:
        points: (n, 2), where each row lies; their mean is (0, 0).
        shares: (2,), the share of the rows' whole variance that each axis shows.
    """

    points: Array
    shares: Array


def principal_plane(rows: ArrayLike) -> Projection:
    """The first two principal components of some vectors: (n, d) → a map.

    Pearson, "On lines and planes of closest fit" (1901). An exact singular value decomposition, so
    nothing is random. The sign of an axis is free; here the row that lies furthest out along it
    lies on its positive side (the first of equals), so that the same rows always make the same map.

    Args:
        rows: At least one vector. Where they span fewer than two dimensions the missing axes are 0.
    """
    vectors = np.asarray(rows, np.float64)
    points = np.zeros((len(vectors), 2))
    shares = np.zeros(2)
    spread = vectors - vectors.mean(axis=0)
    size = float(np.abs(spread).max(initial=0.0))
    n_axes = min(2, len(vectors), vectors.shape[1])
    if size > 1e-12 * max(float(np.abs(vectors).max(initial=0.0)), 1e-30):
        pca = PCA(n_components=n_axes, svd_solver="full")
        points[:, :n_axes] = pca.fit_transform(vectors)
        shares[:n_axes] = pca.explained_variance_ratio_
        empty = shares < 1e-12
        points[:, empty], shares[empty] = 0.0, 0.0
    for axis in range(2):
        sizes = np.abs(points[:, axis])
        furthest = np.flatnonzero(sizes >= sizes.max() * (1 - 1e-6))[0]
        if points[furthest, axis] < 0:
            points[:, axis] *= -1
    found = Projection(points.astype(np.float32), shares.astype(np.float32))
    found.points.setflags(write=False)
    found.shares.setflags(write=False)
    return found


def aligned(points: Array, reference: Array) -> Array:
    """A map turned, and mirrored where that helps, to lie as nearly as it can on another.

    Distances within it stay. Schönemann, "A generalized solution of the orthogonal Procrustes
    problem" (1966): the orthogonal R that makes ‖points · R − reference‖ smallest is U Vᵀ of the
    singular value decomposition U S Vᵀ of pointsᵀ · reference.

    Args:
        points: (n, 2), the map to turn.
        reference: (n, 2), where the same points lay before.
    """
    left, _, right = np.linalg.svd(points.T.astype(np.float64) @ reference.astype(np.float64))
    turned = np.asarray(points @ (left @ right), np.float32)
    turned.setflags(write=False)
    return turned
