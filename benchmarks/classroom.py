"""A whole class at once: `python -m benchmarks.classroom`.

Starts one server of the app on loopback and lets people in over its websocket, as their browsers
would: each opens a link, then thinks, changes the prompt, follows another token, goes to another
page, and waits for the answer each time. Half of them work on one shared link, half on prompts of
their own. What is timed is the run on the server, from sending to its end, without the drawing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX

from benchmarks.measuring import PROJECT

SHARED = "Once upon a time there was a little"
PAGES = ("", "tokens", "embeddings", "attention", "layers", "output")
NAMES = ("Tom", "Lily", "Ben", "Mia", "Sam", "Anna", "Max", "Sue", "Tim", "Lucy")
READY = 5.0
"""Seconds after the start until the first person comes: the server imports what some pages need."""
THINGS = ("dog", "cat", "ball", "tree", "boat", "bird", "book", "cake", "hat", "fish")


@contextmanager
def serving(models: str = "") -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server of the app: its address without scheme, and its process.

    Args:
        models: Folders of checkpoints that it offers beside the bundled one.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--server.port", str(port)], cwd=PROJECT, stdout=log, stderr=log,
            env={**os.environ, "TOKENJOURNEY_MODEL_PATHS": models},
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline:
                try:
                    urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2)
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.2)
            yield f"localhost:{port}", process
        finally:
            process.terminate()
            process.wait(20)


def memory(process: subprocess.Popen[bytes]) -> int:
    """Bytes that the server holds now. Linux only."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


@dataclass
class Class:
    """What one class went through.

    Attributes:
        seconds: How long each answer took.
        errors: What went wrong, in words.
        n_bytes: What the server sent, all together.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    n_bytes: int = 0

    def share(self, percent: int) -> float:
        """The time within which this share of the answers came."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


