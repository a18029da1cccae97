"""What a Journey has derived so far, in bounded memory."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Derived:
    """What a Journey has derived, up to a number of bytes; what was asked for longest ago goes."""

    def __init__(self, max_bytes: int) -> None:
        """Empty; the group put in last stays even where it alone is larger."""
        self._max_bytes = max_bytes
        self._groups: OrderedDict[str, dict[str, Array]] = OrderedDict()
        self._lock = threading.Lock()
        self.n_bytes = 0
        """Size of all arrays together."""

    def get(self, key: str) -> dict[str, Array]:
        """The arrays of a group by name; none where it was not derived, or has gone."""
        with self._lock:
            if key in self._groups:
                self._groups.move_to_end(key)
            return self._groups.get(key, {})

    def put(self, key: str, value: dict[str, Array]) -> None:
        """Keeps a group, and lets go of what no longer fits."""
        with self._lock:
            self.n_bytes += _size(value) - _size(self._groups.pop(key, {}))
            self._groups[key] = value
            while self.n_bytes > self._max_bytes and len(self._groups) > 1:
                self.n_bytes -= _size(self._groups.popitem(last=False)[1])


def _size(group: dict[str, Array]) -> int:
    return sum(array.nbytes for array in group.values())
