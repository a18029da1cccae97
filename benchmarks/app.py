"""How long a person waits for the app, in a real browser.

    python benchmarks/app.py --quick          the bundled model at 12 tokens
    python benchmarks/app.py                  60 tokens and a model of GPT-2 small's size, too
    python benchmarks/app.py --pages attention output --checkpoint FOLDER
    python benchmarks/app.py --quick --patience 120   with neighbours on the machine

For each page: from pressing Enter to the last change of a figure in view (`seen`), of any figure,
those further down the page included (`all`), and of anything on the page (`page`), of that the time
until the server's last message (`server`), the processor time that server and browser spent (`cpu`:
with neighbours on the machine it says more than the clock), the bytes of the rerun over the
websocket, and the same from a click on another token's chip. Medians of several rounds, each with
another prompt. The yardstick, measured in the same run, is an empty script of Streamlit's: a text
box that writes its text. `ratio` is `seen` in yardsticks.

`pace` says how slow the machine was right before and after: 1 is its best (see
`benchmarks.measuring.Pace`). With `--patience` each page, and the yardstick, is measured again for
that many seconds while the machine is not quiet; the rounds with the best pace count, whatever they
took.

Needs a Chrome or Chromium. The larger model has random weights and GPT-2's own tokenizer, whose
files come from `TOKENJOURNEY_DATA` (gpt2_bpe/encoder.json and vocab.bpe) or with `--checkpoint`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, CDPSession, Error, Page, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

import tokenjourney as tj  # noqa: E402
from benchmarks.measuring import QUIET_PACE, Pace  # noqa: E402
from tokenjourney.ui.navigation import entries  # noqa: E402

WATCH = (Path(__file__).parent / "watch.js").read_text(encoding="utf-8")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
STORY = (
    "Once upon a time there was a little girl named Lily. She had a cat and a big red ball. "
    "One day the cat took the ball and ran to the park. Lily was sad, but her mom smiled and said, "
    "“Let us look for it together.” They walked down the road and saw a boy with a dog. The dog "
    "was very fast. It ran after the cat, and the cat jumped into a tree. "
)
NAMES = ("Tom", "Ben", "Sam", "Max", "Tim", "Anna", "Mia", "Sue", "Lucy", "Jack", "Lily")
VERBS = ("saw", "found", "had", "took", "liked", "lost", "wanted")
KINDS = ("big", "red", "little", "blue", "nice", "old", "new", "small", "funny")
THINGS = ("ball", "cat", "dog", "tree", "bird", "book", "hat", "box", "toy", "car")
YARDSTICK = "import streamlit as st\nst.html(st.text_input('Prompt'))\n"
QUIET = """quiet => {
  const { watched } = window
  const state = document.querySelector('.stApp')?.dataset.testScriptState
  const last = Math.max(watched.answered, watched.figure, watched.page)
  return watched.asked && state === 'notRunning' && performance.now() - last > quiet
}"""


@dataclass(frozen=True)
class Waited:
    """What one change took: milliseconds from the press, bytes, and processor milliseconds."""

    seen: float
    figure: float
    page: float
    server: float
    server_cpu: float
    browser_cpu: float
    bytes: float
    messages: float


def median(found: list[Waited]) -> Waited:
    """The median of each number."""
    names = Waited.__dataclass_fields__
    return Waited(*(statistics.median(getattr(one, name) for one in found) for name in names))


Change = Callable[[], Waited]
"""What a person does; it returns what that took."""


class Server:
    """A Streamlit server of one script."""

    def __init__(self, script: Path, log: Path, **environment: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://localhost:{port}"
        command = [sys.executable, "-m", "streamlit", "run", str(script)]
        command += ["--server.port", str(port), "--server.headless", "true"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=os.environ | environment, stdout=out, stderr=out
            )

    def cpu(self) -> float:
        """Processor milliseconds spent so far (Linux; elsewhere 0)."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)


