"""Vectors as strips of colour: every number of a vector, in reading order, over several lines."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from tokenjourney.figures.cells import cells_to_click, colour_bar
from tokenjourney.figures.drawing import NO_TICKS, Sketch, boxes, heading, note, outline
from tokenjourney.figures.export import Table
from tokenjourney.figures.matrices import Array, as_matrix, require_same_length, symmetric_limit
from tokenjourney.figures.png import EMPTY, png_uri, quantised
from tokenjourney.figures.text import count, distinct_labels, escaped, number, shortened
from tokenjourney.figures.theme import LIGHT, FigureError, Theme, as_theme
from tokenjourney.figures.ticks import row_label
from tokenjourney.figures.written import heatmap

_MOST_ROWS = 60
_MOST_AS_HEATMAP = 24_000
_CHIP, _TOP, _BOTTOM, _GAP = 122, 52, 46, 0.05
_PLACE = 38  # left of a chip, for the position: four digits


def strip_lines(dimensions: int) -> int:
    """In how many lines a strip is read: 4 of 48 at 192, 8 of 96 at 768.

    >>> strip_lines(192), strip_lines(768), strip_lines(1600)
    (4, 8, 17)
    """
    wide = 48 if dimensions <= 384 else 96
    return max(1, -(-dimensions // wide))


def window(tokens: int, followed: int, most: int = _MOST_ROWS, leap: int = 1) -> tuple[int, int]:
    """The first position and the end of the at most `most` rows shown around the followed one.

    With a leap, up to half of `most`, the rows stay where they are until so many tokens further
    on: less moves when a neighbour is followed, and what was computed for the rows still holds.

    >>> window(1024, 150), window(8, 3)
    ((120, 180), (0, 8))
    >>> window(1024, 150, 24, leap=12), window(1024, 161, 24, leap=12)
    ((144, 168), (144, 168))
    """
    if tokens <= most:
        return 0, tokens
    first = followed - (most - leap + 1) // 2
    start = min(max(first - first % leap, 0), tokens - most)
    return start, start + most


def strips_figure(
    *,
    columns: Sequence[tuple[str, str, ArrayLike]],
    labels: Sequence[str],
    ids: Sequence[int] | None = None,
    followed: int | None = None,
    alike: Sequence[int] = (),
    joints: Sequence[str] = ("+", "="),
    numbers: Sequence[int] | None = None,
    lines: int | None = None,
    limit: float | None = None,
    theme: Theme | str = LIGHT,
) -> go.Figure:
    """Rows of strips: for each token one strip in every column, all on one scale.

    Above 60 rows a window around the followed one is shown, and the caption says so.

    Args:
        columns: for each its title, its second line, and its (T, d) numbers.
        labels: the visible texts of the T rows.
        ids: their token IDs, written into the chips.
        followed: the row with the accent.
        alike: rows to outline quietly, such as the other place of the same token.
        joints: the signs between the columns, such as + and =.
        numbers: what is written before each chip; the positions if None.
        lines: lines of a strip; `strip_lines` of the dimensions if None.
        limit: the end of the scale; the 99th percentile of all numbers shown if None.
        theme: "light", "dark" or a `Theme`.

    Raises:
        FigureError: shapes or lengths that do not fit each other.
    """
    theme = as_theme(theme)
    arrays = [_rows(values, len(labels)) for _, _, values in columns]
    if ids is not None:
        require_same_length(labels=labels, ids=ids)
    names = distinct_labels(labels)
    start, end = window(len(names), followed or 0)
    shown = [array[start:end] for array in arrays]
    limit = limit or symmetric_limit(*shown)
    pitch = 38 if end - start <= 12 else 30 if end - start <= 24 else 22
    plot = pitch * (end - start)
    dimensions = shown[0].shape[1]
    per_strip = lines or strip_lines(dimensions)
    sketch = Sketch(
        theme, height=_TOP + plot + _BOTTOM, margin=(_CHIP + _PLACE, 8, _TOP, _BOTTOM),
        caption=_caption(dimensions, per_strip, start, end, len(names)), hoverdistance=60,
    )  # fmt: skip
    _add_rows(sketch, names, ids, numbers, range(start, end), followed, alike, pitch, theme)
    _lay_out(sketch, names[start:end], pitch, per_strip)
    width = (1 - _GAP * (len(shown) - 1)) / len(shown)
    add_column = _add_column
    if sum(array.size for array in shown) > _MOST_AS_HEATMAP:
        add_column = _add_picture
    for index, ((title, subtitle, _), values) in enumerate(zip(columns, shown, strict=True)):
        left = index * (width + _GAP)
        sketch.notes(*heading(title, subtitle, left, 1, theme=theme))
        if index and joints:
            sign = joints[min(index, len(joints)) - 1]
            sketch.notes(
                *(note(sign, left - _GAP / 2, (row + 0.5) * pitch, yref="y", anchor="center",
                       size=16) for row in range(end - start))
            )  # fmt: skip
        edges = (left, left + width)
        add_column(sketch, values, edges, pitch=pitch, lines=per_strip, limit=limit, title=title,
                   theme=theme)  # fmt: skip
        if followed is not None and start <= followed < end:
            top = (followed - start) * pitch
            sketch.shapes(outline(*edges, top + 2, top + pitch - 2, theme.accent, width=2))
    colour_bar(sketch, low=-limit, high=limit, x=0, length=min(width, 0.3), below_px=12,
               plot_px=plot, theme=theme, is_signed=True)  # fmt: skip
    return sketch.figure()


def strips_table(*, columns: Sequence[tuple[str, str, ArrayLike]], labels: Sequence[str]) -> Table:
    """Every number of the strips: one row per token and dimension, one column per strip."""
    names = distinct_labels(labels)
    arrays = [_rows(values, len(labels)) for _, _, values in columns]
    titles = [title for title, _, _ in columns]
    return ["position", "token", "dimension", *titles], [
        (row, name, dimension, *(float(array[row, dimension]) for array in arrays))
        for row, name in enumerate(names)
        for dimension in range(arrays[0].shape[1])
    ]


def _rows(values: ArrayLike, tokens: int) -> Array:
    matrix = as_matrix(values, "A column of strips")
    if len(matrix) != tokens:
        raise FigureError(
            f"A column of strips has {len(matrix)} rows, but there are {tokens} labels: "
            "pass one row per label."
        )
    return matrix


def _caption(dimensions: int, lines: int, start: int, end: int, tokens: int) -> str:
    per_line = -(-dimensions // lines)
    said = f"{count(dimensions)} numbers a strip, read in {lines} lines of {per_line}."
    if lines == 1:
        said = f"{count(dimensions)} numbers a strip."
    if end - start < tokens:
        said += f" Tokens {start}–{end - 1} of {count(tokens)}."
    return said


def _add_rows(
    sketch: Sketch,
    names: list[str],
    ids: Sequence[int] | None,
    numbers: Sequence[int] | None,
    rows: range,
    followed: int | None,
    alike: Sequence[int],
    pitch: int,
    theme: Theme,
) -> None:
    """Ground, number and chip of each row, left of the strips."""
    length = 8 if max(ids or [0]) >= 10_000 else 10  # letters beside the ID
    plain = [index for index, row in enumerate(rows) if row != followed]
    chosen = [index for index, row in enumerate(rows) if row == followed]
    also = [index for index in plain if rows[index] in alike]
    _add_bands(sketch, also, theme.surface, pitch)
    _add_bands(sketch, chosen, theme.accent_soft, pitch)
    _add_chips(sketch, plain, theme.bg, theme.line, pitch)
    _add_chips(sketch, chosen, theme.accent, theme.accent, pitch)
    for index, row in enumerate(rows):
        middle = (index + 0.5) * pitch
        is_followed = row == followed
        place: dict[str, Any] = {"x": 0, "y": middle, "xref": "paper", "yref": "y"}
        before = row if numbers is None else numbers[row]
        text = (
            f"<b>{escaped(shortened(names[row], length))}</b>"
            if is_followed
            else row_label(names[row], followed=False, theme=theme, length=length)
        )
        on_chip = theme.on_accent if is_followed else theme.ink
        sketch.notes(
            note(str(before), anchor="right", shift=(-_CHIP - 10, 0), size=12.5,
                 colour=theme.ink2 if is_followed else theme.ink3, **place),
            note(text, anchor="left", shift=(-_CHIP + 2, 0), size=14 if pitch > 24 else 13,
                 colour=on_chip, **place),
        )  # fmt: skip
        if ids is not None:
            sketch.notes(
                note(str(ids[row]), anchor="right", shift=(-16, 0), size=12.5,
                     colour=on_chip if is_followed else theme.ink3, **place)
            )  # fmt: skip


def _add_bands(sketch: Sketch, indices: Sequence[int], colour: str, pitch: int) -> None:
    """Grounds of whole rows, from the left edge of the figure to the right end of the strips."""
    for start, end, mode in ((0, 1, "scaled"), (-_CHIP - _PLACE, 0, "pixel")):
        edges = [(start, end, i * pitch + 0.5, (i + 1) * pitch - 0.5) for i in indices]
        if edges:
            sketch.shapes(boxes(edges, colour, xref="paper", xsizemode=mode, xanchor=0))


def _add_chips(
    sketch: Sketch, indices: Sequence[int], colour: str, border: str, pitch: int
) -> None:
    half = min(28, pitch - 4) / 2
    middles = [(index + 0.5) * pitch for index in indices]
    if middles:
        sketch.shapes(
            boxes([(-_CHIP - 4, -10, y - half, y + half) for y in middles], colour, xref="paper",
                  xsizemode="pixel", xanchor=0, line={"width": 1, "color": border})
        )  # fmt: skip


def _add_column(
    sketch: Sketch,
    values: Array,
    edges: tuple[float, float],
    *,
    pitch: int,
    lines: int,
    limit: float,
    title: str,
    theme: Theme,
) -> None:
    """One heatmap for a whole column, its rows evenly spaced: so the browser draws it at once."""
    tokens, dimensions = values.shape
    wide = -(-dimensions // lines)
    thick, gap = _spacing(lines)
    rows = lines * thick + gap
    cells = np.full((tokens, rows, wide), np.nan, dtype=np.float32)
    cells[:, : lines * thick] = _in_lines(values, lines).repeat(thick, axis=1)
    dims = np.zeros((rows, wide), dtype=np.int16)
    dims[: lines * thick] = np.arange(lines * wide).reshape(lines, wide).repeat(thick, axis=0)
    above = pitch * gap / rows / 2
    sketch.trace(
        heatmap(
            z=cells.reshape(-1, wide), x=np.linspace(*edges, wide + 1),
            y=np.linspace(0, tokens * pitch, tokens * rows + 1) + above, zmin=-limit, zmax=limit,
            colorscale=theme.div_scale, showscale=False, hoverongaps=False,
            zhoverformat=".3f",  # unlike a format in the template it writes a real minus
            customdata=np.tile(dims, (tokens, 1)),
            hovertemplate=f"“%{{y}}”, dimension %{{customdata}} of {dimensions}: %{{z}}"
            "<extra></extra>",
            name=title,
        )
    )  # fmt: skip


def _add_picture(
    sketch: Sketch,
    values: Array,
    edges: tuple[float, float],
    *,
    pitch: int,
    lines: int,
    limit: float,
    title: str,
    theme: Theme,
) -> None:
    """The same as one picture, where a heatmap would be slow; hover tells of whole strips."""
    tokens, dimensions = values.shape
    wide = -(-dimensions // lines)
    thick = max(1, round(24 / lines))
    gap = max(1, round(thick * lines * 5 / (pitch - 10)))
    tall = thick * lines + 2 * gap
    picture = np.full((tokens, tall, wide), EMPTY, dtype=np.uint8)
    steps = quantised(_in_lines(values, lines), -limit, limit)
    picture[:, gap : gap + thick * lines] = steps.repeat(thick, axis=1)
    row = np.repeat(np.arange(tokens), 4)
    left, right = edges
    sketch.image(
        source=png_uri(picture.reshape(-1, wide).repeat(thick, axis=1), theme.div), x=left, y=0,
        xref="x", yref="y", sizex=right - left, sizey=tokens * pitch, layer="below",
    )  # fmt: skip
    sketch.trace(
        cells_to_click(
            np.tile(left + np.linspace(0.125, 0.875, 4) * (right - left), tokens),
            (row + 0.5) * pitch,
            [text for text in _strip_sentences(values) for _ in range(4)],
            hover=f"“%{{y}}”, {escaped(title)}: %{{text}}", name=title,
        )
    )  # fmt: skip


def _spacing(lines: int) -> tuple[int, int]:
    """Rows of a heatmap that a line of a strip takes, and rows that stay empty under a strip.

    >>> [_spacing(lines) for lines in (1, 2, 4, 8)]
    [(3, 1), (2, 1), (1, 1), (1, 2)]
    """
    thick = max(1, round(3 / lines))
    return thick, max(1, round(lines * thick / 4))


def _lay_out(sketch: Sketch, names: Sequence[str], pitch: int, lines: int) -> None:
    """One pair of axes for all columns; in hover labels the middle of a row names its token."""
    thick, gap = _spacing(lines)
    rows = lines * thick + gap
    middles = [*((np.arange(rows - gap) + (gap + 1) / 2) * pitch / rows), pitch / 2]
    tops = np.arange(len(names)) * pitch
    sketch.layout(
        xaxis={"range": [0, 1], **NO_TICKS},
        yaxis={"range": [len(names) * pitch, 0], "tickmode": "array", **NO_TICKS,
               "tickvals": (tops[:, None] + middles).ravel(),
               "ticktext": [escaped(name) for name in names for _ in middles]},
    )  # fmt: skip


def _in_lines(values: Array, lines: int) -> Array:
    """(T, d) numbers as (T, lines, width), the last line filled up with NaN."""
    tokens, dimensions = values.shape
    wide = -(-dimensions // lines)
    padded = np.full((tokens, lines * wide), np.nan, dtype=np.float32)
    padded[:, :dimensions] = values
    return padded.reshape(tokens, lines, wide)


def _strip_sentences(values: Array) -> list[str]:
    strongest = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :3]
    lengths = np.linalg.norm(values, axis=1)
    return [
        f"length {number(float(length))}, strongest dimensions "
        + ", ".join(str(int(d)) for d in sorted(best))
        for best, length in zip(strongest, lengths, strict=True)
    ]
