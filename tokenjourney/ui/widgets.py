"""Widgets whose value is part of the link, typed and validated."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from tokenjourney.figures.theme import THEMES, Theme
from tokenjourney.ui import state

_MOST_BUTTONS: Final = 16


def theme() -> Theme:
    """The colours of the theme that the person sees."""
    return THEMES["dark" if st.context.theme.type == "dark" else "light"]


def extra(
    name: str, default: Hashable, parse: Callable[[str], Any]
) -> tuple[Any, Callable[[Any], None]]:
    """An extra of the link: its value, and the function that sets it.

    What the link holds and `parse` refuses with a ValueError is replaced by the default; when it
    came with the link just opened, a notice says so in place.

    Raises:
        ValueError: the name is one of the state's own.
    """
    if name in state.CORE:
        raise ValueError(f"{name} is part of the state itself. Take another name for the extra.")
    choice = state.current()
    choice.asked.setdefault(choice.page, set()).add(name)
    value: Any = default
    if (text := choice.extras.get(name)) is not None:
        try:
            value = parse(text)
        except ValueError as error:
            if name in choice.linked:
                st.html(notice(f"The link says {name}={text[:80]}. {error} {_shown(default)}"))
            choice.extras.pop(name)
    if value == default:
        choice.declared.pop(name, None)
    else:
        choice.declared[name] = _written(value)

    def put(new: Any) -> None:
        state.put(**{name: None if new is None or new == default else _written(new)})

    return value, put


def notice(sentence: str) -> str:
    """A sentence about the link that could not be followed, as HTML."""
    from tokenjourney.ui.text import escaped

    return f'<p class="tj-notice" role="status">{escaped(sentence)}</p>'


def _shown(default: Hashable) -> str:
    return f"{_written(default)} is shown instead." if default not in (None, "") else ""


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else str(value)


def pick_number(label: str, name: str, value: int, n: int) -> int:
    """One of the numbers 0 to n − 1, as buttons or, where there are many, as a slider."""

    def put(new: int | None) -> None:
        if new is not None:
            state.put(**{name: int(new)})

    key, changed = state.bind_key(f"w.{name}", value, put)
    if n <= _MOST_BUTTONS:
        st.segmented_control(label, range(n), key=key, on_change=changed, required=True)
    else:
        st.slider(label, 0, n - 1, key=key, on_change=changed)
    return value


def slider(
    page: str,
    name: str,
    label: str,
    low: float,
    high: float,
    default: float,
    step: float | None,
    **kwargs: Any,
) -> float:
    """A slider bound to the extra `name`; whole numbers where all its numbers are whole."""
    whole = all(isinstance(x, int) for x in (low, high, default)) and not isinstance(step, float)

    def parse(text: str) -> float:
        try:
            number = int(text) if whole else float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            kind = "whole number" if whole else "number"
            raise ValueError(f"It must be a {kind} from {low:g} to {high:g}.")
        return number

    value, put = extra(name, default, parse)
    if not whole:
        value, low, high = float(value), float(low), float(high)
        step = None if step is None else float(step)
    key, changed = state.bind_key(f"w.{page}.{name}", value, put)
    st.slider(label, low, high, step=step, key=key, on_change=changed, **kwargs)
    return float(value) if not whole else int(value)


def choose(
    page: str,
    name: str,
    label: str,
    options: Mapping[str, str] | Sequence[str],
    default: str | None,
    as_list: bool,
    **kwargs: Any,
) -> str:
    """One of a few options, bound to the extra `name`."""
    names = list(options)
    words = options if isinstance(options, Mapping) else {option: option for option in names}

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"It must be one of: {', '.join(names[:12])}.")
        return text

    value, put = extra(name, names[0] if default is None else default, parse)
    key, changed = state.bind_key(f"w.{page}.{name}", value, put)
    if as_list:
        st.selectbox(label, names, format_func=words.__getitem__, key=key, on_change=changed,
                     **kwargs)  # fmt: skip
    else:
        st.segmented_control(label, names, format_func=words.__getitem__, key=key,
                             on_change=changed, required=True, **kwargs)  # fmt: skip
    return str(value)


def size(
    page: str, name: str, label: str, sizes: Sequence[int], default: int, **kwargs: Any
) -> int:
    """A slider over a few whole numbers, which need not be evenly spaced, bound to the extra."""
    offered = sorted({*sizes, default})

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) not in offered:
            raise ValueError(f"It must be one of: {', '.join(map(str, offered))}.")
        return int(text)

    value, put = extra(name, default, parse)
    key, changed = state.bind_key(f"w.{page}.{name}", value, put)
    st.select_slider(label, offered, format_func=lambda n: f"{n:,}", key=key, on_change=changed,
                     **kwargs)  # fmt: skip
    return int(value)


def toggle(page: str, name: str, label: str, default: bool, **kwargs: Any) -> bool:
    """A switch, bound to the extra `name`."""

    def parse(text: str) -> bool:
        if text not in ("0", "1"):
            raise ValueError("It must be 0 or 1.")
        return text == "1"

    value, put = extra(name, default, parse)
    key, changed = state.bind_key(f"w.{page}.{name}", bool(value), put)
    st.toggle(label, key=key, on_change=changed, **kwargs)
    return bool(value)


def entry(page: str, name: str, label: str, default: str, **kwargs: Any) -> str:
    """A line of text, bound to the extra `name`."""
    value, put = extra(name, default, str)
    key, changed = state.bind_key(f"w.{page}.{name}", value, put)
    st.text_input(label, key=key, on_change=changed, **kwargs)
    return str(value)
