"""Figures as they are written: plain dictionaries, which a browser takes without more ado.

Plotly's Python objects check every value and copy it several times, which takes longer than all
else that a page does. A figure here becomes such objects only when somebody asks it for a part.
"""

import base64
from functools import lru_cache
from typing import Any, Final

import numpy as np
import orjson
import plotly.graph_objects as go
import plotly.io as pio
from numpy.typing import ArrayLike, NDArray

Trace = dict[str, Any]
"""One trace as Plotly's JSON has it, but with arrays as they are."""


_PACKED: Final = ("i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8")
_WHOLE: Final = np.iinfo(np.int32)


def scatter(**values: Any) -> Trace:
    """A scatter trace."""
    return _trace("scatter", values)


def marks(x: ArrayLike, y: ArrayLike, *, name: str, **marker: Any) -> Trace:
    """Marks that answer to nobody: as lists of numbers, which the app draws without Plotly."""
    return scatter(
        x=listed(x), y=listed(y), mode="markers", name=name, hoverinfo="skip", marker=marker
    )


def listed(values: ArrayLike) -> list[float]:
    """Numbers in the seven digits of a float32."""
    return [float(f"{value:.7g}") for value in np.asarray(values).tolist()]


def heatmap(**values: Any) -> Trace:
    """A heatmap trace."""
    return _trace("heatmap", values)


def bar(**values: Any) -> Trace:
    """A bar trace."""
    return _trace("bar", values)


def _trace(kind: str, values: dict[str, Any]) -> Trace:
    return {"type": kind, **{name: value for name, value in values.items() if value is not None}}


class Written(go.Figure):  # type: ignore[misc]
    """A Plotly figure like any other, made and checked when a part of it is first asked for.

    Until then it is what was written, and `figure_json` sends that.
    """

    def __init__(self, data: list[Trace], layout: dict[str, Any]) -> None:
        """Keeps both as they are; neither must change any more."""
        self.__dict__["_written"] = {"data": data, "layout": layout}

    def __getattr__(self, name: str) -> Any:
        """Called for what is not there yet: all that Plotly's own constructor sets.

        Raises:
            ValueError: Plotly knows no such mark, or no such value of it.
        """
        written = self.__dict__.pop("_written", None)
        if written is None:
            raise AttributeError(f"A figure has no {name!r}.")
        super().__init__(**written)
        return getattr(self, name)

    def __reduce__(self) -> Any:
        """Copied or pickled, it is an ordinary figure."""
        return go.Figure, (self.to_dict(),)


def as_written(figure: go.Figure) -> dict[str, Any]:
    """`data` and `layout` of a figure, only to be read; its template may be a mere name."""
    written: dict[str, Any] | None = vars(figure).get("_written")
    return written or figure.to_dict()


def own_caption(figure: go.Figure) -> str:
    """The line that a figure has about itself: what it leaves out, which rows it shows."""
    return str(as_written(figure)["layout"].get("meta", {}).get("caption", ""))


def figure_json(figure: go.Figure) -> bytes:
    """A figure as Plotly's JSON: arrays as their bytes in base64, NaN and infinity as null."""
    written = as_written(figure)
    layout = dict(written["layout"])
    if isinstance(template := layout.get("template"), str):
        layout["template"] = _template(template)
    return orjson.dumps({"data": written["data"], "layout": layout}, default=_plain)


@lru_cache(maxsize=8)
def _template(name: str) -> orjson.Fragment:
    """A template as JSON, which is put in as it is."""
    return orjson.Fragment(orjson.dumps(pio.templates[name].to_plotly_json(), default=_plain))


def _plain(value: Any) -> Any:
    """What JSON does not know: arrays and numbers of NumPy, ranges."""
    if isinstance(value, np.ndarray):
        return _packed(value)
    if isinstance(value, np.generic):
        return value.item()
    return list(value)


def _packed(array: NDArray[Any]) -> Any:
    """Numbers as plotly.js reads them from bytes; it knows none of 64 bits that are whole."""
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size:
        if array.min() < _WHOLE.min or array.max() > _WHOLE.max:
            return array.tolist()
        array = array.astype(np.int32)
    if array.dtype.str[1:] not in _PACKED or not array.size:
        return array.tolist()
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False))
    shape = {"shape": ", ".join(map(str, array.shape))} if array.ndim > 1 else {}
    return {
        "dtype": array.dtype.str[1:],
        "bdata": base64.b64encode(little.data).decode("ascii"),
    } | shape
