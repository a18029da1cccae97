"""Weights laid out for the processor: the same numbers, in the order in which it reads them.

A product with a weight takes as long as fetching it from memory where there is one token, and as
the processor's multiplying where there are many. Both are quicker from blocks that fit its
registers than from rows, so each large weight is copied into such blocks once, when it is met for
the second time. The weights themselves stay as they were, for all that reads or trains them.

Where one token follows another, an order of their own (`Strips`) has the weights fetched in less
time, and numbers of half or a quarter of the size (`rounded`) in less again.

All shapes: weights as rows (d_out, d_in), x as (…, d_in).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

WEIGHTS = ("fp32", "bf16", "int8")
"""What the numbers of a weight can be kept as."""

WORTH_IT = 2**19
"""Numbers from which on a weight is packed: smaller ones stay in the processor's cache anyway."""

STRIPS_UP_TO = 2**27
"""Parameters of the largest model whose weights are kept in strips, too: GPT-2 small has fewer."""

_BATCH = 32  # the blocks suit a product of so many rows best, and any other well
_STRIP = 96  # columns that fbgemm sums in one go: twelve registers of AVX2, eight numbers each
_STRIDE = 32  # torch's own int8 product reads so many numbers at a time, and beyond the end of less


class Product(Protocol):
    """A product with one weight, laid out in its own way."""

    @property
    def n_bytes(self) -> int:
        """Memory that it takes beside the weight itself."""
        ...

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Takes x (…, d_in) and perhaps a bias (d_out,); returns x W + bias (…, d_out)."""
        ...


def packed(rows: Tensor, weights: str = "fp32", strips: bool = False) -> Product | None:
    """The product with a weight (d_out, d_in); None where packing is of no use.

    Args:
        rows: The weight.
        weights: "fp32", or what it is rounded to.
        strips: Whether there is memory for a second copy, for one token after another.
    """
    rows = rows.detach()
    if weights != "fp32":
        return rounded(rows, weights)
    if rows.numel() < WORTH_IT:
        return None
    many = FromSecondOn(rows, blocks)
    return OneOrMany(FromSecondOn(rows, Strips), many) if strips and _has_sums() else many


def blocks(rows: Tensor, made_for_it: bool = False) -> Product:
    """A product with a copy in the blocks of oneDNN; with the rows where torch comes without it.

    Args:
        rows: The weight (d_out, d_in).
        made_for_it: Whether the rows, too, take memory beside the weight itself.
    """
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return Blocks(rows) if available else Rows(rows, rows.nbytes if made_for_it else 0)


class Rows:
    """The product with the rows as they are."""

    def __init__(self, rows: Tensor, n_bytes: int) -> None:
        """Copies nothing; `n_bytes` are the rows' where nobody else has them, and else 0."""
        self._rows, self.n_bytes = rows, n_bytes

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


class FromSecondOn:
    """The product with the rows as they are, the first time; from then on with a copy of them.

    So whoever opens a model for a single answer does not wait for copies that nobody meets again.
    """

    def __init__(self, rows: Tensor, copy: Callable[[Tensor], Product]) -> None:
        """Copies nothing yet."""
        self._rows, self._copy = rows, copy
        self._asked = False
        self._copied: Product | None = None

    @property
    def n_bytes(self) -> int:
        """Nothing before the copy is there."""
        return self._copied.n_bytes if self._copied else 0

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        if self._copied is None:
            if not self._asked:
                self._asked = True
                return F.linear(x, self._rows, bias)
            self._copied = self._copy(self._rows)
        return self._copied(x, bias)


class OneOrMany:
    """The product with copies of two kinds: one token meets strips, several meet blocks."""

    def __init__(self, one: Product, many: Product) -> None:
        """Takes the product for each."""
        self._one, self._many = one, many

    @property
    def n_bytes(self) -> int:
        """Of both."""
        return self._one.n_bytes + self._many.n_bytes

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        is_one = x.numel() == x.shape[-1]
        return self._one(x, bias) if is_one else self._many(x, bias)


