"""How times and memory are measured: contenders in turn, in changing order, medians, ratios."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

PROJECT = Path(__file__).resolve().parents[1]
QUIET_PACE = 1.25
"""Up to this pace the machine counts as quiet."""
_LOOP = """
import os, sys, time
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {int(sys.argv[1])})
for _ in sys.stdin:
    began = time.perf_counter()
    sum(i * i for i in range(100_000))
    print(time.perf_counter() - began, flush=True)
"""


def medians(tasks: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each task, one warm-up first.

    All tasks run once a round, beginning with another one each time, so that whatever else the
    machine does falls on all of them alike.

    Args:
        tasks: By name; called with the number of the round, from which it makes its input.
        rounds: How often each is timed.
    """
    times: dict[str, list[float]] = {name: [] for name in tasks}
    names = list(tasks)
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            began = time.perf_counter()
            tasks[name](number)
            if number >= 0:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in times.items()}


class Pace:
    """How slow the machine is just now; 1 is the best it ever was while this looked.

    Neighbours on a shared server can halve its speed for a second or for hours, unseen by the
    processor times of this machine. So on each of its cores a process computes the same sum
    whenever asked, all at once; the slowest core counts.
    """

    def __init__(self) -> None:
        """Starts the processes, and looks for the best pace for two seconds."""
        self._best = math.inf
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-c", _LOOP, str(core)], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            for core in range(os.cpu_count() or 1)
        ]  # fmt: skip
        until = time.monotonic() + 2
        while time.monotonic() < until:
            self.now()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.communicate()

    def now(self) -> float:
        """The pace of this moment; it takes some hundredths of a second."""
        for process in self._processes:
            print(file=process.stdin, flush=True)
        answers = [process.stdout for process in self._processes if process.stdout]
        seconds = [float(answer.readline()) for answer in answers]
        self._best = min(self._best, *seconds)
        return max(seconds) / self._best

    def wait(self, seconds: float) -> float:
        """The pace once it is quiet, at the latest after so many seconds."""
        until = time.monotonic() + seconds
        while (found := self.now()) > QUIET_PACE and time.monotonic() < until:
            time.sleep(0.2)
        return found


def process_seconds(code: str) -> Callable[[int], object]:
    """A task that runs `code` in a new Python process; all packages keep their bytecode.

    Raises:
        RuntimeError: it failed; with what it wrote.
    """
    keeping = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}

    def run(_: int) -> None:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=PROJECT, env=keeping, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{code}\n{done.stderr}")

    return run


def memory_growth(warm_up: Callable[[], object], work: Callable[[], object]) -> int:
    """Bytes by which the process's memory grows, at its peak, during `work`. Linux only."""
    warm_up()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _status("VmRSS")
    kept = work()
    growth = _status("VmHWM") - before
    del kept
    return growth


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def table(rows: list[tuple[str, float | None, float | None]]) -> str:
    """Rows of what, ratio and target as a Markdown table. A ratio of None was not measured."""
    lines = ["| what | ratio | target |", "|---|---|---|"]
    for what, ratio, target in rows:
        measured = "not measured" if ratio is None else f"{ratio:.2f}"
        lines.append(f"| {what} | {measured} | {'' if target is None else f'{target:g}'} |")
    return "\n".join(lines)
