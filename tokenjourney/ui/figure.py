"""A figure and what belongs to it: caption, downloads, the table behind it, clicks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import streamlit as st

from tokenjourney.figures.export import Table, csv_bytes
from tokenjourney.ui import components, state
from tokenjourney.ui.text import Safe, escaped

Clicks = str | Sequence[str] | Mapping[str, str]
_CLICKS: Final = "tj.clicks"
_CSV: Final = "tj.csv"  # the figure whose table is to be saved in this run
_ROWS_SHOWN: Final = 200


def table_html(table: Table, most: int = _ROWS_SHOWN) -> Safe:
    """The first rows of a table as HTML, and a line that says how many there are."""
    columns, rows = table
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in columns)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{escaped(_shown(value, grouped=name != 'ID'))}</td>"
            for name, value in zip(columns, row, strict=True)
        )
        + "</tr>"
        for row in rows[:most]
    )
    rest = f"{most} of {len(rows):,} rows; the CSV has them all." if len(rows) > most else ""
    return Safe(
        '<div class="tj-table" tabindex="0" role="region" aria-label="Table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        + (f'<p class="tj-note">{rest}</p>' if rest else "")
    )


def _shown(value: object, grouped: bool = True) -> str:
    """A value as the table has it; whole numbers in groups of three digits, but for names."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return (f"{value:,}" if grouped else str(value)).replace("-", "−")
    if hasattr(value, "__float__") and not isinstance(value, str):
        return f"{float(value):.4g}".replace("-", "−")
    return "" if value is None else str(value)


def chart(
    name: str,
    drawn: components.Drawn,
    table: Table | Callable[[], Table],
    *,
    clicks: Clicks,
    caption: Safe,
    alt: str,
) -> None:
    """A Plotly chart with its foot. See `Page.figure`."""
    if clicks:
        st.session_state.setdefault(_CLICKS, {})[name] = clicks
    under, saved = _foot(name, caption, table, saves=True)
    components.chart(name, drawn, alt, under, saved, answers=bool(clicks))


def picture(name: str, html: Safe, table: Table | Callable[[], Table], caption: Safe) -> None:
    """A picture in HTML with its foot. See `Page.picture`."""
    with st.container(key=f"tjfig-{name}", gap=None):
        st.html(html)
        foot(name, caption, table, saves=False)


def clicked(name: object, point: object) -> None:
    """Sets what a click on a point of the figure `name` sets."""
    clicks = st.session_state.get(_CLICKS, {}).get(name)
    if clicks and isinstance(point, Mapping) and (changes := _changes(clicks, point)):
        state.put(**changes)


def _changes(clicks: Clicks, point: Mapping[str, Any]) -> dict[str, Any]:
    """What a click on a point sets, by name."""
    if isinstance(clicks, Mapping):
        found = {what: point.get(axis) for what, axis in clicks.items()}
    else:
        values = point.get("customdata")
        values = values if isinstance(values, list | tuple) else [values]
        names = [clicks] if isinstance(clicks, str) else clicks
        found = dict(zip(names, values, strict=False))
    return {
        what: int(value) if what in state.CORE else value
        for what, value in found.items()
        if value is not None
    }


def foot(name: str, caption: Safe, table: Table | Callable[[], Table], *, saves: bool) -> None:
    """Caption on the left; table, PNG, SVG and CSV on the right; below them the table, if open.

    The buttons are plain HTML, as a page has many; `house` hears them and calls `asked`.
    """
    under, saved = _foot(name, caption, table, saves=saves)
    st.html(under)
    if saved:
        components.save(saved)


def _foot(
    name: str, caption: Safe, table: Table | Callable[[], Table], *, saves: bool
) -> tuple[Safe, components.Saved | None]:
    """The foot as HTML, and the file, if it was asked for."""

    def made() -> Table:
        return table() if callable(table) else table

    kinds = ("png", "svg") if saves else ()
    buttons = [_button("table", "Table", name, "Show the numbers as a table")]
    buttons += [_button(k, k.upper(), name, f"Save as {k.upper()}") for k in (*kinds, "csv")]
    shown = table_html(made()) if st.session_state.get(f"table-{name}") else ""
    saved: components.Saved | None = None
    if st.session_state.get(_CSV) == name:
        del st.session_state[_CSV]
        text = csv_bytes(made()).decode()
        saved = components.Saved(name=f"{name}.csv", text=text, time=time.time())
    under = (
        f'<div class="tj-foot"><p class="tj-caption">{caption}</p>'
        f'<span class="tj-saves">{"".join(buttons)}</span></div>{shown}'
    )
    return Safe(under), saved


def _button(kind: str, label: str, name: str, title: str) -> str:
    return (
        f'<button type="button" data-tj-foot="{kind}" data-tj-name="{escaped(name)}" '
        f'title="{title}">{label}</button>'
    )


def asked(what: object, name: object) -> None:
    """Somebody pressed "Table" or "CSV" under the figure `name`."""
    if what == "table":
        shown = f"table-{name}"
        st.session_state[shown] = not st.session_state.get(shown, False)
    elif what == "csv":
        st.session_state[_CSV] = name


def card(message: str, title: str = "This could not be shown", kind: str = "error") -> None:
    """A card in a figure's place: what happened, what was expected, what to do."""
    st.html(
        Safe(
            f'<div class="tj-card tj-{kind}" role="alert"><b>{escaped(title)}</b>'
            f"<p>{escaped(message)}</p></div>"
        )
    )
