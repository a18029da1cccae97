"""A table behind every figure: its column names and its rows, in the order they are read aloud.

Each figure function `x_figure` has, where its arguments are not the table already, an `x_table`
with the same keywords that returns a `Table`. PNG and SVG are drawn by the browser.
"""

import csv
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

Cell = str | int | float | bool | None
Table = tuple[Sequence[str], Sequence[Sequence[Cell]]]
"""Column names, and rows of plain Python values."""


def matrix_table(
    values: ArrayLike,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    row_name: str,
    column_name: str,
    value_name: str,
) -> Table:
    """A matrix as a long table: one row per cell, in reading order.

    >>> matrix_table([[0.5]], rows=["a"], columns=["b"], row_name="query", column_name="key",
    ...              value_name="share")
    (['query', 'key', 'share'], [('a', 'b', 0.5)])
    """
    matrix = np.asarray(values)
    cells: list[tuple[Cell, ...]] = [
        (row, column, float(matrix[i, j]))
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]
    return [row_name, column_name, value_name], cells


def csv_bytes(table: Table) -> bytes:
    r"""The table as CSV in UTF-8 with a byte order mark, which spreadsheets need for tokens.

    A text that a spreadsheet would run as a formula gets an apostrophe before it.

    >>> csv_bytes((["token", "share"], [("=1+1", 0.5)])).decode("utf-8-sig")
    "token,share\r\n'=1+1,0.5\r\n"
    """
    columns, rows = table
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _safe(cell: Cell) -> Cell:
    if isinstance(cell, str) and len(cell) > 1 and cell[0] in "=+-@\t\r":
        return "'" + cell
    return cell
