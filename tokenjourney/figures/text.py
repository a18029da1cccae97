"""How numbers and token texts are written in figures, so that none is read as HTML."""

import re
from collections import Counter
from collections.abc import Sequence
from math import floor, log10

from tokenjourney.figures.theme import LIGHT, Theme, as_theme

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLACE = re.compile("₍?[₀-₉]+₎?$")
# Plotly reads tags and entities in every text it draws, %{…} in hover templates, and dollars as
# formulas where MathJax is loaded.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "$": "&#36;", "%": "&#37;"}
)


def number(value: float, digits: int = 2) -> str:
    """A number with a real minus, thousands separated, `digits` decimals, and none from 100 on.

    >>> number(-15.4), number(2048), number(0.0312, 3)
    ('−15.40', '2,048', '0.031')
    """
    value = float(value)
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.{digits}f}"
    if not shown.strip("-0.,"):
        shown = shown.lstrip("-")
    return shown.replace("-", "−")


def small(value: float) -> str:
    """The same for numbers from 0 up, with as many decimals as show that one is not 0.

    >>> small(0.35), small(0.0049), small(0.00004), small(0)
    ('0.35', '0.005', '0.00004', '0.00')
    """
    return number(value, max(2, -floor(log10(value))) if value > 0 else 2)


def signed(value: float, digits: int = 2) -> str:
    """The same with its sign always written: + or −. Zero has none.

    >>> signed(9.2, 1), signed(-15.2, 1)
    ('+9.2', '−15.2')
    """
    shown = number(value, digits)
    return shown if shown.startswith("−") or not shown.strip("0.,") else f"+{shown}"


def power(exponent: float) -> str:
    """A power of ten: as a number where it is short.

    >>> power(0), power(-2), power(-6)
    ('1', '0.01', '10⁻⁶')
    """
    whole = int(exponent)
    if -2 <= whole <= 3:
        return f"{10.0**whole:g}"
    return f"10{str(whole).translate(_SUPERSCRIPTS)}"


def scientific(value: float) -> str:
    """A number from 0 up of any size; a very small one by its power of ten.

    >>> scientific(2.5), scientific(3.2e-6), scientific(0.0)
    ('2.50', '3.2 · 10⁻⁶', '0')
    """
    if value == 0:
        return "0"
    if value >= 0.01:
        return number(value)
    exponent = floor(log10(value))
    return f"{value / 10.0**exponent:.1f} · 10{str(exponent).translate(_SUPERSCRIPTS)}"


def count(value: int) -> str:
    """A whole number with its thousands separated.

    >>> count(124439808)
    '124,439,808'
    """
    return f"{int(value):,}".replace("-", "−")


def byte_unit(n_bytes: float) -> tuple[str, int]:
    """The decimal unit in which so many bytes are a short number, and its size in bytes.

    >>> byte_unit(2_359_296), byte_unit(12)
    (('MB', 1000000), ('bytes', 1))
    """
    units = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
    return next(((unit, size) for unit, size in units if n_bytes >= size), ("bytes", 1))


def count_unit(n: float) -> tuple[str, int]:
    """The word before which so large a count is a short number, and its size; "" below 10,000.

    >>> count_unit(275_000_000_000), count_unit(33_088), count_unit(384)
    (('billion', 1000000000), ('thousand', 1000), ('', 1))
    """
    units = (("trillion", 10**12), ("billion", 10**9), ("million", 10**6), ("thousand", 10**3))
    return next(((word, size) for word, size in units if n >= max(size, 10**4)), ("", 1))


def memory(n_bytes: float) -> str:
    """Bytes with three digits in decimal units, as disks and graphics cards are sold.

    >>> memory(2_359_296), memory(618_475_290_624), memory(12), memory(40_000_000)
    ('2.36 MB', '618 GB', '12 bytes', '40 MB')
    """
    unit, size = byte_unit(n_bytes)
    scaled = n_bytes / size
    return f"{scaled:.3g} {unit}" if scaled < 999.5 else f"{scaled:,.0f} {unit}"


def share(value: float) -> str:
    """A share of 1 in percent: one decimal below 10 %, none from there.

    >>> share(0.084), share(0.53), share(0.0002), share(0)
    ('8.4 %', '53 %', '< 0.1 %', '0 %')
    """
    percent = 100 * float(value)
    if percent == 0:
        return "0 %"
    if 0 < percent < 0.05:
        return "< 0.1 %"
    return f"{percent:.1f} %" if round(percent, 1) < 10 else f"{percent:.0f} %"


def points(value: float) -> str:
    """A difference of two shares in percentage points, with its sign.

    >>> points(-0.152)
    '−15.2'
    """
    return signed(100 * float(value), 1)


def escaped(text: str) -> str:
    """A text that Plotly shows as it is: no tag, entity, formula or placeholder counts.

    >>> escaped("<b>x</b>")
    '&lt;b&gt;x&lt;/b&gt;'
    """
    return text.translate(_ESCAPES)


def subscript(value: int) -> str:
    """A whole number in subscript digits.

    >>> subscript(15)
    '₁₅'
    """
    return str(int(value)).translate(_SUBSCRIPTS)


def distinct_labels(labels: Sequence[str], start: int = 0) -> list[str]:
    """The labels of a prompt's tokens; a text that occurs twice gets its position as subscript.

    Behind a sign that could be read as part of a number the position stands in brackets.

    Args:
        labels: the visible texts of the tokens, in order.
        start: the position of the first of them.

    >>> distinct_labels(["The", "·dog", "·chased", "·another", "·dog"])
    ['The', '·dog₁', '·chased', '·another', '·dog₄']
    >>> distinct_labels([".", "·So", "."])
    ['.₍₀₎', '·So', '.₍₂₎']
    """
    times = Counter(labels)
    return [
        label
        if times[label] == 1
        else f"{label}{subscript(start + position)}"
        if label[-1:].isalpha()
        else f"{label}₍{subscript(start + position)}₎"
        for position, label in enumerate(labels)
    ]


def shortened(label: str, length: int = 14) -> str:
    """A label of at most `length` characters, the rest as an ellipsis; its position stays.

    >>> shortened("·counterrevolutionary", 10), shortened("·broccoli₁₀₀₀", 10)
    ('·counterr…', '·broc…₁₀₀₀')
    """
    if len(label) <= length:
        return label
    found = _PLACE.search(label)
    place = found.group() if found and found.start() else ""
    return f"{label[: max(1, length - 1 - len(place))]}…{place}"


def token_markup(
    label: str, *, followed: bool = False, strong: bool = False, theme: Theme | str = LIGHT
) -> str:
    """A token's label as Plotly markup, escaped: followed is bold accent, strong is bold ink.

    >>> token_markup("<i>", strong=True)
    '<b><span style="color:#17202E">&lt;i&gt;</span></b>'
    """
    theme = as_theme(theme)
    text = escaped(label)
    if followed:
        return f'<b><span style="color:{theme.accent}">{text}</span></b>'
    if strong:
        return f'<b><span style="color:{theme.ink}">{text}</span></b>'
    return text
