"""The page on byte-pair encoding: the text to learn from, and the picture of the merges."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson
import streamlit as st

from tokenjourney.analysis.learned_merges import LearnedMerges, cut, unknown
from tokenjourney.errors import PromptError
from tokenjourney.figures.export import Table
from tokenjourney.figures.text import count
from tokenjourney.tokens import visible
from tokenjourney.ui import cache, components, figure, state
from tokenjourney.ui.text import ASSETS, Safe, escaped

if TYPE_CHECKING:
    from tokenjourney.ui.page import Page

SUPPLIED: Final = ("station", "stories")
EXAMPLE: Final = "aaabdaaabac"
MOST_TYPED: Final = 2_000
MOST_UPLOADED: Final = 1_000_000
MOST_SHOWN: Final = 700
_KEY: Final = "w.bpe.merges"
_LATEST: Final = "bpe.latest"


def supplied(name: str) -> str:
    """One of the texts that come along, from assets/corpora."""
    return (ASSETS / "corpora" / f"{name}.txt").read_text(encoding="utf-8").strip()


def text_to_learn_from(page: Page, source: str) -> str:
    """The text of that source, which `latest_text` then remembers.

    Raises:
        PromptError: an uploaded file is no text in UTF-8.
    """
    text = st.session_state[_LATEST] = _text_of(page, source)
    return text


def latest_text() -> str:
    """The last text that could be used in this visit; "" before the first."""
    return str(st.session_state.get(_LATEST, ""))


def _text_of(page: Page, source: str) -> str:
    """One that comes along, the published example, or the reader's own."""
    if source in SUPPLIED:
        return cache.fact(("corpus", source), lambda: supplied(source))
    if source == "aaab":
        return EXAMPLE
    typed, put = page.extra("own", "", str)
    left, right = page.columns([2, 1])
    with left:
        _box(page, typed[:MOST_TYPED], put)
    with right:
        file = st.file_uploader(page.plain("own.file"), type=["txt", "md"], max_upload_size=2,
                                key="w.bpe.file", help=page.plain("own.file_help"))  # fmt: skip
    return typed[:MOST_TYPED] if file is None else _read(page, file.getvalue())


def _box(page: Page, typed: str, put: Callable[[Any], None]) -> None:
    key, changed = state.bind_key("w.bpe.own", typed, put)
    st.text_area(page.plain("own.text"), key=key, on_change=changed, max_chars=MOST_TYPED,
                 height=122, help=page.plain("own.text_help"))  # fmt: skip


