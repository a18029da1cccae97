"""Around the server: what it allows a browser to load, and that it is warm."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tokenjourney.ui import server


def _headers(kind: str) -> dict[bytes, bytes]:
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})

    sent = []

    async def send(message):
        sent.append(message)

    answer = server.SecurityHeaders(app)({"type": kind}, None, send)
    with ThreadPoolExecutor(1) as pool:  # this thread may have a running loop: the browser's
        pool.submit(asyncio.run, answer).result()
    return dict(sent[0]["headers"])


def test_every_answer_has_the_security_headers():
    headers = _headers("http")
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"
    assert b"a" in headers


def test_the_websocket_is_left_alone():
    assert set(_headers("websocket")) == {b"a"}


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
