"""Runs one at a time: who waits, in which order, and who is no longer waited for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tokenjourney.ui.places import Places

SOON = 20.0  # seconds in which a thread that may go on has long done so


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


class Visitor(threading.Thread):
    """Takes a place, and leaves when told to."""

    def __init__(self, places, order):
        super().__init__(daemon=True)
        self._places, self._order = places, order
        self.inside, self.leave = threading.Event(), threading.Event()
        self.start()

    def run(self):
        with self._places.one():
            self._order.append(self)
            self.inside.set()
            self.leave.wait(SOON)


def _wait_for(places, n):
    """Until so many are waiting, so that they came in the order of this test."""
    end = time.monotonic() + SOON
    while len(places._waiting) != n:
        assert time.monotonic() < end
        time.sleep(0.001)


def _waiting(places, order, n):
    visitors = []
    for number in range(n):
        visitors.append(Visitor(places, order))
        _wait_for(places, number + 1)
    return visitors


def test_it_is_crowded_while_anybody_waits():
    places, order = Places(1, now=Clock()), []
    first = Visitor(places, order)
    assert first.inside.wait(SOON)
    assert not places.crowded
    (second,) = _waiting(places, order, 1)
    assert places.crowded
    first.leave.set()
    assert second.inside.wait(SOON)
    assert not places.crowded
    second.leave.set()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_as_many_are_inside_as_there_are_places_and_they_come_in_order(n):
    places, order = Places(n, now=Clock()), []
    first = [Visitor(places, order) for _ in range(n)]
    assert all(visitor.inside.wait(SOON) for visitor in first)
    later = _waiting(places, order, 4)
    assert not any(visitor.inside.is_set() for visitor in later)
    for leaving, coming in zip([*first, *later], later, strict=False):
        leaving.leave.set()
        leaving.join(SOON)
        if leaving is first[0] or n == 1:
            assert coming.inside.wait(SOON)
    for visitor in later:
        visitor.leave.set()
        visitor.join(SOON)
    assert order[n:] == later


def test_who_is_inside_for_long_keeps_nobody_waiting():
    clock = Clock()
    places, order = Places(1, long=0.3, now=clock), []
    long, next_one = Visitor(places, order), None
    assert long.inside.wait(SOON)
    (next_one,) = _waiting(places, order, 1)
    assert not next_one.inside.is_set()
    clock.seconds = 0.31
    assert next_one.inside.wait(SOON)  # it looks again by itself
    third = Visitor(places, order)
    _wait_for(places, 1)
    long.leave.set()
    long.join(SOON)
    assert not third.inside.is_set()  # the one that came in meanwhile has the place
    next_one.leave.set()
    assert third.inside.wait(SOON)
    third.leave.set()


def test_a_place_inside_a_place_is_the_same_one():
    places = Places(1, now=Clock())
    with places.one():
        with places.one():
            assert len(places._inside) == 1
        assert len(places._inside) == 1
    assert not places._inside


def test_an_error_leaves_the_place_free():
    places = Places(1, now=Clock())
    with pytest.raises(ValueError, match="stopped"), places.one():
        raise ValueError("stopped")
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: places.one().__enter__() is None).result(SOON)
