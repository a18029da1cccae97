import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.figures.text import (
    count,
    distinct_labels,
    escaped,
    number,
    points,
    share,
    shortened,
    signed,
    token_markup,
)
from tokenjourney.figures.theme import DARK


@given(st.text())
def test_any_text_comes_through_escaping_as_itself_and_holds_nothing_to_interpret(text):
    assert html.unescape(escaped(text)) == html.unescape(html.escape(text))
    assert not set(escaped(text)) & set("<>$%\"'")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0.00"), (-0.001, "0.00"), (-2.72, "−2.72"), (99.99, "99.99"), (100, "100"),
     (-2048.4, "−2,048"), (1e6, "1,000,000")],
)  # fmt: skip
def test_numbers_have_two_decimals_and_none_from_100_on(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(2.5, "+2.50"), (-2.5, "−2.50"), (0, "0.00")])
def test_signed_numbers_always_show_their_sign_but_zero_has_none(value, shown):
    assert signed(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0 %"), (1e-7, "< 0.1 %"), (0.0849, "8.5 %"), (0.0999, "10 %"), (0.5, "50 %"),
     (1, "100 %")],
)  # fmt: skip
def test_shares_have_one_decimal_below_ten_percent(value, shown):
    assert share(value) == shown


def test_counts_are_grouped_by_thousands():
    assert count(50257) == "50,257"
    assert points(0.0092) == "+0.9"


def test_a_position_is_not_read_as_a_number_and_is_never_cut_off():
    assert distinct_labels([".", "5", "."], start=58) == [".₍₅₈₎", "5", ".₍₆₀₎"]
    assert shortened("·broccoli₁₀₀₀", 9) == "·bro…₁₀₀₀"
    assert shortened("..........₍₅₈₎", 8) == "...…₍₅₈₎"
    assert shortened("₁₀₀₀₀₀₀₀", 4) == "₁₀₀…"


@given(st.lists(st.sampled_from(["a", "b", "·a", "·"]), max_size=12))
def test_labels_of_a_prompt_can_be_told_apart(labels):
    shown = distinct_labels(labels)
    assert len(set(shown)) == len(shown)
    assert distinct_labels(shown) == shown


def test_positions_of_a_window_count_from_its_start():
    assert distinct_labels(["a", "a"], start=120) == ["a₁₂₀", "a₁₂₁"]


def test_long_labels_end_in_an_ellipsis_and_short_ones_stay():
    assert shortened("x" * 20, 5) == "xxxx…"
    assert shortened("·dog", 5) == "·dog"


def test_the_followed_token_has_the_accent_of_its_theme():
    assert DARK.accent in token_markup("<i>", followed=True, theme="dark")
    assert "&lt;i&gt;" in token_markup("<i>", followed=True)
