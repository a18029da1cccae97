"""What of a model is switched off in a run: attention heads and feed-forward parts.

Switching a part off and looking at what changes asks whether the run needs it, which looking at its
numbers cannot (Michel, Levy and Neubig, "Are Sixteen Heads Really Better than One?", 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tokenjourney.edits import Edit, ablate_head, ablate_mlp

LONGEST: Final = 4_000
"""So many characters a text of knock-outs may have."""

_ALL_ATTENTION, _ALL_MLPS, _MLP = "all", "mlps", "m"
_MOST_DIGITS: Final = 4


@dataclass(frozen=True)
class KnockOuts:
    """Heads and feed-forward parts of a model that are switched off. A set, with a text for links.

    The text names one part after the other, with commas between: `3.4` is head 4 of block 3,
    `3.0.4` its heads 0 and 4, `3` all its heads, `m3` its feed-forward part, `all` all attention,
    `mlps` all feed-forward parts.

    Attributes:
        heads: Pairs of block and head.
        mlps: Blocks whose feed-forward part is off.
        n_layers: Blocks of the model.
        n_heads: Heads of each.
    """

    heads: frozenset[tuple[int, int]]
    mlps: frozenset[int]
    n_layers: int
    n_heads: int

    @classmethod
    def none(cls, n_layers: int, n_heads: int) -> KnockOuts:
        """Nothing is off."""
        return cls(frozenset(), frozenset(), n_layers, n_heads)

    @classmethod
    def read(cls, text: str, n_layers: int, n_heads: int) -> tuple[KnockOuts, tuple[str, ...]]:
        """What a text names, and what of it this model does not have.

        Raises:
            ValueError: the text is no text of knock-outs, or too long.

        >>> found, missing = KnockOuts.read("0.3,m2,9.1", 6, 6)
        >>> str(found), missing
        ('0.3,m2', ('9.1',))
        """
        if len(text) > LONGEST:
            raise ValueError(f"It may have {LONGEST:,} characters.")
        off, missing = cls.none(n_layers, n_heads), []
        for part in filter(None, text.split(",")):
            found, lost = off._named(part)
            off |= found
            missing += lost
        return off, tuple(missing)

    def _named(self, part: str) -> tuple[KnockOuts, list[str]]:
        if part == _ALL_ATTENTION:
            return self.all_attention, []
        if part == _ALL_MLPS:
            return self.all_mlps, []
        is_mlp = part.startswith(_MLP)
        block, *heads = map(_number, part.removeprefix(_MLP).split("."))
        if is_mlp and heads:
            raise ValueError(_EXPECTED)
        if block >= self.n_layers:
            return self.nothing, [part]
        if is_mlp:
            return self.mlp(block), []
        if not heads:
            return self.attention(block), []
        found, lost = self.nothing, [f"{block}.{head}" for head in heads if head >= self.n_heads]
        for head in heads:
            if head < self.n_heads:
                found |= self.head(block, head)
        return found, lost

    def __str__(self) -> str:
        """The text of the link."""
        parts = []
        if self.covers(self.all_attention):
            parts.append(_ALL_ATTENTION)
        else:
            for block in sorted({block for block, _ in self.heads}):
                heads = sorted(head for owner, head in self.heads if owner == block)
                whole = len(heads) == self.n_heads
                parts.append(".".join(map(str, [block] if whole else [block, *heads])))
        if self.covers(self.all_mlps):
            parts.append(_ALL_MLPS)
        else:
            parts += [f"{_MLP}{block}" for block in sorted(self.mlps)]
        return ",".join(parts)

    # ---- parts of the same model, each as knock-outs of its own

    @property
    def nothing(self) -> KnockOuts:
        """No part."""
        return KnockOuts.none(self.n_layers, self.n_heads)

    @property
    def all_attention(self) -> KnockOuts:
        """Every head of every block."""
        blocks, heads = range(self.n_layers), range(self.n_heads)
        every = frozenset((block, head) for block in blocks for head in heads)
        return replace(self.nothing, heads=every)

    @property
    def all_mlps(self) -> KnockOuts:
        """Every feed-forward part."""
        return replace(self.nothing, mlps=frozenset(range(self.n_layers)))

    def head(self, block: int, head: int) -> KnockOuts:
        """One head."""
        return replace(self.nothing, heads=frozenset({(block, head)}))

    def attention(self, block: int) -> KnockOuts:
        """All heads of a block."""
        heads = frozenset((block, head) for head in range(self.n_heads))
        return replace(self.nothing, heads=heads)

    def mlp(self, block: int) -> KnockOuts:
        """The feed-forward part of a block."""
        return replace(self.nothing, mlps=frozenset({block}))

    @property
    def parts(self) -> tuple[KnockOuts, ...]:
        """What is off, in as few parts as the text names: to switch on again one by one."""
        named = (self._named(part)[0] for part in str(self).split(",") if part)
        found: list[KnockOuts] = []
        for part in named:
            if part.covers(self.all_attention) or part.is_whole_attention:
                found.append(part)
            else:
                found += [self.head(*head) for head in sorted(part.heads)]
                found += [part] if part.mlps else []
        return tuple(found)

    # ---- as a set

    def __or__(self, other: KnockOuts) -> KnockOuts:
        """What is off in one or the other."""
        return replace(self, heads=self.heads | other.heads, mlps=self.mlps | other.mlps)

    def __sub__(self, other: KnockOuts) -> KnockOuts:
        """What is off here and not there."""
        return replace(self, heads=self.heads - other.heads, mlps=self.mlps - other.mlps)

    def covers(self, part: KnockOuts) -> bool:
        """Whether all of a part is off."""
        return self.heads >= part.heads and self.mlps >= part.mlps

    def switched(self, part: KnockOuts) -> KnockOuts:
        """The same with a part switched off, or on again where all of it is off."""
        return self - part if self.covers(part) else self | part

    @property
    def is_whole_attention(self) -> bool:
        """Whether this is all attention of one block, and nothing else."""
        blocks = {block for block, _ in self.heads}
        return len(blocks) == 1 and len(self.heads) == self.n_heads and not self.mlps

    def __bool__(self) -> bool:
        """Whether anything is off."""
        return bool(self.heads or self.mlps)

    @property
    def members(self) -> frozenset[tuple[int, int | None]]:
        """Each head as block and head, each feed-forward part as its block and None."""
        return self.heads | frozenset((block, None) for block in self.mlps)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What `trace` takes to switch them off, always in the same order."""
        heads = [ablate_head(block, head) for block, head in sorted(self.heads)]
        return (*heads, *(ablate_mlp(block) for block in sorted(self.mlps)))


_EXPECTED: Final = (
    "It must name heads as block.head and feed-forward parts as m and their block, with commas "
    "between, such as 0.3,5.2,m2; or all attention as “all”."
)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError(_EXPECTED)
    return int(text)
