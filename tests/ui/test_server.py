"""Around the server: what it allows a browser to load, and that it is warm."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from streamlit.web.server.starlette.starlette_static_routes import create_streamlit_static_handler

from tokenjourney.ui import server, style


def _sent(layer, app, scope):
    """What `layer` sends where it lies around `app`."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        await asyncio.Event().wait()  # nobody says anything more

    answer = layer(app)(scope, receive, send)
    with ThreadPoolExecutor(1) as pool:  # this thread may have a running loop: the browser's
        pool.submit(asyncio.run, answer).result()
    return sent


def _answer(path: str, method: str = "GET", **asked: str) -> tuple[int, Headers, bytes]:
    """How Streamlit's own pages and files are answered with the style of the house around them."""
    streamlit = create_streamlit_static_handler(str(server._INDEX.parent), "")
    said = [(name.replace("_", "-").encode(), text.encode()) for name, text in asked.items()]
    scope = {
        "type": "http", "method": method, "path": path, "root_path": "", "headers": said,
        "extensions": {"http.response.pathsend": {}},  # as of a server that sends files itself
    }  # fmt: skip
    start, *parts = _sent(server.HouseStyle, GZipMiddleware(streamlit), scope)
    bodies = (part["body"] if "body" in part else Path(part["path"]).read_bytes() for part in parts)
    return start["status"], Headers(raw=start["headers"]), b"".join(bodies)


def test_every_answer_has_the_security_headers():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})

    headers = dict(_sent(server.SecurityHeaders, app, {"type": "http"})[0]["headers"])
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"
    assert b"a" in headers


@pytest.mark.parametrize("layer", server.middleware(), ids=lambda layer: layer.cls.__name__)
@pytest.mark.parametrize(
    "scope", [{"type": "lifespan"}, {"type": "websocket", "path": "/_stcore/stream"}]
)
def test_what_is_no_request_goes_through_as_it_is(layer, scope):
    met = []

    async def app(*given):
        met.append(given[0])
        await given[2]({"type": "something", "headers": [(b"a", b"b")]})

    assert _sent(layer.cls, app, scope) == [{"type": "something", "headers": [(b"a", b"b")]}]
    assert met == [scope]


@pytest.mark.parametrize("path", ["/", "/attention", "/no/such/page"])
def test_every_page_comes_with_the_style_of_the_house(path):
    status, headers, page = _answer(path, accept_encoding="gzip")
    assert status == 200
    assert int(headers["content-length"]) == len(page)
    text = page.decode()
    assert f"<body><style>{style.sheet()}</style>" in text
    assert "<title>Token Journey</title>" in text
    before, after = text.split(f"<style>{style.sheet()}</style>")
    assert (before + after).replace("Token Journey", "Streamlit") == server._INDEX.read_text()


def test_a_page_is_never_taken_for_the_one_that_a_browser_has_kept():
    kept = _answer("/", method="HEAD")[1]["etag"]  # Streamlit's own
    status, headers, page = _answer("/", if_none_match=kept)
    assert status == 200
    assert b"</style>" in page
    assert "etag" not in headers
    assert "last-modified" not in headers


def test_files_and_what_is_no_page_are_left_alone():
    status, headers, body = _answer("/favicon.png")
    assert status == 200
    assert body == (server._INDEX.parent / "favicon.png").read_bytes()
    assert _answer("/favicon.png", if_none_match=headers["etag"])[0] == 304
    assert _answer("/", method="HEAD")[1]["etag"]


def test_nothing_may_come_from_elsewhere():
    for rule in server.policy().split("; "):
        _, *sources = rule.split(" ")
        for source in sources:
            kinds = ("'self'", "'none'", "'unsafe-inline'", "data:", "blob:")
            assert source in kinds or source.startswith("'sha256-"), rule
    assert "'unsafe-inline'" not in server.policy().split("script-src")[1].split(";")[0]
    assert "unsafe-eval" not in server.policy()


def test_warming_up_loads_the_bundled_model():
    from tokenjourney.ui import cache, presets

    server.warm_up()
    assert ("bundled", presets.default(), ()) in cache._journeys()