class Visitor:
    """One window of the browser on one server."""

    def __init__(self, browser: Browser, server: Server) -> None:
        self.server = server
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page: Page = context.new_page()
        self.page.set_default_timeout(180_000)
        self.page.add_init_script(WATCH)
        self.devtools: CDPSession = context.new_cdp_session(self.page)
        self.devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def open(self, path: str = "/", **query: str) -> Visitor:
        """Open a link, and wait until nothing changes any more; again while nobody answers."""
        while True:
            try:
                self.page.goto(f"{self.server.url}{path}?{urlencode(query)}")
                break
            except Error:
                time.sleep(0.02)
        self.quiet()
        return self

    def quiet(self, milliseconds: int = 700) -> None:
        """Wait until neither script nor figures have done anything for so long."""
        self.page.wait_for_function(QUIET, arg=milliseconds, polling=100)

    def browser_cpu(self) -> float:
        """Processor milliseconds of the page's main thread so far."""
        found = self.devtools.send("Performance.getMetrics")["metrics"]
        return 1000 * next(one["value"] for one in found if one["name"] == "TaskDuration")

    def watched(self, act: Callable[[], None]) -> Waited:
        """Does what a person does, and says what came of it."""
        self.page.evaluate("window.watched.begin()")
        server, browser = self.server.cpu(), self.browser_cpu()
        act()
        self.quiet()
        found: dict[str, Any] = self.page.evaluate("window.watched")
        since = found["pressed"]
        return Waited(
            max(found["seen"] - since, 0.0),
            max(found["figure"] - since, 0.0),
            found["page"] - since,
            found["answered"] - since,
            self.server.cpu() - server,
            self.browser_cpu() - browser,
            found["bytes"],
            found["messages"],
        )

    def write(self, text: str) -> Waited:
        """Type a text and press Enter."""
        box = self.page.get_by_label("Prompt", exact=True)
        box.fill(text)
        return self.watched(lambda: box.press("Enter"))

    def follow(self, position: int) -> Waited:
        """Click a token's chip."""
        chip = self.page.locator(".chip").nth(position)
        chip.scroll_into_view_if_needed()
        return self.watched(chip.click)


