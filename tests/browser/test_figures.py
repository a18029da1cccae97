"""What belongs to every figure: downloads and the table behind it; parts that rerun alone."""

from __future__ import annotations

import csv
import io
import struct
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree


def _saved(visitor, figure: str, kind: str) -> bytes:
    place = visitor.page.locator(f".st-key-tjfig-{figure}")
    with visitor.page.expect_download() as download:
        place.get_by_role("button", name=kind, exact=True).click()
    assert download.value.suggested_filename == f"{figure}.{kind.lower()}"
    return Path(download.value.path()).read_bytes()


def test_a_figure_can_be_saved_and_its_table_opened(visitor):
    visitor.open("/tokens", prompt="The dog chased another dog")
    visitor.figures()
    png = _saved(visitor, "tokens-counts", "PNG")
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 400
    assert height > 200
    svg = ElementTree.fromstring(_saved(visitor, "tokens-counts", "SVG"))
    assert svg.tag.endswith("}svg")
    assert "characters" in "".join(svg.itertext())
    text = _saved(visitor, "tokens-pieces", "CSV").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:3] == ["position", "token", "ID"]
    assert [row[1] for row in rows[1:]] == visitor.chips()

    place = visitor.page.locator(".st-key-tjfig-tokens-pieces")
    place.get_by_role("button", name="Table", exact=True).click()
    table = place.get_by_role("table")
    table.wait_for()
    assert table.get_by_role("row").count() == 1 + len(visitor.chips())


def test_one_step_of_a_part_reruns_that_part_and_is_in_the_link(visitor):
    visitor.open("/tokens", prompt="The friendship", token=1)
    slider = visitor.page.get_by_role("slider", name="Merges done")
    with visitor.rerun():
        slider.press("Home")  # focuses it first
    assert visitor.page.locator(".tj-ladder .tj-now i").inner_text() == "bytes"
    assert parse_qs(visitor.query())["step"] == ["0"]