class Person:
    """One person with a browser tab: a websocket, a page, a prompt."""

    def __init__(self, stream: websockets.ClientConnection, found: Class, number: int) -> None:
        self._stream = stream
        self._found = found
        self._random = random.Random(number)
        self._shares_link = number % 2 == 0
        self._prompt_box = ""
        self._chips = self._part = ""
        self._page = ""
        self._kept: dict[str, tuple[int, str]] = {}  # large messages: last seen in run, of part
        self._n_runs = self._longest = 0
        self.prompt = SHARED if self._shares_link else self._own_prompt()

    def _own_prompt(self) -> str:
        name, thing = self._random.choice(NAMES), self._random.choice(THINGS)
        return f"{name} had a {thing} and {self._random.randrange(100)} friends. One day {name}"

    async def opens(self, model: str = "bundled") -> None:
        """Open the link."""
        await self._run({"prompt": self.prompt, "model": model})

    async def acts(self) -> None:
        """Change the prompt, follow a token, or turn to another page."""
        choice = self._random.random()
        if choice < 0.5 and not self._shares_link:
            self.prompt = self._own_prompt()
        if choice < 0.5:
            await self.types(self.prompt)
        elif choice < 0.75:
            await self.follows(self._random.randrange(4))
        else:
            self._page = self._random.choice(PAGES)
            await self._run({"prompt": self.prompt})

    async def types(self, prompt: str) -> None:
        """Put a text into the box and press Enter."""
        self.prompt = prompt
        typed = WidgetState(id=self._prompt_box, string_value=prompt)
        await self._run({"prompt": prompt}, typed)

    async def follows(self, token: int) -> None:
        """Click on a token's chip."""
        click = json.dumps([{"event": "follow", "value": token}])
        events = f"{STREAMLIT_INTERNAL_KEY_PREFIX}_{self._chips}__events"
        await self._run(
            {"prompt": self.prompt},
            WidgetState(id=self._chips, json_value="{}"),
            WidgetState(id=events, json_trigger_value=click),
            part=self._part,
        )

    async def _run(self, query: dict[str, str], *moved: WidgetState, part: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(query)
        state.page_name = self._page
        state.page_script_hash = ""
        state.fragment_id = part
        state.cached_message_hashes.extend(self._kept)  # those the server need not send again
        state.widget_states.widgets.extend(moved)
        began = time.perf_counter()
        await self._stream.send(message.SerializeToString())
        async with asyncio.timeout(120):
            while not await self._is_last():
                pass
        self._found.seconds.append(time.perf_counter() - began)
        self._n_runs += 1
        self._kept = {
            name: (run, of)
            for name, (run, of) in self._kept.items()
            if self._n_runs - run <= self._longest or (part and part != of)
        }

    async def _is_last(self) -> bool:
        data = await self._stream.recv()
        self._found.n_bytes += len(data)
        message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if message.metadata.cacheable or kind == "ref_hash":
            name = message.ref_hash or message.hash
            of = message.delta.fragment_id or self._kept.get(name, (0, ""))[1]
            self._kept[name] = (self._n_runs, of)
        elif kind == "new_session":
            self._longest = message.new_session.config.max_cached_message_age
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            if element.WhichOneof("type") == "text_area" and element.text_area.label == "Prompt":
                self._prompt_box = element.text_area.id
            component = element.bidi_component
            if component.component_name == "tokenjourney.chips":
                self._chips, self._part = component.id, message.delta.fragment_id
            if element.WhichOneof("type") == "exception":
                self._found.errors.append(element.exception.message)
        if kind != "script_finished":
            return False
        reruns = ForwardMsg.ScriptFinishedStatus.FINISHED_EARLY_FOR_RERUN
        return message.script_finished != reruns


async def _tab(address: str, found: Class, number: int) -> Person:
    stream = await websockets.connect(
        f"ws://{address}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        origin=websockets.Origin(f"http://{address}"),
        max_size=None,
        open_timeout=60,
    )
    return Person(stream, found, number)


async def lesson(address: str, n_people: int, think: float, seconds: float) -> Class:
    """People come in over one think time, then work for so many seconds."""
    found = Class()
    end = time.monotonic() + think + seconds

    async def attend(number: int) -> None:
        chance = random.Random(number)
        await asyncio.sleep(chance.random() * think)
        try:
            person = await _tab(address, found, number)
            await person.opens()
            while time.monotonic() < end:
                await asyncio.sleep(think * (0.5 + chance.random()))
                await person.acts()
            await person._stream.close()
        except (OSError, TimeoutError, websockets.WebSocketException) as error:
            found.errors.append(f"{type(error).__name__}: {error}")

    await asyncio.gather(*map(attend, range(n_people)))
    return found


async def long_prompts(address: str, model: str, seconds: float) -> Class:
    """One more visitor, who sends one new prompt of 1,000 words after another through `model`."""
    found, words = Class(), random.Random(1)
    person = await _tab(address, found, 1)
    await person.opens(model)
    found.seconds.clear()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await person.types(" ".join(words.choices(NAMES + THINGS, k=1000)))
    await person._stream.close()
    return found


async def all_at_once(address: str, n_people: int) -> Class:
    """Everybody has the page open, and all press Enter in the same moment."""
    found = Class()
    people = [await _tab(address, found, number) for number in range(n_people)]
    for person in people:
        await person.opens()
    found.seconds.clear()
    new = [f"{person.prompt}. Then" for person in people]
    began = time.perf_counter()
    await asyncio.gather(*(p.types(text) for p, text in zip(people, new, strict=True)))
    found.seconds.append(time.perf_counter() - began)  # the last one's, so that there are two
    for person in people:
        await person._stream.close()
    return found


def main() -> None:
    """Runs the lessons one after the other against one server, and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="*", default=[30, 100])
    parser.add_argument("--think", type=float, default=5.0, help="seconds, on average")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each lesson")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="FOLDER",
        help="a checkpoint to which one more visitor sends prompts of 1,000 tokens",
    )
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    print("| class | answers | median | p95 | longest | errors | sent each | server memory |")
    print("|---|---|---|---|---|---|---|---|")
    with serving(str(options.beside or "")) as (address, process):
        time.sleep(READY)

        async def beside(n: int) -> list[Class]:
            others = lesson(address, n, options.think, options.seconds)
            long = long_prompts(address, options.beside.name, options.think + options.seconds)
            return await asyncio.gather(others, long)

        for n in options.people:
            found = asyncio.run(lesson(address, n, options.think, options.seconds))
            report(f"{n} people, think time {options.think:g} s", found, process)
            if options.beside:
                found, long = asyncio.run(beside(n))
                report(f"{n} people, and one with 1,000 tokens of a larger model", found, process)
                report("that one", long, process)
        found = asyncio.run(all_at_once(address, max(options.people)))
        report(f"{max(options.people)} people press Enter at once", found, process)


def report(what: str, found: Class, process: subprocess.Popen[bytes]) -> None:
    """One row of the table; what went wrong goes to the error output."""
    for error in found.errors[:5]:
        print(error, file=sys.stderr)
    times = (f"{found.share(p) * 1000:,.0f} ms" for p in (50, 95))
    print(
        f"| {what} | {len(found.seconds):,} | {' | '.join(times)} | {max(found.seconds):.2f} s "
        f"| {len(found.errors)} | {found.n_bytes / max(1, len(found.seconds)) / 1024:,.0f} KiB "
        f"| {memory(process) / 2**20:,.0f} MiB |",
        flush=True,
    )


if __name__ == "__main__":
    main()
