"""A real server and a real browser, for tests of the pages as people meet them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

from tests.checkpoints import save_by_transformers

PROJECT = Path(__file__).resolve().parents[2]
# First those that draw no window around the page: the tests take 0.9 of the time.
BROWSERS = ("chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser",
            "google-chrome", "google-chrome-stable", "chrome")  # fmt: skip
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",  # as with a window: letters are as wide as they are drawn
]
# On a cold deep link Streamlit's own page asks for these below the page's path, finds nothing, and
# goes on with the right address.
PROBES = ("/_stcore/health", "/_stcore/host-config")
# Counts how often the script ended, for tests that wait for what their click brings about.
# The page's own state does not tell: it says nothing of a run that is over within one picture.
COUNT_RUNS = """
  window.runs = 0
  const SCRIPT_FINISHED = 6  // its number among the fields of a ForwardMsg
  function fields(bytes) {
    const found = []
    let at = 0
    const number = () => {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[at++]
        value += (byte & 127) * 2 ** shift
        if (byte < 128) return value
      }
    }
    while (at < bytes.length) {
      const tag = number()
      found.push(tag >> 3)
      const size = number()
      if ((tag & 7) === 2) at += size
    }
    return found
  }
  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(...address) {
      super(...address)
      this.addEventListener('message', ({ data }) => {
        if (fields(new Uint8Array(data)).includes(SCRIPT_FINISHED)) window.runs += 1
      })
    }
  }
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_path() -> str | None:
    """The browser of `TOKENJOURNEY_CHROME`, or an installed Chrome or Chromium."""
    wanted = os.environ.get("TOKENJOURNEY_CHROME")
    if wanted:
        return wanted
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass
class Server:
    """A server of the app, started for the tests."""

    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def serve(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Server]]:
    """Starts servers: `serve(NAME=value)` with these environment variables on top."""
    running: list[Server] = []

    def start(**environment: str) -> Server:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path_factory.mktemp("server") / "log.txt"
        command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py")]
        command += ["--server.port", str(port), "--server.headless", "true"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=os.environ | environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        server = Server(f"http://localhost:{port}", process)
        running.append(server)
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                    assert "lifespan hooks will be skipped" not in log.read_text(), "it is cold"
                    return server
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise AssertionError(f"The server did not answer.\n{log.read_text()}")

    yield start
    for server in running:
        server.process.terminate()
    for server in running:
        server.process.wait(20)


@pytest.fixture(scope="session")
def server(serve: Callable[..., Server]) -> Server:
    """One server for all tests that need no other settings."""
    return serve()


@pytest.fixture(scope="session")
def tall(serve: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A server that offers a model of 48 blocks, named "tall"."""
    folder = tmp_path_factory.mktemp("models") / "tall"
    save_by_transformers(
        folder, seed=3, tokenizer=True, n_layer=48, n_embd=16, n_head=2, n_positions=256
    )
    return serve(TOKENJOURNEY_MODEL_PATHS=str(folder))


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[bool], BrowserContext]]:
    """A browser for each theme: an installed Chrome or Chromium with a profile of its own.

    Only in a profile on disk it keeps Streamlit's compiled scripts from page to page, as it does
    for people: opening a page takes two thirds of the time. Without a browser the tests are
    skipped, but not in CI.
    """
    path = chromium_path()
    if path is None:
        reason = (
            "no Chrome or Chromium is installed; install one, or name it in TOKENJOURNEY_CHROME"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    kept: dict[bool, BrowserContext] = {}
    with sync_playwright() as playwright:

        def of(dark: bool) -> BrowserContext:
            if dark not in kept:
                kept[dark] = playwright.chromium.launch_persistent_context(
                    tmp_path_factory.mktemp("profile"),
                    executable_path=path,
                    args=ARGUMENTS,
                    color_scheme="dark" if dark else "light",
                    accept_downloads=True,
                )
            return kept[dark]

        yield of
        for browser in kept.values():
            browser.close()


@dataclass
class Visitor:
    """One visitor with a browser window of their own."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, path: str = "/", **query: str | int) -> Visitor:
        """Open a link cold, and wait until its page is there."""
        link = f"?{urlencode(query)}" if query else ""
        self.page.goto(f"{self.url}{path}{link}")
        return self.settle()

    def settle(self) -> Visitor:
        """Wait until the script has run and its last element is drawn."""
        for _ in range(2):  # a run may be followed at once by another
            self.page.wait_for_function(
                """() => {
                  const app = document.querySelector('.stApp')
                  const done = app?.dataset.testScriptState === 'notRunning'
                  const late = document.querySelector(
                    '[data-stale="true"], [data-testid="stSkeleton"]')
                  const charts = [...document.querySelectorAll(
                    '.stElementContainer[class*="st-key-tjfig-"]')]
                  const undrawn = charts.some((place) => place.clientWidth &&
                    !place.querySelector('.js-plotly-plot[data-drawn]'))
                  const link = document.querySelector('[aria-current="page"]')
                  const row = [...document.querySelectorAll('.st-key-w-chips *')]
                  const chips = row.some((part) => part.shadowRoot?.querySelector('.chip'))
                  const drawn = document.querySelector('.tj-outline') ||
                    (document.querySelector('.tj-header') ? chips :
                      document.querySelector('.tj-card'))
                  return done && !late && !undrawn && link && drawn
                }""",
                polling=50,
            )
            self.page.wait_for_timeout(100)
        return self

    @contextmanager
    def rerun(self) -> Iterator[None]:
        """Around something that makes the script run again: wait for that run, and its end."""
        before = self.page.evaluate("window.runs")
        yield
        self.page.wait_for_function("before => window.runs > before", arg=before)
        self.settle()

    @property
    def prompt(self) -> Locator:
        """The prompt box."""
        return self.page.get_by_label("Prompt", exact=True)

    def write(self, text: str) -> Visitor:
        """Put a text into the box and press Enter."""
        self.prompt.fill(text)
        with self.rerun():
            self.prompt.press("Enter")
        return self

    def chips(self) -> list[str]:
        """The texts of the token chips."""
        return self.page.locator(".chip .text").all_text_contents()

    def followed(self) -> str:
        """The text of the followed token's chip."""
        return self.page.locator('.chip[aria-checked="true"] .text').text_content() or ""

    def follow(self, position: int) -> Visitor:
        """Click the chip of a token."""
        with self.rerun():
            self.page.locator(".chip").nth(position).click()
        return self

    def go(self, title: str) -> Visitor:
        """Click a page in the navigation."""
        links = self.page.locator(".tj-nav a")
        with self.rerun():
            links.filter(has_text=title).first.click()
        return self

    def choose(self, label: str, option: str) -> Visitor:
        """Choose an option of the buttons with that label."""
        group = self.page.get_by_role("radiogroup", name=label, exact=True)
        with self.rerun():
            group.get_by_role("radio", name=option, exact=True).click()
        return self

    def press_as_soon_as(self, name: str, selector: str, n: int = 1) -> Visitor:
        """Click a button the moment it can be clicked and n elements of `selector` are there."""
        self.page.wait_for_function(
            """([name, selector, n]) => {
              const button = [...document.querySelectorAll('button:enabled')].find(
                (one) => one.innerText.trim() === name)
              if (!button || document.querySelectorAll(selector).length < n) return false
              button.click()
              return true
            }""",
            arg=[name, selector, n], polling=5, timeout=20_000,
        )  # fmt: skip
        return self

    def figures(self) -> list[str]:
        """The data of each figure on the page, as text, to see whether it changed."""
        self.settle()
        return self.page.evaluate(
            """() => [...document.querySelectorAll('.js-plotly-plot')].map((plot) =>
              JSON.stringify([plot.data, plot.layout.images, plot.layout.shapes,
                              plot.tjFigure.layout.annotations], (key, value) =>
                ArrayBuffer.isView(value) ? [...value] : value))"""
        )

    def query(self) -> str:
        """The query string of the page's address."""
        return urlsplit(self.page.url).query


@pytest.fixture
def visit(
    context: Callable[[bool], BrowserContext], server: Server
) -> Iterator[Callable[..., Visitor]]:
    """New visitors; afterwards no error of ours and no request to elsewhere may have happened."""
    visitors: list[Visitor] = []

    def new(
        *, dark: bool = False, width: int = 1280, height: int = 900, at: Server = server
    ) -> Visitor:
        page = context(dark).new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(60_000)
        page.add_init_script(COUNT_RUNS)
        visitor = Visitor(page, at.url)
        visitors.append(visitor)
        _watch(visitor)
        return visitor

    yield new
    errors = [error for visitor in visitors for error in visitor.errors]
    foreign = [url for visitor in visitors for url in visitor.foreign]
    for visitor in visitors:
        visitor.page.close()
    assert not errors, f"errors in the browser: {errors}"
    assert not foreign, f"requests to elsewhere: {foreign}"


def _watch(visitor: Visitor) -> None:
    def console(message: object) -> None:
        kind, text, place = message.type, message.text, message.location  # type: ignore[attr-defined]
        probe = "404" in text and urlsplit(place.get("url", "")).path.endswith(PROBES)
        if kind == "error" and not probe:
            visitor.errors.append(text)

    def request(sent: object) -> None:
        address = urlsplit(sent.url)  # type: ignore[attr-defined]
        if address.scheme not in ("data", "blob") and address.hostname != "localhost":
            visitor.foreign.append(sent.url)  # type: ignore[attr-defined]

    visitor.page.on("console", console)
    visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    visitor.page.on("request", request)
    visitor.page.on("websocket", request)


@pytest.fixture
def visitor(visit: Callable[..., Visitor]) -> Visitor:
    """One visitor with a window of ordinary size."""
    return visit()
