"""What is switched off: the badge that says so, the way back, the switches, and what it changes.

What is off stands in the link (`Choice.off`) and stays when page or prompt change. Every page's
journey is then the changed run, and `page.untouched` the one to compare it with. A page on which
nothing can change says why in its texts: `[off] untouched`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from tokenjourney.analysis.attention import PredictionChange, prediction_change
from tokenjourney.analysis.knock_outs import KnockOuts
from tokenjourney.figures.change import change_figure, change_table
from tokenjourney.figures.text import count, share
from tokenjourney.ui import cache, state
from tokenjourney.ui.models import offers
from tokenjourney.ui.text import Safe, load, markup, plain

if TYPE_CHECKING:
    from tokenjourney.model.config import GPT2Config
    from tokenjourney.ui.page import Page

_MOST_PARTS: Final = 48
_NAMED_FROM: Final = 10_000_000_000
"""Tokens times parameters from which on a run is named while it lasts."""
_N_CANDIDATES: Final = 4


def chosen(config: GPT2Config) -> KnockOuts:
    """What is switched off, for a model of these sizes; the frame has checked it."""
    found, _ = KnockOuts.read(state.current().off, config.n_layers, config.n_heads)
    return found


def trace(model: str, prompt: str) -> None:
    """Trace the changed run, with words where it takes long."""
    loaded = cache.model(model)
    if not (off := chosen(loaded.config)):
        return
    n = len(cache.journey(model, prompt))
    named = load("knock_outs")["tracing"].format(T=count(n), model=offers()[model].title)
    slow = n * loaded.n_parameters > _NAMED_FROM
    with st.spinner(named, show_time=False) if slow else st.empty():
        cache.journey(model, prompt, off.edits)


def said(off: KnockOuts) -> str:
    """What is off, in words: "2 heads, 1 feed-forward part off"."""
    words = load("knock_outs")["count"]
    found = []
    for n, all_of_it, names in (
        (len(off.heads), off.covers(off.all_attention), words["heads"]),
        (len(off.mlps), off.covers(off.all_mlps), words["mlps"]),
    ):
        if n:
            found.append(names["all" if all_of_it else "one" if n == 1 else "many"].format(n=n))
    return str(words["off"]).format(what=", ".join(found))


def named(part: KnockOuts) -> str:
    """One of `KnockOuts.parts`, in words."""
    words = load("knock_outs")["parts"]
    if part.covers(part.all_attention):
        return str(words["all_attention"])
    if part.is_whole_attention:
        return str(words["attention"]).format(block=min(part.heads)[0])
    if part.heads:
        block, head = min(part.heads)
        return str(words["head"]).format(block=block, head=head)
    if part.covers(part.all_mlps):
        return str(words["all_mlps"])
    return str(words["mlp"]).format(block=min(part.mlps))


def badge(page: Page) -> None:
    """The badge under a page's header: what is off, and how to switch it on again."""
    if not page.off:
        return
    words = load("knock_outs")
    quiet = page.has_text("off.untouched")
    note = page.text("off.untouched") if quiet else markup(words["touched"])
    if page.has_text("off.touched"):
        note = page.text("off.touched")
    parts = page.off.parts
    with st.container(key="knock-outs", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(_mark(page.off, "tj-badge tj-quiet" if quiet else "tj-badge"), width="content")
        st.button(words["undo"], key="undo", on_click=_put, args=(page.off.nothing,))
        if len(parts) > 1:
            with st.popover(words["one_by_one"]), st.container(gap="small"):
                for part in parts[:_MOST_PARTS]:
                    _switch(page.off, part)
                if len(parts) > _MOST_PARTS:
                    more = words["more"].format(n=len(parts) - _MOST_PARTS)
                    st.html(Safe(f'<p class="tj-note">{more}</p>'))
        st.html(Safe(f'<p class="tj-note">{note}</p>'), width="content")


def marked(page: Page, caption: Safe) -> Safe:
    """A figure's caption, with a small badge before it where something is off."""
    if not page.off or page.has_text("off.untouched"):
        return caption
    return Safe(f"{_mark(page.off, 'tj-badge tj-small')} {caption}")


def switches(page: Page, *parts: KnockOuts) -> None:
    """A button for each part: off, or on again.

    Args:
        page: The page.
        *parts: Such as `page.off.head(3, 4)` and `page.off.mlp(3)`.
    """
    with st.container(key="switches", horizontal=True, gap="small"):
        for part in parts:
            _switch(page.off, part, "switch")


def head_pills(page: Page, block: int) -> None:
    """The heads of a block, to switch off and on with a click each."""
    off, words = page.off, load("knock_outs")
    heads = range(off.n_heads)
    key = f"w.heads-on.{block}"
    st.session_state[key] = [head for head in heads if (block, head) not in off.heads]

    def changed() -> None:
        on = set(st.session_state[key])
        now = off - off.attention(block)
        for head in heads:
            if head not in on:
                now |= off.head(block, head)
        _put(now)

    st.pills(words["heads_on"].format(block=block), heads, selection_mode="multi", key=key,
             on_change=changed, wrap=True)  # fmt: skip


def effect(page: Page) -> None:
    """What the parts that are off do to the prediction: before and after, side by side."""
    words = load("knock_outs")

    def compared() -> PredictionChange:
        before = page.untouched.logits_at(page.token)
        after = page.journey.logits_at(page.token) if page.off else before
        return prediction_change(before, after, k=_N_CANDIDATES)

    change = page.remember(f"change {page.token}", compared)
    labels = [page.label(i) for i in change.token_ids]
    arrays: dict[str, Any] = {"labels": labels, "before": change.before, "after": change.after}
    caption = markup(words["change"], token=page.token_html, moved=share(change.moved))
    page.figure(
        "change",
        lambda: change_figure(**arrays, highlight=(0,), theme=page.theme),
        lambda: change_table(**arrays),
        caption=caption,
    )
    if page.off.covers(page.off.all_attention):
        page.show(markup(words["all_off"], token=page.token_html))
    elif not page.off:
        page.show(markup(words["none_off"]))


def _switch(off: KnockOuts, part: KnockOuts, prefix: str = "on") -> None:
    words, is_off = load("knock_outs"), off.covers(part)
    label = words["switch_on" if is_off else "switch_off"].format(part=named(part))
    st.button(
        label[0].upper() + label[1:],
        key=f"{prefix}-{part}",
        type="primary" if is_off and prefix == "switch" else "secondary",
        on_click=_put,
        args=(off.switched(part),),
    )


def _mark(off: KnockOuts, kind: str) -> Safe:
    parts = [named(part) for part in off.parts]
    rest = f" + {len(parts) - _MOST_PARTS}" if len(parts) > _MOST_PARTS else ""
    title = plain(markup("{all}", all=", ".join(parts[:_MOST_PARTS]) + rest))
    return markup("{open}{said}{close}", open=Safe(f'<span class="{kind}" title="{title}">'),
                  said=said(off), close=Safe("</span>"))  # fmt: skip


def _put(off: KnockOuts) -> None:
    state.put(off=str(off))
