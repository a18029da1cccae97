"""How long a text is, before it is traced: the tokenizer's own count, and a cut that fits."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

import tokenjourney as tj
from tokenjourney.ui import measure
from tokenjourney.ui.measure import measured

LONG = "The dog chased the cat. 😀 naïve \u0301 日本語 " * 40


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=60), st.integers(1, 60))
@example("😀", 200)
@example(" ", 5000)
@example("\u0301\u200d\x00", 120)
def test_the_count_is_what_the_model_counts_and_the_cut_is_the_longest_start_that_fits(
    model, text, times
):
    prompt, encode = text * times, model.tokenizer.encode
    ids, limit = encode(prompt), model.config.n_ctx
    found = measured("bundled", prompt)
    assert (found.n, found.limit) == (len(ids), limit)
    assert found.is_too_long == (len(ids) > limit)
    if not found.is_too_long:
        assert found.kept == ""
        return
    assert prompt.startswith(found.kept)
    assert found.n_kept == len(encode(found.kept)) <= limit
    assert tj.trace(model, found.kept).token_ids


def test_the_tokens_around_the_limit_are_the_texts_own(model):
    found, ids = measured("bundled", LONG), model.tokenizer.encode(LONG)
    around = [token_id for _, token_id in (*found.fits, *found.beyond)]
    first = found.limit - len(found.fits)
    assert around == ids[first : first + len(around)]
    assert found.beyond[0] == (model.tokenizer.visible(ids[256]), ids[256])


def ask(body: bytes) -> tuple[int, dict]:
    """What the server answers to a body that comes in pieces."""
    pieces = [body[start : start + 60_000] for start in range(0, len(body), 60_000)] or [b""]
    last = len(pieces) - 1
    messages = iter(
        {"type": "http.request", "body": piece, "more_body": index < last}
        for index, piece in enumerate(pieces)
    )

    async def receive():
        return next(messages)

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with ThreadPoolExecutor(1) as pool:  # this thread may have a running loop: the browser's
        answer = pool.submit(lambda: asyncio.run(measure.answer(request))).result()
    return answer.status_code, json.loads(answer.body)


def test_the_server_answers_while_a_text_is_typed():
    status, found = ask(json.dumps({"model": "bundled", "text": LONG}).encode())
    assert status == 200
    assert found["n"] == measured("bundled", LONG).n
    assert found["kept"] == measured("bundled", LONG).kept
    assert ask(b'{"model": "bundled", "text": ""}')[1]["n"] == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"[1]", 400),
        (b"[" * 100_000, 400),
        (b'{"model": "bundled"}', 400),
        (b'{"model": "bundled", "text": 3}', 400),
        (b'{"model": "../../etc/passwd", "text": "a"}', 404),
        (b'{"model": "gpt2-xl", "text": "a"}', 404),
        (b'{"model": "bundled", "text": "\\ud800"}', 422),
        (b"x" * (measure.MOST_BYTES + 1), 413),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(body, status):
    found, said = ask(body)
    assert found == status
    assert said["problem"].endswith(".")


def test_a_model_without_tokenizer_counts_ids(monkeypatch, model):
    bare = dataclasses.replace(model, tokenizer=None)
    monkeypatch.setattr(measure.cache, "model", lambda name: bare)
    found = measured("bare", "7 " * 300)
    assert (found.n, found.n_kept) == (300, 256)
    assert found.beyond[0] == ("7", 7)
