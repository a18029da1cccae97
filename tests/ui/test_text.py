"""Texts: small markup, and nothing of a prompt is ever read as HTML, Markdown or LaTeX."""

from __future__ import annotations

import os
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenjourney.ui import text
from tokenjourney.ui.figure import table_html


@given(st.text())
def test_a_value_is_shown_as_it_is_whatever_it_holds(value):
    shown = text.markup("**a** {value} `b`", value=value)
    assert text.plain(shown) == f"a {value} b"


def test_markup_and_safe_values():
    shown = text.markup("*x* {mark} & {plain}", mark=text.token("·<b>"), plain="**y**")
    assert shown == ('<i>x</i> <span class="tj-token tj-followed">·&lt;b&gt;</span> &amp; **y**')


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(KeyError):
        text.markup("{nothing}")


def test_a_table_shows_texts_as_texts_and_says_what_it_leaves_out():
    rows = [("<b>", index, 0.5, None) for index in range(300)]
    shown = table_html((["token", "ID", "share", "note"], rows))
    assert "<td>&lt;b&gt;</td>" in shown
    assert shown.count("<tr>") == 201
    assert "200 of 300 rows" in shown


def test_whole_numbers_in_a_table_are_grouped_but_for_ids():
    shown = table_html((["ID", "rank"], [(40_321, 40_321), (None, -1)]))
    assert "<tr><td>40321</td><td>40,321</td></tr><tr><td></td><td>−1</td></tr>" in shown


@pytest.mark.parametrize(
    "path", sorted((text.ASSETS / "texts").glob("*.toml")), ids=lambda p: p.stem
)
def test_every_file_of_texts_can_be_read(path):
    assert tomllib.loads(path.read_text(encoding="utf-8"))


def test_a_number_stays_in_one_line_with_its_unit_and_other_texts_keep_their_spaces():
    assert text.markup("{a} of it", a="8.4 %") == "8.4\u00a0% of it"
    assert text.markup("{a} of it", a="55.3 kB") == "55.3\u00a0kB of it"
    assert text.markup("{a} of it", a="< 0.1 %") == "&lt;\u00a00.1\u00a0% of it"
    assert text.markup("{a}", a="up 5 %") == "up 5 %"


def test_a_changed_file_is_read_again_and_the_disk_asked_once_a_second(tmp_path, monkeypatch):
    now = [100.2]
    monkeypatch.setattr(text.time, "monotonic", lambda: now[0])
    looks = []

    @text.while_unchanged
    def look(path):
        looks.append(path)
        return path.read_text()

    file = tmp_path / "words.toml"
    file.write_text("one")
    assert [look(file), look(file)] == ["one", "one"]
    file.write_text("another")
    os.utime(file, ns=(0, 0))  # the clock of a disk may stand still between two writes
    now[0] = 100.9
    assert look(file) == "one"
    now[0] = 101.1
    assert look(file) == "another"
    assert len(looks) == 2
    with pytest.raises(FileNotFoundError):
        look(tmp_path / "none.toml")
