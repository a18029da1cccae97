"""Opening a page as a person's link does, and reading the figures that it shows."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tokenjourney.analysis.journey_map import unpacked
from tokenjourney.ui.navigation import entries

ROOT = Path(__file__).resolve().parents[2]


def open_page(name: str, **query: object) -> AppTest:
    """The page of pages/`name`.py, opened by a link with these values."""
    app = AppTest.from_file(str(ROOT / "tokenjourney/ui/frame.py"), default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = str(value)
    turn_to(app, name)
    return run(app)


def turn_to(app: AppTest, name: str) -> None:
    """Have the page of pages/`name`.py run next. AppTest itself finds only pages that are files."""
    path = next(entry.path for entry in entries() if entry.file == f"{name}.py")
    app._page_hash = calc_hash(path)


def run(app: AppTest) -> AppTest:
    """Run it; a page must never end in a traceback."""
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def charts(app: AppTest) -> dict[str, list[dict[str, Any]]]:
    """The traces of every figure on the page, by the figure's name, with arrays decoded."""
    return {name: _decoded(figure["data"]) for name, figure in figures(app).items()}


def figures(app: AppTest) -> dict[str, dict[str, Any]]:
    """Data and layout of every figure on the page, as they are sent, by the figure's name."""
    found = {name: json.loads(figure) for name, (_, figure) in _sent(app).items()}
    for figure in found.values():
        go.Figure(figure)  # raises what Plotly finds wrong with it
    return found


def trace(app: AppTest, chart: str, name: str) -> dict[str, Any]:
    """One trace of a figure by its name."""
    return next(t for t in charts(app)[chart] if t.get("name") == name)


def given(app: AppTest, component: str) -> dict[str, Any]:
    """What a component was given, where it comes packed as bytes."""
    return next(
        unpacked(element.proto.bytes)
        for element in app.get("bidi_component")
        if element.proto.component_name == f"tokenjourney.{component}"
    )


def html(app: AppTest) -> str:
    """Everything that the page wrote as HTML, and what stands under its figures."""
    bodies = [element.proto.body for element in app.get("html")]
    return "\n".join(bodies + [json.loads(words)["foot"] for words, _ in _sent(app).values()])


def _sent(app: AppTest) -> dict[str, tuple[bytes, bytes]]:
    """The words and the figure of every chart, as they are sent, by the figure's name."""
    sent: dict[str, tuple[bytes, bytes]] = {}
    for element in app.get("bidi_component"):
        if element.proto.component_name == "tokenjourney.chart":
            words, _, figure = element.proto.bytes.partition(b"\n")
            sent[element.proto.id.rpartition("tjfig-")[2]] = words, figure
    return sent


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        if "bdata" in value:
            flat = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
            shape = [int(n) for n in str(value.get("shape", len(flat))).split(",")]
            return flat.reshape(shape).tolist()
        return {key: _decoded(part) for key, part in value.items()}
    return [_decoded(part) for part in value] if isinstance(value, list) else value
