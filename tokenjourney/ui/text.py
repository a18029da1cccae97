"""The texts that people read: loaded from assets/texts, written as safe HTML.

House markup is small on purpose: `**bold**`, `*italics*`, `` `code` `` and `{name}` for a value.
Values are escaped after the markup was read, so a token that looks like markup stays text.
"""

from __future__ import annotations

import html
import re
import time
import tomllib
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

Found = TypeVar("Found")

ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MARKUP: Final = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*([^*]+)\*"), r"<i>\1</i>"),
)
_SUBSCRIPTS: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_BETWEEN: Final = "\ue000{}\ue001"
_KEPT: Final = re.compile("\ue000([0-9]+)\ue001")
_MEASURE: Final = re.compile(r"(&lt; )?[0-9.,]+ (%|\w{1,5})")


class Safe(str):
    """HTML that is known to be safe, because this package wrote it."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        """The sign of HTML; of any other str Streamlit asks first whether a file is called so."""
        return str(self)


def escaped(value: object) -> Safe:
    """Any value as HTML text; what is `Safe` already stays as it is.

    >>> escaped("<b>")
    '&lt;b&gt;'
    """
    return value if isinstance(value, Safe) else Safe(html.escape(str(value), quote=True))


def markup(template: str, **values: object) -> Safe:
    """House markup as safe HTML, with `{name}` replaced by the value of that name, escaped.

    Raises:
        KeyError: the template names a value that was not given.

    >>> markup("**{a}** looks at `{b}`", a="<i>", b="*x*")
    '<b>&lt;i&gt;</b> looks at <code>*x*</code>'
    """
    names: list[str] = []

    def keep(match: re.Match[str]) -> str:
        names.append(match.group(1))
        return _BETWEEN.format(len(names) - 1)

    shown = html.escape(_PLACEHOLDER.sub(keep, template.strip()), quote=True)
    for pattern, replacement in _MARKUP:
        shown = pattern.sub(replacement, shown)
    shown = shown.replace("\n\n", "<br>")
    return Safe(_KEPT.sub(lambda match: _unbroken(values[names[int(match.group(1))]]), shown))


def _unbroken(value: object) -> Safe:
    """The value, escaped; no number is parted from its unit at the end of a line."""
    shown = escaped(value)
    return Safe(shown.replace(" ", "\u00a0")) if _MEASURE.fullmatch(shown) else shown


def token(label: str, *, followed: bool = True) -> Safe:
    """A token's visible text as a mark inside a sentence; the followed one in the accent."""
    kind = "tj-token tj-followed" if followed else "tj-token"
    return Safe(f'<span class="{kind}">{html.escape(label)}</span>')


@lru_cache(maxsize=256)
def _changed(path: Path, second: int) -> int:
    return path.stat().st_mtime_ns


def while_unchanged(read: Callable[[Path], Found]) -> Callable[[Path], Found]:
    """A function that reads a file, changed to read it again only when it changed on disk.

    It looks for that once a second at most: whoever asks the disk has to let other visitors' runs
    go first, if only for a moment.
    """

    @lru_cache(maxsize=64)
    def known(path: Path, changed: int) -> Found:
        return read(path)

    @wraps(read)
    def kept(path: Path) -> Found:
        return known(path, _changed(path, int(time.monotonic())))

    return kept


def load(name: str) -> Mapping[str, Any]:
    """The texts of assets/texts/`name`.toml, as nested mappings.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return load_file(ASSETS / "texts" / f"{name}.toml")


@while_unchanged
def load_file(path: Path) -> Mapping[str, Any]:
    """A TOML file, read again only when it changed on disk."""
    with path.open("rb") as file:
        return MappingProxyType(tomllib.load(file))


def latex(text: str) -> str:
    r"""A text to stand inside a formula as `\text{…}`, with every special character escaped.

    Subscript digits, as in the labels of tokens, become subscripts of the formula.

    >>> latex("·dog₅"), latex("a_5")
    ('\\text{·dog}_{5}', '\\text{a\\_5}')
    """
    label, position = re.fullmatch(r"(.*?)([₀-₉]*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    if position:
        return f"{latex(label)}_{{{position.translate(_SUBSCRIPTS)}}}"
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    shown = "".join(
        special.get(letter, f"\\{letter}" if letter in "{}$&#_%" else letter) for letter in text
    )
    return rf"\text{{{shown}}}"


def plain(shown: Safe) -> str:
    """Safe HTML without its tags: for alternative texts.

    >>> plain(markup("**a** & `b`"))
    'a & b'
    """
    return html.unescape(re.sub(r"<[^>]+>", "", shown))


def plain_label(text: str) -> str:
    r"""A text for the label of a Streamlit widget or option, where Markdown is read: as it is.

    >>> plain_label("*a* :red[b]")
    '\\*a\\* \\:red\\[b\\]'
    """
    return re.sub(r"([\\`*_{}\[\]()#+\-.!$:~<>|&])", r"\\\1", text)
