"""What belongs to every figure: downloads and the table behind it; parts that rerun alone."""

from __future__ import annotations

import csv
import gzip
import io
import struct
import urllib.request
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs
from xml.etree import ElementTree

import numpy as np
import pytest

from tokenjourney.ui import components

MARK = """node => {
  node.mark = 'this very node'
  node.updates = 0
  node.on('plotly_afterplot', () => { node.updates += 1 })
}"""


def _saved(visitor, figure: str, kind: str) -> bytes:
    place = visitor.page.locator(f".st-key-tjfig-{figure}")
    with visitor.page.expect_download() as download:
        place.get_by_role("button", name=kind, exact=True).click()
    assert download.value.suggested_filename == f"{figure}.{kind.lower()}"
    return Path(download.value.path()).read_bytes()


# The middle of each text beside the marks, as drawn here and as Plotly draws it, by its words.
NOTES = """async () => {
  const found = []
  const middles = (texts, frame) => {
    const { left, top } = frame.getBoundingClientRect()
    return [...texts].map((text) => {
      const box = text.getBoundingClientRect()
      const words = text.textContent.replaceAll('\u200b', '')
      return [words, box.left + box.width / 2 - left, box.top + box.height / 2 - top]
    }).sort()
  }
  for (const chart of document.querySelectorAll('.tj-chart[data-drawn]')) {
    if (!chart.querySelector('.tj-notes text') || chart.querySelector('.annotation')) continue
    chart.style.contentVisibility = 'visible'
    const { data, layout } = chart.tjFigure
    if (layout.annotations?.some((note) => /<br>|<sub>/.test(note.text))) continue
    const other = document.createElement('div')
    document.body.append(other)
    await Plotly.newPlot(other, structuredClone(data),
                         structuredClone({ ...layout, width: chart.clientWidth }))
    found.push([middles(chart.querySelectorAll('.tj-notes text'), chart),
                middles(other.querySelectorAll('.annotation-text, .textpoint text'), other)])
    other.remove()
  }
  return found
}"""


# What each mark looks like, and its middle and width: as drawn here, and as Plotly draws it.
MARKS = """async () => {
  const found = []
  const colour = (words, opacity) => {
    if (words === 'none') return ''
    const [red, green, blue, alpha = 1] = words.match(/[\\d.]+/g).map(Number)
    const seen = (alpha * opacity).toFixed(2)
    return seen > 0 ? [red, green, blue, seen].join(' ') : ''
  }
  const looks = (marks, frame) => {
    const { left, top } = frame.getBoundingClientRect()
    return [...marks].map((mark) => {
      const { x, y, width, height } = mark.getBoundingClientRect()
      const { fill, fillOpacity, stroke, strokeOpacity, strokeWidth } = getComputedStyle(mark)
      const line = strokeWidth === '0px' ? '' : colour(stroke, strokeOpacity)
      return [colour(fill, fillOpacity), line, line && strokeWidth,
              x + width / 2 - left, y + height / 2 - top, width]
    })
  }
  for (const chart of document.querySelectorAll('.tj-chart[data-drawn]')) {
    const marks = chart.querySelectorAll('.tj-notes g > :is(circle, rect)')
    if (!marks.length) continue
    chart.style.contentVisibility = 'visible'
    const { data, layout } = chart.tjFigure
    const own = data.filter(({ name }) => chart.querySelector(`.tj-notes g[data-name="${name}"]`))
    const other = document.createElement('div')
    document.body.append(other)
    await Plotly.newPlot(other, structuredClone(own),
                         structuredClone({ ...layout, width: chart.clientWidth }))
    found.push([looks(marks, chart), looks(other.querySelectorAll('.scatterlayer .point'), other)])
    other.remove()
  }
  return found
}"""


SAVED = {
    "/layers": "layers-change", "/output": "output-positions", "/embeddings": "embeddings-map",
    "/training": "training-way",
}  # fmt: skip
WITH_MARKS = {"/feed-forward", "/mixture-of-experts", "/layers", "/output"}


@pytest.mark.parametrize("path", sorted({*SAVED, *WITH_MARKS}))
def test_what_is_drawn_without_plotly_stands_where_plotly_would_set_it(visitor, path):
    visitor.open(path, prompt="The dog chased the cat", off="0.3")
    charts = visitor.page.evaluate(NOTES)
    assert len(charts) > 1
    for ours, plotlys in charts:
        assert [text for text, *_ in ours] == [text for text, *_ in plotlys]
        for text, *place in ours:
            away = min(np.abs(np.subtract(place, other)).max()
                       for same, *other in plotlys if same == text)  # fmt: skip
            assert away < 2, (text, place)  # pixels
    marked = visitor.page.evaluate(MARKS)
    assert bool(marked) == (path in WITH_MARKS)
    for ours, plotlys in marked:
        assert [mark[:3] for mark in ours] == [mark[:3] for mark in plotlys]
        places, others = (np.array([mark[3:] for mark in marks]) for marks in (ours, plotlys))
        np.testing.assert_allclose(places, others, atol=0.1)  # pixels
    if name := SAVED.get(path):
        texts = "".join(ElementTree.fromstring(_saved(visitor, name, "SVG")).itertext())
        notes = visitor.page.locator(f".st-key-tjfig-{name} .tj-notes text").all_text_contents()
        assert notes
        assert all(note in texts for note in notes)