class Strips:
    """The product of one token with a weight as a weighted sum of rows: x W = Σ_k x_k W[k, :].

    That is what embedding tables are asked for, and fbgemm has it quick: it fetches the next rows
    while it adds one. W (d_in, d_out) is cut into strips of 96 columns, as many sums as fit the
    registers of AVX2, each strip in one piece of memory, so that it is read in one go.
    """

    def __init__(self, rows: Tensor) -> None:
        """Takes the rows (d_out, d_in)."""
        self._d_out, d_in = rows.shape
        strips = F.pad(rows, (0, 0, 0, -self._d_out % _STRIP)).view(-1, _STRIP, d_in).mT
        self._n_strips = len(strips)
        self._table = self._kept(strips.reshape(-1, _STRIP))
        self._entries = torch.arange(len(self._table), dtype=torch.int32)
        self._starts = torch.arange(0, len(self._table) + 1, d_in, dtype=torch.int32)
        self.n_bytes: int = self._table.nbytes + self._entries.nbytes

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) of one token → (…, d_out)."""
        factors = x.reshape(1, -1).expand(self._n_strips, -1).reshape(-1)
        sums = self._sums(factors).view(*x.shape[:-1], -1)[..., : self._d_out]
        return self._finished(sums, bias)

    def _kept(self, strips: Tensor) -> Tensor:
        return strips

    def _sums(self, factors: Tensor) -> Tensor:
        result: Tensor
        result, *_ = torch.embedding_bag(
            self._table, self._entries, self._starts,
            per_sample_weights=factors, include_last_offset=True,
        )  # fmt: skip
        return result

    def _finished(self, sums: Tensor, bias: Tensor | None) -> Tensor:
        return sums if bias is None else sums + bias


class ByteStrips(Strips):
    """The same with int8 rows, each times its step.

    fbgemm's table has bytes without a sign, with a scale and an offset behind each row of them:
    byte · scale + offset. The offset −128 brings back the sign; the steps come last.
    """

    def __init__(self, rows: Tensor, steps: Tensor) -> None:
        """Takes whole numbers (d_out, d_in) from −127 to 127 and the steps (d_out,)."""
        super().__init__(rows)
        self._steps = steps.float()

    def _kept(self, strips: Tensor) -> Tensor:
        unsigned = (strips.to(torch.int16) + 128).to(torch.uint8)
        scale_and_offset = torch.tensor([1.0, -128.0]).view(torch.uint8)
        return torch.cat([unsigned, scale_and_offset.expand(len(strips), -1)], 1)

    def _sums(self, factors: Tensor) -> Tensor:
        weighted_sums = torch.ops.quantized.embedding_bag_byte_rowwise_offsets
        result: Tensor = weighted_sums(
            self._table, self._entries, self._starts,
            per_sample_weights=factors, include_last_offset=True,
        )  # fmt: skip
        return result

    def _finished(self, sums: Tensor, bias: Tensor | None) -> Tensor:
        return sums * self._steps if bias is None else torch.addcmul(bias, sums, self._steps)


def _has_sums() -> bool:
    """Whether torch comes with fbgemm."""
    return "fbgemm" in torch.backends.quantized.supported_engines


def rounded(rows: Tensor, weights: str) -> Product:
    """The product with rounded weights (d_out, d_in), for one token quicker than with exact ones.

    bf16 keeps 8 binary digits of each number. int8 keeps each as one of 255 steps between the
    largest of its row and the negative of that. One token meets the rounded weights themselves;
    several meet the same numbers as float32, in blocks.
    """
    if weights == "bf16":
        short = rows.bfloat16()
        return OneOrMany(Short(short), blocks(short.float(), made_for_it=True))
    steps = (rows.abs().amax(1) / 127).clamp(min=1e-12).bfloat16()
    each = steps.float()[:, None]
    whole = (rows / each).round().clamp(-127, 127).to(torch.int8)
    one = ByteStrips(whole, steps) if _has_sums() else Bytes(whole, steps)
    return OneOrMany(one, blocks(whole * each, made_for_it=True))


class Short:
    """The product of one token with rows in bf16: x and the result are rounded to bf16, too."""

    def __init__(self, rows: Tensor) -> None:
        """Takes rows (d_out, d_in) in bfloat16."""
        self._rows = rows.contiguous()
        self.n_bytes: int = self._rows.nbytes

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) of one token → (…, d_out)."""
        result = F.linear(x.bfloat16(), self._rows)
        return result.float() if bias is None else result + bias  # float32 either way


class Bytes:
    """The same as `ByteStrips` where torch comes without fbgemm: x and the result are in bf16."""

    def __init__(self, rows: Tensor, steps: Tensor) -> None:
        """Takes whole numbers (d_out, d_in) from −127 to 127 and the steps (d_out,) in bfloat16."""
        self._rows = _whole_strides(rows).contiguous()
        self._steps = steps
        self.n_bytes: int = self._rows.nbytes

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """(…, d_in) of one token → (…, d_out)."""
        short = _whole_strides(x.reshape(1, -1).bfloat16())
        multiply = torch.ops.aten._weight_int8pack_mm
        result: Tensor = multiply(short, self._rows, self._steps)
        result = result.view(*x.shape[:-1], -1)
        return result.float() if bias is None else result + bias  # float32 either way


def _whole_strides(rows: Tensor) -> Tensor:
    """Rows (n, d_in), with zeros up to the next whole stride where d_in is none."""
    missing = -rows.shape[1] % _STRIDE
    return F.pad(rows, (0, missing)) if missing else rows
