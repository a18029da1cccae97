"""What was recorded of a training, as arrays to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tokenjourney.analysis.projections import aligned, principal_plane
from tokenjourney.training.moments import Moment

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Curves:
    """The course of a training. n steps, m snapshots.

    Attributes:
        steps: (n,) numbers of the steps.
        train: (n,) loss on each step's batch, in nats per token.
        twin: (n,) the same without skip connections; empty where there is no twin.
        norms: (n, parts) lengths of the gradients.
        twin_norms: (n, parts) the same without skip connections; empty where there is no twin.
        seen_at: (m,) steps of the snapshots.
        held_out: (m,) loss on the held-out text.
    """

    steps: NDArray[np.intp]
    train: Array
    twin: Array
    norms: Array
    twin_norms: Array
    seen_at: NDArray[np.intp]
    held_out: Array


def curves(moments: Sequence[Moment]) -> Curves:
    """The curves of some moments, at least one."""
    seen = [(moment.step, moment.snapshot.held_out) for moment in moments if moment.snapshot]
    has_twin = moments[0].twin_loss is not None
    return Curves(
        steps=np.array([moment.step for moment in moments], np.intp),
        train=np.array([moment.loss for moment in moments], np.float32),
        twin=np.array([m.twin_loss for m in moments if has_twin], np.float32),
        norms=np.array([moment.norms for moment in moments], np.float32),
        twin_norms=np.array([m.twin_norms for m in moments if has_twin], np.float32),
        seen_at=np.array([step for step, _ in seen], np.intp),
        held_out=np.array([loss for _, loss in seen], np.float32),
    )


def block_lengths(norms: Array) -> Array:
    """(n, n_layers): the length of each block's gradient, from those of its two parts.

    Args:
        norms: (n, parts), in the order of `tokenjourney.training.parts.part_names`.
    """
    inside = norms[:, 2:-1]
    pairs = inside.reshape(len(norms), -1, 2)
    return np.asarray(np.sqrt(np.square(pairs).sum(-1)), np.float32)


def through_blocks(norms: Array) -> Array:
    """(n, 1 + n_layers): the length of the embedding's gradient, then those of the blocks."""
    return np.concatenate([norms[:, :1], block_lengths(norms)], axis=1)


def patterns_at(moment: Moment) -> Array:
    """(n_layers, n_heads, T, T): the patterns of a moment that has a snapshot."""
    assert moment.snapshot is not None
    return np.asarray(moment.snapshot.patterns, np.float32)


def map_limit(maps: Sequence[Array]) -> float:
    """How far any point of some maps lies out, rounded up so that axes seldom move."""
    furthest = max(float(np.abs(points).max()) for points in maps)
    step = 10.0 ** np.floor(np.log10(max(furthest, 1e-6))) / 2
    return float(np.ceil(furthest * 1.05 / step) * step)


class EmbeddingMaps:
    """Maps of an embedding that changes, each turned so that it lies as nearly as the one before.

    A principal plane may turn over from one step to the next although nothing moved; what turns
    here is the frame, never the distances between points.
    """

    def __init__(self) -> None:
        """No maps yet."""
        self.steps: list[int] = []
        self.points: list[Array] = []
        self.shares: list[Array] = []

    def add(self, step: int, rows: Sequence[Sequence[float]]) -> None:
        """Adds the map of (n, d_model) rows after a step; the same n each time."""
        plane = principal_plane(rows)
        points = plane.points
        if self.points:
            points = aligned(points, self.points[-1])
        self.steps.append(step)
        self.points.append(points)
        self.shares.append(plane.shares)

    def catch_up(self, moments: Sequence[Moment]) -> None:
        """Adds the maps of the moments that are not in yet."""
        done = self.steps[-1] if self.steps else -1
        for moment in moments[done + 1 :]:
            if moment.snapshot:
                self.add(moment.step, moment.snapshot.embedding)


def sharpest_head(patterns: Array) -> tuple[int, int]:
    """Block and head whose rows have, on average, the largest greatest share.

    Args:
        patterns: (n_layers, n_heads, T, T).
    """
    strength = patterns[:, :, 1:].max(-1).mean(-1)
    block, head = np.unravel_index(int(strength.argmax()), strength.shape)
    return int(block), int(head)


def strongest_shares(patterns: Array) -> float:
    """The mean over the rows of a (T, T) pattern, but the first, of the largest share in each."""
    return float(patterns[1:].max(-1).mean())
