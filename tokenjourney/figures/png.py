"""Matrices as pictures: a palette PNG is small, quick to draw, and as exact as 256 colours are."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tokenjourney.figures.theme import FigureError

EMPTY = 255
"""The palette index of cells without a value: they stay transparent."""

_LEVEL = 3  # of zlib: a third of the time of 6, for a twentieth more bytes of tiled patterns


def palette(colours: Sequence[str]) -> NDArray[np.uint8]:
    """255 colours in equal steps along a scale, as (255, 3); index 127 is exactly its middle.

    >>> palette(["#000000", "#FFFFFF"])[127]
    array([127, 127, 127], dtype=uint8)
    """
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours])
    where = np.linspace(0, len(colours) - 1, EMPTY)
    channels = [np.interp(where, np.arange(len(colours)), stops[:, c]) for c in range(3)]
    return np.stack(channels, axis=1).astype(np.uint8)


def css_colours(shades: NDArray[np.uint8]) -> list[str]:
    """Rows of a palette (n, 3) as style sheets and Plotly write colours.

    >>> css_colours(palette(["#000000", "#FFFFFF"])[[127]])
    ['rgb(127,127,127)']
    """
    return [f"rgb({red},{green},{blue})" for red, green, blue in shades.tolist()]


def quantised(values: ArrayLike, low: float, high: float) -> NDArray[np.uint8]:
    """The palette index of every value, from 0 at `low` to 254 at `high`; `EMPTY` where not finite.

    >>> quantised([[-1.0, 0.0, 1.0, float("nan")]], -1.0, 1.0)
    array([[  0, 127, 254, 255]], dtype=uint8)
    """
    if not high > low:
        raise FigureError(f"A colour scale from {low} to {high} is empty: high must exceed low.")
    array = np.asarray(values, dtype=np.float32)
    finite = np.isfinite(array)
    steps = np.clip((np.where(finite, array, low) - low) / (high - low), 0, 1) * (EMPTY - 1)
    return np.where(finite, np.rint(steps), EMPTY).astype(np.uint8)


def enlarged(indices: NDArray[np.uint8], times: int) -> NDArray[np.uint8]:
    """Every cell as a square of `times` × `times` pixels, so that browsers do not blur it."""
    return indices.repeat(times, axis=0).repeat(times, axis=1)


def png(indices: NDArray[np.uint8], colours: Sequence[str]) -> bytes:
    """A palette PNG of a (height, width) matrix of indices into `palette(colours)`.

    The format is that of the PNG specification, third edition: colour type 3, no filter.
    """
    if indices.ndim != 2 or indices.dtype != np.uint8 or indices.size == 0:
        raise FigureError(
            f"A picture needs a matrix of uint8, not {indices.dtype} of shape {indices.shape}."
        )
    height, width = indices.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = indices
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    table = palette(colours).tobytes() + b"\0\0\0"
    opacity = b"\xff" * EMPTY + b"\0"
    chunks = (
        (b"IHDR", header),
        (b"PLTE", table),
        (b"tRNS", opacity),
        (b"IDAT", zlib.compress(rows.tobytes(), _LEVEL)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def png_uri(indices: NDArray[np.uint8], colours: Sequence[str]) -> str:
    """The same picture as a `data:` address, for a layout image."""
    return "data:image/png;base64," + base64.b64encode(png(indices, colours)).decode("ascii")


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)