def _read(page: Page, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PromptError(page.plain("own.no_text", byte=count(error.start))) from None
    if len(text) > MOST_UPLOADED:
        page.say("own.cut", most=count(MOST_UPLOADED), all=count(len(text)))
    return text[:MOST_UPLOADED].replace("\r\n", "\n")


def identity(text: str) -> str:
    """A short name for a text, to remember by what was learned from it."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def draw(
    page: Page,
    text: str,
    learned: LearnedMerges,
    step: int,
    most: int,
    put: Callable[[int], None],
) -> None:
    """The picture of the merges, with its caption and the table behind it.

    Args:
        page: The page.
        text: What was learned from.
        learned: What was learned.
        step: How many merges are shown as done.
        most: Where learning was stopped.
        put: Called with the number of merges when the reader has moved to another.
    """

    def moved() -> None:
        found = st.session_state[_KEY].get("merge")
        if isinstance(found, int) and 0 <= found <= len(learned.merges):
            put(found)

    with st.container(key="tjfig-bpe-merges", gap=None):
        components.component("merges", "merges")(
            key=_KEY, data=_sent(page, text, learned, step, most), on_merge_change=moved
        )
        figure.foot("bpe-merges", page.text("figures.merges.caption"), lambda: table(learned),
                    saves=False)  # fmt: skip


def _sent(page: Page, text: str, learned: LearnedMerges, step: int, most: int) -> bytes:
    """Two lines of JSON: what changes with the step, and the picture."""
    name = f"{identity(text)} {learned.unit}"
    picture = page.remember(
        f"picture {name}", lambda: orjson.dumps(_picture(page, text, learned, most)), of="model"
    )
    return orjson.dumps({"id": f"{name} {page.theme.name}", "step": step}) + b"\n" + picture


def _picture(page: Page, text: str, learned: LearnedMerges, most: int) -> dict[str, Any]:
    found = cut(text[:MOST_SHOWN], learned.ranks, learned.unit)
    return {
        "units": list(map(visible, found.units)),
        "joined": [joined or 0 for joined in found.joined],
        "names": _names(learned),
        "merges": [
            [visible(m.left), visible(m.right), visible(m.merged), m.count, m.n_tokens]
            for m in learned.merges
        ],
        "pairs": [
            [[visible(left), visible(right), n] for (left, right), n in m.pairs]
            for m in learned.merges
        ],
        "n_pairs": [m.n_pairs for m in learned.merges],
        "n_units": learned.n_units,
        "n_base": len(learned.base),
        "n_characters": learned.n_characters,
        "shown": min(len(text), MOST_SHOWN),
        "is_full": len(learned.merges) == most,
        "words": page.text_table("merges") | dict(page.texts["units_said"][learned.unit]),
    }


def _names(learned: LearnedMerges) -> dict[str, str]:
    """What tokens are called whose name is not that of their units, one behind the other."""
    names = {}
    for merge in learned.merges:
        text = merge.merged.decode("utf-8") if learned.unit == "characters" else None
        units = [bytes([b]) for b in merge.merged] if text is None else [c.encode() for c in text]
        joined, name = "".join(map(visible, units)), visible(merge.merged)
        if joined != name:
            names[joined] = name
    return names


def table(learned: LearnedMerges) -> Table:
    """The merges as rows."""
    return ["merge", "left", "right", "makes", "count", "tokens left"], [
        (m.rank + 1, visible(m.left), visible(m.right), visible(m.merged), m.count, m.n_tokens)
        for m in learned.merges
    ]


def cards(
    parts: Sequence[bytes], learned: LearnedMerges, on: Sequence[int] = (), most: int = 48
) -> Safe:
    """Tokens as a row of cards: text and ID, or that the vocabulary does not have it.

    Args:
        parts: The bytes of each token.
        learned: The vocabulary; its base comes first in the IDs, then the merges.
        on: Which of them have the accent.
        most: So many are shown: the first ones, or those around the ones with the accent.
    """
    first = max(0, min(on[0] - most // 2, len(parts) - most)) if on and on[-1] >= most else 0
    end = min(first + most, len(parts))
    found = []
    missing = unknown(parts, learned)
    for index in range(first, end):
        part, lacks = parts[index], missing[index]
        kind = " tj-lacking" if lacks else " tj-on" if index in on else ""
        said = "unknown" if lacks else str(learned.ids[part])
        found.append(f'<li class="{kind.strip()}"><b>{escaped(visible(part))}</b>'
                     f"<span>{said}</span></li>")  # fmt: skip
    before = f"<li><span>{first:,} before</span></li>" if first else ""
    rest = f"<li><span>and {len(parts) - end:,} more</span></li>" if end < len(parts) else ""
    return Safe(f'<ul class="tj-found">{before}{"".join(found)}{rest}</ul>')


def cards_table(parts: Sequence[bytes], learned: LearnedMerges) -> Table:
    """The same as rows."""
    missing = unknown(parts, learned)
    return ["token", "bytes", "learned by merge", "unknown"], [
        (visible(part), part.hex(" "), learned.ranks.get(part, -1) + 1 or None, lacks)
        for part, lacks in zip(parts, missing, strict=True)
    ]


def comparison(
    samples: Sequence[str],
    heads: Sequence[str],
    found: Sequence[Sequence[Sequence[bytes]]],
    learned: Sequence[LearnedMerges],
) -> Safe:
    """Texts down, vocabularies across: the cards of each text in each vocabulary."""
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in ("", *heads))
    body = "".join(
        f'<tr><th scope="row">{escaped(sample)}</th>'
        + "".join(
            f"<td>{cards(parts, each)}</td>" for parts, each in zip(row, learned, strict=True)
        )
        + "</tr>"
        for sample, row in zip(samples, found, strict=True)
    )
    return Safe(
        f'<table class="tj-cuts"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def comparison_table(
    samples: Sequence[str],
    heads: Sequence[str],
    found: Sequence[Sequence[Sequence[bytes]]],
    learned: Sequence[LearnedMerges],
) -> Table:
    """The same as rows."""
    return ["text", "begin with", "tokens", "unknown", "cut"], [
        (sample, name, len(parts), sum(unknown(parts, each)), " ".join(map(visible, parts)))
        for sample, row in zip(samples, found, strict=True)
        for name, parts, each in zip(heads, row, learned, strict=True)
    ]
