"""How long a text is for a model: its own tokenizer's count, and the tokens around the limit.

The page asks while a person is typing, before anything is traced: `answer` is the server's side of
that. It holds no state, looks only at models that are loaded, and encodes in a thread of its own.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from tokenjourney.errors import PromptError, TokenJourneyError
from tokenjourney.ui import cache

if TYPE_CHECKING:
    from starlette.requests import Request

    from tokenjourney.tokenizer import Tokenizer

MOST_BYTES: Final = 4_000_000
_BEFORE, _BEYOND = 8, 24


@dataclass(frozen=True)
class Measured:
    """The length of a text, as a model counts it.

    Attributes:
        n: Its tokens.
        limit: The most that the model takes.
        fits: Text and ID of the last tokens that fit, where the text is too long.
        beyond: Text and ID of the first tokens that do not fit.
        kept: The start of the text that does fit; empty where all of it does.
        n_kept: The tokens of that start.
    """

    n: int
    limit: int
    fits: tuple[tuple[str, int], ...]
    beyond: tuple[tuple[str, int], ...]
    kept: str
    n_kept: int

    @property
    def is_too_long(self) -> bool:
        """Whether the model cannot take the whole text."""
        return self.n > self.limit


def measured(name: str, prompt: str) -> Measured:
    """The length of a prompt for the model of that name.

    Raises:
        TokenJourneyError: the model cannot be opened, or cannot take such a text at any length.
    """
    model = cache.model(name)
    found, limit = cache.as_input(model, prompt), model.config.n_ctx
    ids = found if isinstance(found, list) else _encoded(model.tokenizer, found)
    if (n := len(ids)) <= limit:
        return Measured(n, limit, (), (), "", n)
    first = max(0, limit - _BEFORE)
    texts = [(cache.label(model, token_id), token_id) for token_id in ids[first : limit + _BEYOND]]
    if model.tokenizer is None:
        kept, n_kept = " ".join(map(str, ids[:limit])), limit
    else:
        kept, n_kept = _start(model.tokenizer, prompt, ids, limit)
    here = limit - first
    return Measured(n, limit, tuple(texts[:here]), tuple(texts[here:]), kept, n_kept)


def _encoded(tokenizer: Tokenizer | None, text: str) -> list[int]:
    return tokenizer.encode(text) if tokenizer is not None else []


def _start(tokenizer: Tokenizer, text: str, ids: list[int], limit: int) -> tuple[str, int]:
    """The longest start of a text in at most `limit` tokens, whole characters only."""
    end = tokenizer.tokens(ids[: limit + 1])[limit].start
    while (n := len(tokenizer.encode(text[:end]))) > limit:  # the cut may split a piece in two
        end -= 1
    return text[:end], n


def path() -> str:
    """Where `answer` is found on this server."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/measure" if base else "/measure"


async def answer(request: Request) -> JSONResponse:
    """The length of a text that is being typed.

    Takes `{"model": …, "text": …}`; answers with the fields of `Measured`, or with `problem`, a
    sentence, and a status that says whose it is.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return _refused(413, "This text is too long to be counted.")
    try:
        asked = json.loads(body)
        name, text = asked["model"], asked["text"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return _refused(400, 'Give {"model": …, "text": …}.')
    if not isinstance(name, str) or not isinstance(text, str):
        return _refused(400, "Model and text must be texts.")
    if not cache.is_loaded(name):
        return _refused(404, "This server has no such model loaded.")
    try:
        found = await run_in_threadpool(measured, name, text)
    except PromptError as error:
        return _refused(422, str(error))
    except TokenJourneyError as error:
        return _refused(503, str(error))
    return JSONResponse(asdict(found))


def _refused(status: int, problem: str) -> JSONResponse:
    return JSONResponse({"problem": problem}, status)
