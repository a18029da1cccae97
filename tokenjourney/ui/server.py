"""Around the server: warm it up, give its page our style and its answers security headers."""

from __future__ import annotations

import base64
import gc
import gzip
import hashlib
import importlib
import logging
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from threadpoolctl import threadpool_limits

from tokenjourney.errors import TokenJourneyError
from tokenjourney.ui import components, style

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_INDEX: Final = Path(st.__file__).parent / "static" / "index.html"
_INLINE: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_NEW_OBJECTS: Final = 10_000
"""After so many new objects Python looks for cycles among them. A run makes thousands, hardly any
of them in a cycle."""


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Get ready for the first visitor, and beside the first visit for the pages after it."""
    warm_up()
    threading.Thread(target=import_the_rest, name="import the rest", daemon=True).start()
    yield


def warm_up() -> None:
    """Import, load and trace what the first visitor needs, and keep it out of garbage collection.

    Otherwise each collection walks through all of torch.
    """
    from tokenjourney.ui import cache, presets, state

    try:
        cache.journey(state.BUNDLED, presets.default()).next_tokens(k=1)
    except TokenJourneyError as error:
        logging.getLogger("tokenjourney").warning("%s", error)
    plotly_js()
    _freeze()


def import_the_rest() -> None:
    """Import what only some pages need: scikit-learn takes a second, and nobody should wait.

    NumPy's products then run on one core: a second one, waiting for its next part, took as much
    time from other visitors as the product itself.
    """
    importlib.import_module("tokenjourney.analysis.projections")
    threadpool_limits(1, user_api="blas")
    _freeze()


def _freeze() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


@lru_cache(maxsize=1)
def plotly_js() -> bytes:
    """Plotly's script as its Python package brings it along, compressed once."""
    return gzip.compress(files("plotly").joinpath("package_data/plotly.min.js").read_bytes(), 6)


def _kept(body: bytes, **headers: str) -> Response:
    """A script that browsers keep for good: its address has a version in it."""
    headers |= {"cache-control": "public, max-age=31536000, immutable"}
    return Response(body, headers=headers, media_type="text/javascript")


async def _plotly(request: Request) -> Response:
    return _kept(plotly_js(), **{"content-encoding": "gzip"})


async def _script(request: Request) -> Response:
    return _kept(components.script(Path(request.url.path).stem).encode())


def policy() -> str:
    """The content security policy: everything comes from this server and nowhere else.

    Styles are inline because Streamlit writes them so. Components come as blobs that import
    their scripts, and the one inline script of Streamlit's page is named by its hash.
    """
    inline = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE.findall(_INDEX.read_text(encoding="utf-8"))
    )
    hashes = " ".join(f"'sha256-{digest}'" for digest in inline)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' blob: {hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "frame-ancestors 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


class SecurityHeaders:
    """ASGI middleware that adds the security headers to every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self._app = app
        self._headers = [
            (name.encode(), value.encode())
            for name, value in {
                "content-security-policy": policy(),
                "x-content-type-options": "nosniff",
                "referrer-policy": "no-referrer",
                "x-frame-options": "SAMEORIGIN",
                "cross-origin-opener-policy": "same-origin",
                "permissions-policy": "camera=(), microphone=(), geolocation=()",
            }.items()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection; only HTTP responses have headers to add to."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        await self._app(scope, receive, add)


class HouseStyle:
    """ASGI middleware that puts the style sheet of the house into Streamlit's page.

    So it is there from the first picture on: with the first message, a second later, what was
    drawn by then would jump.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wraps `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one connection; only pages are changed."""
        is_get = scope["type"] == "http" and scope["method"] == "GET"
        if not is_get or "." in scope["path"].rpartition("/")[2]:  # one with a dot is a file
            await self._app(scope, receive, send)
            return
        # Whole and as it is, also where a browser has kept it with another style sheet.
        asked = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"accept-encoding" and not name.startswith(b"if-")
        ]
        held: list[Message] = []

        async def styled(message: Message) -> None:
            if not held and not _begins_a_page(message):
                await send(message)
                return
            held.append(message)
            if len(held) == 1 or message.get("more_body"):
                return
            start, *parts = held
            page = with_style(b"".join(part.get("body", b"") for part in parts))
            headers = MutableHeaders(raw=list(start["headers"]))
            headers["content-length"] = str(len(page))
            del headers["etag"], headers["last-modified"], headers["accept-ranges"]
            await send({**start, "headers": headers.raw})
            await send({"type": "http.response.body", "body": page})

        await self._app({**scope, "headers": asked, "extensions": {}}, receive, styled)


def _begins_a_page(message: Message) -> bool:
    if message["type"] != "http.response.start":
        return False
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")


def with_style(page: bytes) -> bytes:
    """Streamlit's page under our name and with the style sheet of the house.

    It stands in the body: of two rules alike the later one holds, and Streamlit adds to the head.
    """
    page = page.replace(b"<title>Streamlit</title>", b"<title>Token Journey</title>")
    return page.replace(b"<body>", f"<body><style>{style.sheet()}</style>".encode())


def middleware() -> list[Middleware]:
    """The middleware of the app."""
    return [Middleware(SecurityHeaders), Middleware(HouseStyle)]


def routes() -> list[Route]:
    """What the app answers beside Streamlit's own routes: text lengths, and scripts."""
    from tokenjourney.ui import measure

    base = st.get_option("server.baseUrlPath").strip("/")
    below = f"{base and '/'}{base}/{components.PATH}/{{version}}"
    return [
        Route(measure.path(), measure.answer, methods=["POST"]),
        Route(f"{below}/plotly.js", _plotly),
        *(Route(f"{below}/{name}.js", _script) for name in components.SCRIPTS),
    ]
