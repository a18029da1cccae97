"""Values by key for everybody on this server: bounded in bytes, and computed once."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Any, Final, Generic, TypeVar

import numpy as np

Value = TypeVar("Value")

_WEIGHED: Final = 8  # so many items of a collection stand for all of it


class BoundedCache(Generic[Value]):
    """Values by key, the least recently used forgotten when they weigh too much together.

    A value is computed once, also when many threads ask for it at the same time. An exception is
    raised for all who waited and is not kept.
    """

    def __init__(
        self, most: int, weight: Callable[[Value], int], *, least: int = 0, grows: bool = False
    ) -> None:
        """An empty cache.

        Args:
            most: Weight that all values together may have; the newest always stays.
            weight: The weight of one value.
            least: What a value counts at least. It bounds their number: a server fills with small
                ones as well, only later.
            grows: Whether a value may grow while it is kept. It is then weighed anew each time
                somebody asks for it, so `weight` has to be quick.
        """
        self._most, self._weight, self._least, self._grows = most, weight, least, grows
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._weights: dict[Hashable, int] = {}
        self._total = 0
        self._lock = threading.Lock()
        self._flights: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """The value of `key`, computed if it is not there."""
        if (kept := self.find(key)) is not None:
            return kept
        with self._lock:
            flight = self._flights.setdefault(key, threading.Lock())
        with flight:
            if (kept := self.find(key)) is not None:
                return kept
            try:
                value = compute()
                self._keep(key, value)
            finally:
                with self._lock:
                    self._flights.pop(key, None)
        return value

    def __contains__(self, key: Hashable) -> bool:
        """Whether `key` is there now."""
        return key in self._values

    def __len__(self) -> int:
        """How many values are there."""
        return len(self._values)

    @property
    def weight(self) -> int:
        """What all values weighed together, each when it was last asked for."""
        return self._total

    def find(self, key: Hashable) -> Value | None:
        """The value of `key` if it is there, otherwise None."""
        with self._lock:
            if (kept := self._values.get(key)) is not None:
                self._values.move_to_end(key)
                if self._grows:
                    self._weigh(key, self._weight(kept))
            return kept

    def _keep(self, key: Hashable, value: Value) -> None:
        weight = self._weight(value)
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            self._weigh(key, weight)

    def _weigh(self, key: Hashable, weight: int) -> None:
        """Notes a weight, and lets go of what no longer fits. The caller holds the lock."""
        weight = max(weight, self._least)
        self._total += weight - self._weights.get(key, 0)
        self._weights[key] = weight
        while len(self._values) > 1 and self._total > self._most:
            oldest, _ = self._values.popitem(last=False)
            self._total -= self._weights.pop(oldest)


def size_of(value: Any) -> int:
    """Bytes that a value holds, with all in it: arrays, texts, collections, and their like.

    Of a long collection the first items stand for all, so that to weigh costs less than to compute.

    >>> size_of((np.zeros(1000), "text")) // 1000
    8
    """
    if isinstance(own := getattr(value, "n_bytes", None), int):
        return own
    inside: Collection[Any] = ()
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Mapping):
        inside = value.items()
    elif isinstance(value, list | tuple | AbstractSet):
        inside = value
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        inside = list(vars(value).values())
    if not inside:
        return sys.getsizeof(value)
    weighed = [size_of(item) for item in islice(inside, _WEIGHED)]
    return sys.getsizeof(value) + sum(weighed) * len(inside) // len(weighed)