def test_charts_in_view_are_drawn_before_the_others_and_those_in_the_end(visitor):
    visitor.open("/layers", prompt="The dog chased the cat", token=4)
    visitor.page.evaluate("""() => {
      window.drawn = []
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const { top, bottom } = target.getBoundingClientRect()
          if ('drawn' in target.dataset) window.drawn.push(bottom > 0 && top < innerHeight)
        }
      }).observe(document, { subtree: true, attributeFilter: ['data-drawn'] })
      document.querySelector('.st-key-tjfig-layers-context').scrollIntoView()
    }""")
    charts = visitor.page.locator(".tj-chart[data-drawn]").count()
    size = visitor.page.viewport_size
    visitor.page.set_viewport_size(size | {"width": size["width"] - 100})  # all wait at once
    visitor.page.wait_for_function("charts => window.drawn.length >= charts", arg=charts)
    drawn = visitor.page.evaluate("window.drawn")
    seen = sum(drawn)
    assert 0 < seen < len(drawn)
    assert all(drawn[:seen])


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
    assert "characters" in "".join(svg.itertext())  # the title of an axis
    text = _saved(visitor, "tokens-pieces", "CSV").decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:3] == ["position", "token", "ID"]
    assert [row[1] for row in rows[1:]] == visitor.chips()
    assert _saved(visitor, "tokens-counts", "CSV") == _saved(visitor, "tokens-counts", "CSV")

    place = visitor.page.locator(".st-key-tjfig-tokens-pieces")
    place.get_by_role("button", name="Table", exact=True).click()
    table = place.get_by_role("table")
    table.wait_for()
    assert table.get_by_role("row").count() == 1 + len(visitor.chips())


def test_of_the_words_under_a_chart_only_their_own_tags_become_more_than_text(visitor):
    visitor.open("/tokens", prompt="<b>The</b> dog")
    shown = visitor.page.evaluate(
        """async (module) => {
          const { fill } = await import(module)
          const place = document.createElement('div')
          fill(place, '<b class="a" id="b" style="color: red">b</b><img src="x"><iframe></iframe>'
            + '<script>x()</script><a href="javascript:x()">a</a><svg></svg>&lt;i&gt;')
          return place.innerHTML
        }""",
        f"{visitor.url}/{components.PATH}/{components.version()}/markup.js",
    )
    assert shown == '<b class="a">b</b>&lt;i&gt;'


def test_one_step_of_a_part_reruns_that_part_and_is_in_the_link(visitor):
    visitor.open("/tokens", prompt="The friendship", token=1)
    slider = visitor.page.get_by_role("slider", name="Merges done")
    slider.press("Home")  # focuses it first
    # So short a run may end before the page says that it runs: its result is waited for.
    visitor.page.locator(".tj-ladder .tj-now i", has_text="bytes").wait_for()
    visitor.page.wait_for_url("**step=0**")
    assert parse_qs(visitor.query())["step"] == ["0"]


def test_a_chart_that_stays_the_same_is_left_alone_and_a_changed_one_is_updated(visitor):
    visitor.open("/tokens", prompt="The dog", token=0)
    chart = visitor.page.locator(".st-key-tjfig-tokens-counts .js-plotly-plot")
    chart.evaluate(MARK)
    visitor.follow(1)
    assert chart.evaluate("node => [node.mark, node.updates]") == ["this very node", 0]
    visitor.write("The girl")
    mark, updates = chart.evaluate("node => [node.mark, node.updates]")
    assert mark == "this very node"
    assert updates > 0


# The arrays of every trace drawn, as Plotly is told of them and as another copy of it finds them.
ARRAYS = """async (address) => {
  const traces = [...document.querySelectorAll('.tj-chart[data-drawn]')].flatMap((c) => c._fullData)
  const told = traces.map(Plotly.PlotSchema.findArrayAttributes)
  const script = document.createElement('script')
  script.src = address + '?again'
  await new Promise((done) => { script.onload = done; document.head.append(script) })
  return [told, traces.map(Plotly.PlotSchema.findArrayAttributes)]
}"""


@pytest.mark.parametrize("path", ["/attention", "/layers"])
def test_plotly_is_told_of_the_arrays_that_it_would_find(visitor, path):
    visitor.open(path, prompt="Once upon a time there was")
    address = f"{visitor.url}/{components.PATH}/{components.version()}/plotly.js"
    told, found = visitor.page.evaluate(ARRAYS, address)
    assert told == found
    assert any(told)


def test_plotly_comes_compressed_and_is_kept_by_the_browser(server):
    address = f"{server.url}/{components.PATH}/{components.version()}/plotly.js"
    with urllib.request.urlopen(address) as answer:
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["content-encoding"] == "gzip"
        assert "immutable" in answer.headers["cache-control"]
        script = gzip.decompress(answer.read())
    assert script == files("plotly").joinpath("package_data/plotly.min.js").read_bytes()
