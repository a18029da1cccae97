"""Weights laid out for the processor: the same numbers, in the order in which it reads them.

A product with a weight takes as long as fetching it from memory where there is one token, and as
the processor's multiplying where there are many. Both are quicker from blocks that fit its
registers than from rows, so each large weight is copied into such blocks once, when a model is
opened. The weights themselves stay as they were, for everything that reads or trains them.

Where one token follows another, numbers of half or a quarter of the size are fetched in less time:
that is what `Rounded` is for. All shapes: weights as rows (d_out, d_in), x as (…, d_in).
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

WEIGHTS = ("fp32", "bf16", "int8")
"""What the numbers of a weight can be kept as."""

WORTH_IT = 2**19
"""Numbers from which on a weight is packed: smaller ones stay in the processor's cache anyway."""

_BATCH = 32  # the blocks suit a product of so many rows best, and any other well
_STRIDE = 32  # torch's int8 product reads so many numbers at a time, and beyond the end of less


class Product(Protocol):
    """A product with one weight, laid out in its own way."""

    @property
    def n_bytes(self) -> int:
        """Memory that it takes beside the weight itself."""
        ...

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Takes x (…, d_in) and perhaps a bias (d_out,); returns x W + bias (…, d_out)."""
        ...


def packed(rows: Tensor, weights: str = "fp32") -> Product | None:
    """The product with a weight (d_out, d_in); None where packing is of no use."""
    rows = rows.detach()
    if weights != "fp32":
        return Rounded(rows, weights)
    return blocks(rows) if rows.numel() >= WORTH_IT else None


def packed_unembedding(rows: Tensor, weights: str = "fp32") -> Product | None:
    """The same for W_U, which is large and often needed for one token only."""
    rows = rows.detach()
    if weights != "fp32":
        return Rounded(rows, weights)
    return Scores(rows) if rows.numel() >= WORTH_IT else None


def blocks(rows: Tensor) -> Product:
    """A product with a copy in the blocks of oneDNN; with the rows where torch comes without it."""
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return Blocks(rows) if available else Rows(rows)


class Rows:
    """The product with the rows as they are."""

    n_bytes = 0

    def __init__(self, rows: Tensor) -> None:
        """Copies nothing."""
        self._rows = rows

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        return F.linear(x, self._rows, bias)


class Blocks:
    """The product with a copy of the rows in the blocks of oneDNN."""

    def __init__(self, rows: Tensor) -> None:
        """Copies the rows."""
        self._copy = torch.ops.mkldnn._reorder_linear_weight(rows.contiguous(), _BATCH)
        self.n_bytes: int = self._copy.nbytes

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        multiply = torch.ops.mkldnn._linear_pointwise
        result: Tensor = multiply(x, self._copy, bias, "none", [], "")
        return result


def is_one_token(x: Tensor) -> bool:
    """Whether x (…, d_in) is a single row."""
    return x.numel() == x.shape[-1]


class Scores:
    """The product with W_U: from its rows where one token is asked for once, and else from blocks.

    So whoever opens a model for a single answer does not wait until its largest weight is packed.
    """

    def __init__(self, rows: Tensor) -> None:
        """Copies nothing yet."""
        self._rows = rows
        self._asked = False
        self._blocks: Product | None = None

    @property
    def n_bytes(self) -> int:
        """Nothing before the blocks are there."""
        return self._blocks.n_bytes if self._blocks else 0

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        if self._blocks is None:
            if is_one_token(x) and not self._asked:
                self._asked = True
                return F.linear(x, self._rows, bias)
            self._blocks = blocks(self._rows)
        return self._blocks(x, bias)


class Rounded:
    """A product with rounded weights, for one token quicker than with exact ones.

    bf16 keeps 8 binary digits of each number. int8 keeps each as one of 255 steps between the
    largest of its row and the negative of that. One token meets the rounded weights themselves,
    with x and the result in bf16; several meet the same numbers as float32, in blocks.
    """

    def __init__(self, rows: Tensor, weights: str) -> None:
        """Rounds the rows to "bf16" or "int8"."""
        self._steps: Tensor | None = None
        if weights == "int8":
            self._steps = (rows.abs().amax(1) / 127).clamp(min=1e-12).bfloat16()
            each = self._steps.float()[:, None]
            steps = (rows / each).round().clamp(-127, 127)
            self._rows = _whole_strides(steps.to(torch.int8)).contiguous()
            self._blocks = blocks(steps * each)
        else:
            self._rows = rows.bfloat16().contiguous()
            self._blocks = blocks(self._rows.float())
        self.n_bytes = self._rows.nbytes + rows.numel() * torch.float32.itemsize

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        if not is_one_token(x):
            return self._blocks(x, bias)
        short = x.reshape(1, -1).bfloat16()
        if self._steps is None:
            result = F.linear(short, self._rows)
        else:
            multiply = torch.ops.aten._weight_int8pack_mm
            result = multiply(_whole_strides(short), self._rows, self._steps)
        result = result.view(*x.shape[:-1], -1)
        return result.float() if bias is None else result + bias  # float32 either way


def _whole_strides(rows: Tensor) -> Tensor:
    """Rows (n, d_in), with zeros up to the next whole stride where d_in is none."""
    missing = -rows.shape[1] % _STRIDE
    return F.pad(rows, (0, missing)) if missing else rows
