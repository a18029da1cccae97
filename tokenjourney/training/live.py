"""Trainings that run beside a server: bounded, watched, paused, stopped, and never left behind.

Each runs in a process of its own (worker.py), so that the server's own threads never wait for it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final, Literal

from tokenjourney.model.config import GPT2Config
from tokenjourney.training.moments import FAILED, Beginning, MicroSettings, Moment, from_record

State = Literal["waiting", "starting", "running", "paused", "done", "stopped", "failed"]

MOST_SECONDS: Final = 600.0
"""How long a training may take, pauses included."""
GRACE_SECONDS: Final = 15.0
"""How long a visitor may be away, as when a connection breaks, before the training ends."""
_LOOK_SECONDS: Final = 0.5
_PROJECT: Final = Path(__file__).resolve().parents[2]


class LiveRun:
    """One training, and what was recorded of it.

    Attributes:
        settings: What was asked for.
        state: "waiting" for a place, "starting", "running" or "paused"; then "done", "stopped" (by
            the reader, the clock, or because the reader left) or "failed".
        message: Why it was stopped or failed.
        beginning: Known once it runs.
        moments: One a step, in order. Only ever grows.
    """

    def __init__(
        self, settings: MicroSettings, places: threading.Semaphore, is_there: Callable[[], bool]
    ) -> None:
        """Starts it as soon as there is a place; `Workshop.start` calls this."""
        self.settings = settings
        self.state: State = "waiting"
        self.message = ""
        self.beginning: Beginning | None = None
        self.moments: list[Moment] = []
        self._places, self._is_there = places, is_there
        self._last_seen = time.monotonic()
        self._free, self._stopping = threading.Event(), threading.Event()
        self._free.set()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="training", daemon=True)
        self._thread.start()

    @property
    def config(self) -> GPT2Config:
        """The sizes of what is trained, once it is known."""
        assert self.beginning is not None
        return self.settings.config(len(self.beginning.vocabulary))

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be recorded."""
        return self.state in ("done", "stopped", "failed")

    def pause(self) -> None:
        """Stands still after the current step."""
        if self.state == "running":
            self._free.clear()
            self.state = "paused"

    def go_on(self) -> None:
        """Goes on after a pause."""
        if self.state == "paused":
            self.state = "running"
            self._free.set()

    def stop(self, message: str = "") -> None:
        """Ends it for good; what was recorded stays."""
        self.message = self.message or message
        self._stopping.set()
        self._free.set()
        if (process := self._process) is not None:
            process.kill()

    def wait(self, seconds: float) -> bool:
        """Waits until it is over, at most so long; whether it is."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._places.acquire(timeout=_LOOK_SECONDS):
            if self._must_end():
                self.state = "stopped"
                return
        try:
            self.state = "starting"
            self._train()
        finally:
            self._places.release()

    def _train(self) -> None:
        command = [sys.executable, "-m", "tokenjourney.training.worker"]
        with subprocess.Popen(
            command, cwd=_PROJECT, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True,
            encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            self._process = process
            try:
                self._listen(process)
            except BrokenPipeError:
                pass  # it ended first; what follows tells why
            finally:
                process.kill()
        if not self.is_over:
            self.state = "stopped" if self._stopping.is_set() else "failed"
            self.message = self.message or (
                "" if self._stopping.is_set() else "The training's process ended. Start it again."
            )

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Records line after line, and lets the worker go on after each."""
        assert process.stdin is not None
        assert process.stdout is not None
        orders, began = process.stdin, time.monotonic()
        orders.write(json.dumps(asdict(self.settings)) + "\n")
        orders.flush()
        for line in process.stdout:
            record = json.loads(line)
            if record["kind"] == FAILED:
                self.message, self.state = record["message"], "failed"
                return
            self._keep(from_record(record))
            if len(self.moments) > self.settings.steps:
                self.state = "done"
                return
            while not self._free.wait(_LOOK_SECONDS):
                if self._must_end() or time.monotonic() - began > MOST_SECONDS:
                    break
            if time.monotonic() - began > MOST_SECONDS:
                self.stop(f"A training ends after {MOST_SECONDS / 60:.0f} minutes.")
            if self._must_end():
                return
            orders.write("\n")
            orders.flush()

    def _keep(self, found: Beginning | Moment) -> None:
        if isinstance(found, Beginning):
            self.beginning = found
            if self.state == "starting":
                self.state = "running"
        else:
            self.moments.append(found)

    def _must_end(self) -> bool:
        now = time.monotonic()
        if self._is_there():
            self._last_seen = now
        elif now - self._last_seen > GRACE_SECONDS:
            self.stop("The visitor left.")
        return self._stopping.is_set()


class Workshop:
    """All trainings of a server: some run at once, the others wait for a place.

    Args:
        most: How many run at once; half of the processor's cores unless given, at least one.
    """

    def __init__(self, most: int | None = None) -> None:
        """An empty workshop."""
        self.most = most or max(1, (os.cpu_count() or 2) // 2)
        self._places = threading.Semaphore(self.most)

    def start(self, settings: MicroSettings, is_there: Callable[[], bool]) -> LiveRun:
        """Begins a training, or queues it.

        Args:
            settings: What to train.
            is_there: Whether the one who asked for it still is; when not, it ends.
        """
        return LiveRun(settings, self._places, is_there)