def prompt(tokenizer: tj.Tokenizer, n: int, k: int) -> str:
    """The k-th text of exactly n tokens; each begins otherwise, so that no run is a known one."""
    name, verb, kind, thing = (some[k % len(some)] for some in (NAMES, VERBS, KINDS, THINGS))
    text = f"{name} {verb} a {kind} {thing}. " + STORY * (1 + n // 40)
    while text:  # one letter more can be several tokens: then the text begins a word later
        for end in range(n, len(text)):
            found = len(tokenizer.encode(text[:end]))
            if found == n:
                return text[:end]
            if found > n:
                break
        text = text.partition(" ")[2]
    raise ValueError(f"no text of {n} tokens")


def table_row(cells: list[object]) -> None:
    """One row of the table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def numbers(found: Waited, yardstick: Waited) -> list[object]:
    """The cells of one measurement."""
    seen = found.seen or found.figure or found.page
    return [
        f"{seen:.0f}",
        f"{seen / yardstick.page:.1f}",
        f"{found.figure or found.page:.0f}",
        f"{found.page:.0f}",
        f"{found.server:.0f}",
        f"{found.server_cpu:.0f} + {found.browser_cpu:.0f}",
        f"{found.bytes / 1000:,.0f}",
    ]


@contextmanager
def serving(script: Path, folder: Path, **environment: str) -> Iterator[Server]:
    """A server for as long as it is needed."""
    server = Server(script, folder / "server.log", **environment)
    try:
        yield server
    finally:
        server.stop()


def in_best_moments(
    changes: dict[str, Change], rounds: int, pace: Pace, patience: float
) -> Iterator[tuple[str, Waited, float]]:
    """Makes each change again and again, and counts the rounds in which the machine was quickest.

    Args:
        changes: by name; made in turn.
        rounds: so many of each count.
        pace: of the machine.
        patience: so many seconds it goes on while fewer are quiet.

    Yields:
        The name of the change, what it took, and the slowest pace that counted.
    """
    found: dict[str, list[tuple[float, Waited]]] = {name: [] for name in changes}
    for change in changes.values():
        change()  # the first of each also fetches what is fetched once
    until = time.monotonic() + patience
    while True:
        for name, change in changes.items():
            before = pace.wait(min(1.0, until - time.monotonic()))
            made = change()
            found[name].append((max(before, pace.now()), made))
        quiet = min(sum(slow <= QUIET_PACE for slow, _ in some) for some in found.values())
        tried = min(map(len, found.values()))
        if tried >= rounds and (quiet >= rounds or time.monotonic() > until):
            break
    for name, some in found.items():
        best = sorted(some, key=lambda one: one[0])[:rounds]
        yield name, median([one for _, one in best]), best[-1][0]


def yardstick(browser: Browser, folder: Path, rounds: int, pace: Pace, patience: float) -> Waited:
    """The empty rerun."""
    script = folder / "empty.py"
    script.write_text(YARDSTICK, encoding="utf-8")
    with serving(script, folder) as server:
        time.sleep(2)
        visitor = Visitor(browser, server).open()
        texts = map("text {}".format, count())
        changes: dict[str, Change] = {"text": lambda: visitor.write(next(texts))}
        [(_, found, _)] = in_best_moments(changes, 2 * rounds, pace, patience)
        visitor.page.context.close()
    return found


def cold(browser: Browser, folder: Path) -> float:
    """Seconds from `streamlit run` to the first full journey on the start page."""
    began = time.time()
    with serving(PROJECT / "app.py", folder) as server:
        visitor = Visitor(browser, server).open()
        last = visitor.page.evaluate(
            "performance.timeOrigin + Math.max(window.watched.figure, window.watched.page)"
        )
        visitor.page.context.close()
    return float(last) / 1000 - began


def checkpoint(folder: Path) -> Path | None:
    """A folder with a model of GPT-2 small's size and random weights."""
    import torch

    from tokenjourney.model.checkpoints import save_checkpoint
    from tokenjourney.model.config import GPT2Config
    from tokenjourney.model.gpt2 import GPT2

    files = Path(os.environ.get("TOKENJOURNEY_DATA", ".")) / "gpt2_bpe"
    if not (files / "encoder.json").is_file():
        return None
    sizes = GPT2Config(n_layers=12, n_heads=12, d_model=768, d_vocab=50257, n_ctx=1024)
    network = GPT2(sizes)
    network.initialise(torch.Generator().manual_seed(0))
    save_checkpoint(folder, network)
    shutil.copy(files / "encoder.json", folder / "vocab.json")
    shutil.copy(files / "vocab.bpe", folder / "merges.txt")
    return folder


def measure(
    visitor: Visitor, texts: Iterator[str], n: int, pace: Pace, chosen: argparse.Namespace
) -> Iterator[tuple[str, Waited, float]]:
    """Prompt change and following on the page that is open, with prompts of n tokens.

    Yields:
        The name of the change, what it took, and the machine's pace.
    """
    positions = cycle((min(n - 1, 9) - 1, min(n - 1, 9) - 2))
    changes: dict[str, Change] = {
        "prompt": lambda: visitor.write(next(texts)),
        "token": lambda: visitor.follow(next(positions)),
    }
    return in_best_moments(changes, chosen.rounds, pace, chosen.patience)


def options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="How long a person waits for the app.")
    parser.add_argument("--quick", action="store_true", help="the bundled model at 12 tokens only")
    parser.add_argument("--pages", nargs="+", help="URL paths; start for the first (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="prompts per page (default: 5)")
    parser.add_argument("--tokens", type=int, nargs="+", help="lengths of the prompts")
    parser.add_argument("--checkpoint", type=Path, help="folder of the larger model")
    parser.add_argument("--patience", type=float, default=0, help="seconds a page waits for quiet")
    parser.add_argument("--no-cold", action="store_true", help="leave the cold start out")
    return parser.parse_args()


def cases(chosen: argparse.Namespace, folder: Path) -> list[tuple[str, Path, list[int]]]:
    """Models by their name in the link, with their folders and the lengths of the prompts."""
    bundled = PROJECT / "assets" / "models" / "tinystories"
    if chosen.quick:
        return [("bundled", bundled, chosen.tokens or [12])]
    found = [("bundled", bundled, chosen.tokens or [12, 60])]
    larger = chosen.checkpoint or checkpoint(folder / "gpt2-sized")
    if larger:
        return [*found, (larger.name, larger.absolute(), chosen.tokens or [12, 60, 512])]
    print("Without TOKENJOURNEY_DATA or --checkpoint there is no larger model to measure.")
    return found


def run(chosen: argparse.Namespace, browser: Browser, folder: Path, pace: Pace) -> None:
    """Measure, and print the tables."""
    empty = yardstick(browser, folder, chosen.rounds, pace, chosen.patience)
    print(f"Yardstick, an empty rerun: {empty.page:.0f} ms, processor {empty.server_cpu:.0f} + "
          f"{empty.browser_cpu:.0f} ms.")  # fmt: skip
    if not chosen.no_cold:
        print(f"`streamlit run` to the first full journey: {cold(browser, folder):.1f} s.")
    found = cases(chosen, folder)
    paths = [entry.path for entry in entries()]
    if chosen.pages:
        paths = ["" if path in ("start", "/") else path.strip("/") for path in chosen.pages]
    larger = os.pathsep.join(str(place) for name, place, _ in found if name != "bundled")
    columns = ["seen", "ratio", "all", "page", "server", "cpu: server + browser", "KB", "pace"]
    print()
    table_row(["model", "tokens", "page", "change", *columns])
    table_row(["---"] * (4 + len(columns)))
    with serving(PROJECT / "app.py", folder, TOKENJOURNEY_MODEL_PATHS=larger) as server:
        visitor = Visitor(browser, server)
        for model, place, lengths in found:
            tokenizer = tj.load_model() if model == "bundled" else tj.load_model(str(place))
            assert tokenizer.tokenizer is not None
            for n in lengths:
                texts = map(partial(prompt, tokenizer.tokenizer, n), count())
                for path in paths:
                    visitor.open(f"/{path}", prompt=next(texts), model=model)
                    for change, one, slow in measure(visitor, texts, n, pace, chosen):
                        cells = [*numbers(one, empty), f"{slow:.2f}"]
                        table_row([model, n, path or "start", change, *cells])


def main() -> None:
    """Find a browser and a folder to work in."""
    chosen = options()
    path = os.environ.get("TOKENJOURNEY_CHROME") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    temporary = tempfile.TemporaryDirectory()
    with sync_playwright() as playwright, temporary as folder, Pace() as pace:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        run(chosen, browser, Path(folder), pace)
        browser.close()


if __name__ == "__main__":
    main()
