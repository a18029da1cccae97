"""One run at a time: a hundred at once are slower than a hundred one after the other.

Python computes in one thread at a time. Runs that share it step by step all end late, and the
thread that sends their pictures waits for its turn as well.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import streamlit as st

LONG: Final = 0.3
"""Seconds after which a run no longer keeps others waiting."""


class Places:
    """So many may be inside; others wait in order. Who is inside for long does not count."""

    def __init__(self, n: int, long: float = LONG, now: Callable[[], float] = time.monotonic):
        """All places are free.

        Args:
            n: How many may be inside, not counting those who are there for long.
            long: Seconds after which somebody is.
            now: The clock.
        """
        self._n, self._long, self._now = n, long, now
        self._inside: dict[int, float] = {}  # when each thread came in
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @property
    def crowded(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for this thread, as soon as one is free; inside another `one` it is that one."""
        me = threading.get_ident()
        if me in self._inside:
            yield
            return
        self._come(me)
        try:
            yield
        finally:
            with self._lock:
                del self._inside[me]
                self._call_first()

    def _come(self, me: int) -> None:
        called = threading.Event()
        with self._lock:
            self._waiting.append(called)
        try:
            while True:
                with self._lock:
                    first = self._waiting[0] is called
                    if first and (wait := self._until_free()) <= 0:
                        self._inside[me] = self._now()
                        return
                called.wait(wait if first else None)
                called.clear()
        finally:
            with self._lock:
                self._waiting.remove(called)
                self._call_first()

    def _call_first(self) -> None:
        """Only the first one is woken: to wake a hundred costs more than a run."""
        if self._waiting:
            self._waiting[0].set()

    def _until_free(self) -> float:
        """Seconds until somebody inside no longer counts; 0 where there is a place now."""
        came = sorted(self._inside.values())[-self._n :]
        return 0.0 if len(came) < self._n else came[0] + self._long - self._now()


@st.cache_resource(show_spinner=False)
def places() -> Places:
    """The one place of this server."""
    return Places(1)
