"""A Journey: everything that happened to one prompt on its way through one model.

The first pass keeps little: what enters each block, the keys and values, the last logits. Any other
activation is derived when it is asked for, by running that block's own forward pass again on its
stored input while a tap watches. There is no second formula for anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from typing import TYPE_CHECKING, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tokenjourney.derived import Array, Derived
from tokenjourney.edits import SQUARE, Edit
from tokenjourney.errors import HookError, PromptError
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.hooks import Hook, Tap, block_of, hook_names, resolve_hook
from tokenjourney.model.model import read_only
from tokenjourney.model.sampling import probabilities, ranking
from tokenjourney.prompt import check_ids, prompt_ids
from tokenjourney.record import BlockStore, ForkedStore, Record, SeenStore
from tokenjourney.source import Source, edit_hooks, unembedded
from tokenjourney.tokenizer import Token, tokens_of

if TYPE_CHECKING:
    from tokenjourney.model import Model

DERIVED_BYTES = 256 * 2**20
"""How much derived data one Journey remembers, at most; the block asked for last always stays."""

# n_heads or n_experts times the size of the stream: derived only by name
_ON_DEMAND = ("attn.hook_result", "mlp.hook_expert_out")


@dataclass(frozen=True)
class Prediction:
    """One candidate for the next token.

    Attributes:
        token_id: Its ID.
        text: Its text; bytes that are no valid UTF-8 are replaced.
        logit: The model's score, before temperature.
        probability: softmax of all logits at the temperature asked for.
    """

    token_id: int
    text: str
    logit: float
    probability: float


class _AllCaptured(Exception):
    """All that was wanted of a forward pass has been seen."""


class Journey:
    """One prompt's way through one model. Immutable; made by `trace`, `extend` and `load`.

    Attributes:
        config: Sizes of the model.
        token_ids: The prompt's token IDs.
        edits: The changes that were made to the run.
        model: The model, or None for a Journey loaded without it.
    """

    def __init__(
        self,
        config: GPT2Config,
        token_ids: tuple[int, ...],
        record: Record,
        source: Source,
        edits: tuple[Edit, ...] = (),
        last_logits: Array | None = None,
    ) -> None:
        """Not for callers: use `trace`."""
        self.config = config
        self.token_ids = token_ids
        self.edits = edits
        self._record = record
        self._source = source
        self._last_logits = last_logits
        self._asked_logits: tuple[int, Array] = (-1, np.empty(0, np.float32))  # another position's
        self._derived = Derived(DERIVED_BYTES)
        self._lock = threading.Lock()

    # ---- what it holds ---------------------------------------------------------------------

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.token_ids)

    def __repr__(self) -> str:
        """Model, length and text, shortened."""
        text = "".join(token.text for token in self.tokens)
        shown = text if len(text) <= 40 else text[:39] + "…"
        return f"<Journey of {shown!r}, {len(self)} tokens, through {self._source.name}>"

    @property
    def model(self) -> Model | None:
        """The model it went through; None where it was loaded without."""
        return self._source.model

    @property
    def model_name(self) -> str:
        """Name of the model."""
        return self._source.name

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The prompt's tokens, with their bytes and the characters that they stand for."""
        return self._tokens(0)

    def _tokens(self, wanted_from: int) -> tuple[Token, ...]:
        parts = [self._source.token_bytes(token_id) for token_id in self.token_ids]
        return tokens_of(self.token_ids, parts, wanted_from)

    @property
    def text(self) -> str:
        """The prompt; bytes that are no valid UTF-8 are replaced."""
        pieces = (self._source.token_bytes(token_id) for token_id in self.token_ids)
        return b"".join(pieces).decode("utf-8", errors="replace")

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of any token of the vocabulary."""
        return self._source.token_bytes(token_id)

    @property
    def names(self) -> tuple[str, ...]:
        """Every hook name of this model, in forward order."""
        return hook_names(self.config)

    @property
    def n_bytes(self) -> int:
        """Memory that it holds: buffers and what was derived. Buffers may be shared."""
        return self._record.n_bytes + self._derived.n_bytes

    @property
    def logits(self) -> Array:
        """(T, d_vocab): the scores for the next token at every position."""
        found = self._derived.get("logits").get("")
        if found is None:
            found = self._source.logits(self)
            self._derived.put("logits", {"": found})
        return found

    @overload
    def __getitem__(self, key: slice) -> Journey: ...

    @overload
    def __getitem__(self, key: str | tuple[str, int]) -> Array: ...

    def __getitem__(self, key: slice | str | tuple[str, int]) -> Journey | Array:
        """An activation by its name, or the Journey of the first tokens.

        Args:
            key: A hook name ("blocks.0.attn.hook_pattern"), a short name with its block
                (("pattern", 0)), or a slice from the start (journey[:5]).

        Returns:
            A read-only float32 array without batch dimension, or a Journey.

        Raises:
            HookError: there is no such activation, or it is not stored and the model is not here.
            PromptError: the slice does not begin at the start, or is empty.
        """
        if isinstance(key, slice):
            return self._first(key)
        if isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], str):
            name = resolve_hook(self.config, key[0], key[1])
        elif isinstance(key, str):
            name = resolve_hook(self.config, key)
        else:
            raise HookError(
                f"A Journey has no {key!r}. Ask for a hook name, for (short name, block), or for a "
                "slice like journey[:5]."
            )
        with self._lock:  # two threads asking for one block derive it once
            found = self._stored(name)
            return self._derive(name) if found is None else found

    def passing(self, block: int, *names: str) -> tuple[Array, ...]:
        """Activations of one block, derived by themselves and not kept.

        For who reads a few of every block once: the block runs no further than the last of them,
        in its fused form where nobody looks, and nothing else that is remembered has to go. The
        numbers are those of `self[name, block]`, up to rounding.

        Args:
            block: From 0.
            *names: Short or full names, such as "pattern", "resid_mid".

        Raises:
            HookError: there is no such activation, or it is not stored and the model is not here.
        """
        full = [resolve_hook(self.config, name, block) for name in names]
        found, wanted = self._parted(full)
        captured = self._watched(block, wanted, self.stream[block], self.edits)
        return tuple((found | captured)[name] for name in full)

    def passing_at(self, position: int, block: int, *names: str) -> tuple[Array, ...]:
        """What `passing` returns, of one position only.

        The block runs over that position alone, with the keys and values that are kept of those
        before it: of a long prompt this is a small part of the work.

        Args:
            position: From 0.
            block: From 0.
            *names: Short or full names of activations that have a row per position, such as
                "result", "mlp_out"; not "pattern", which has one per head.

        Raises:
            HookError: there is no such activation or position, or it is not stored and the model is
                not here.
        """
        full = [resolve_hook(self.config, name, block) for name in names]
        for name in full:
            if name.endswith(SQUARE):
                raise HookError(f"{name} has no row per position. Ask for it with `passing`.")
        self._check_position(position)
        found, wanted = self._parted(full)
        row = self.stream[block][position : position + 1]
        store = SeenStore(self._record, block, position)
        captured = self._watched(block, wanted, row, self._edits_at(position), store)
        # the last row: latent attention rebuilds the keys and values of all tokens up to this one
        return tuple(found[n][position] if n in found else captured[n][-1] for n in full)

    def _watched(
        self,
        block: int,
        wanted: Sequence[str],
        rows: Tensor,
        edits: Sequence[Edit],
        store: SeenStore | None = None,
    ) -> dict[str, Array]:
        """The wanted activations of a block, which runs over these rows no further than needed."""
        captured: dict[str, Array] = {}
        if wanted:
            model = self._source.need_model(f"derive {wanted[0]}")
            tap = _tap(edits, wanted, captured, to_the_end=False)
            with torch.inference_mode(), suppress(_AllCaptured):
                model.network.blocks[block](rows[None], tap.at(f"blocks.{block}"), store)
        return captured

    def _parted(self, names: Sequence[str]) -> tuple[dict[str, Array], list[str]]:
        """The activations among `names` that need not be computed, and the names of the others."""
        stored = {name: self._stored(name) for name in names}
        found = {name: value for name, value in stored.items() if value is not None}
        return found, [name for name in stored if name not in found]

    def next_tokens(
        self, position: int = -1, k: int = 10, temperature: float = 1.0
    ) -> tuple[Prediction, ...]:
        """The most probable tokens after a position.

        Args:
            position: From 0; -1 is the last.
            k: How many, from 1 up; no more than the vocabulary has.
            temperature: From 0 (all on the most probable) up.

        Raises:
            HookError: there is no such position.
            PromptError: k or the temperature is out of range.
        """
        if isinstance(k, bool) or not isinstance(k, int) or k < 1:
            raise PromptError(f"k is {k!r}; give a whole number from 1 up.")
        logits = self.logits_at(position)
        shares = probabilities(logits, temperature)
        if k < len(logits) // 8:  # sort only what can be in the answer, ties at its edge included
            edge = -np.partition(-logits, k - 1)[k - 1]
            among = np.flatnonzero(logits >= edge)
            order = among[ranking(logits[among])][:k]
        else:
            order = ranking(logits)[:k]
        return tuple(
            Prediction(int(i), self._source.text(int(i)), float(logits[i]), float(shares[i]))
            for i in order
        )

    def logits_at(self, position: int = -1) -> Array:
        """(d_vocab,): the scores for the token after one position.

        Raises:
            HookError: there is no such position.
        """
        last = len(self) - 1
        number = isinstance(position, int) and not isinstance(position, bool)
        if not number or not -1 <= position <= last:
            raise HookError(f"There is no position {position!r}: they run from 0 to {last}.")
        if position in (-1, last):
            if self._last_logits is None:
                self._last_logits = self._source.logits(self, last)
            return self._last_logits
        if (every := self._derived.get("logits").get("")) is not None:
            row: Array = every[position]
            return row
        asked, logits = self._asked_logits
        if asked != position:
            logits = self._source.logits(self, position)
            self._asked_logits = position, logits
        return logits

    def logits_instead(self, position: int, token_ids: Sequence[int]) -> Array:
        """The scores after each of some tokens, put in the place of one position's token.

        All of them run as one batch, over that position alone, behind the keys and values that are
        kept of those before it. The Journey's edits stay.

        Args:
            position: From 0.
            token_ids: At least one.

        Returns:
            (n, d_vocab): a row per token, as `trace` gives after its prompt's last position.

        Raises:
            HookError: there is no such position; or the Journey was loaded without its model.
            PromptError: no such token, or none at all.
        """
        network = self._source.need_model("put other tokens into this Journey").network
        self._check_position(position)
        new = check_ids(self.config, token_ids)
        if not new:
            raise PromptError("No token to put there. Give at least one token ID.")
        tap = Tap(edit_hooks(self._edits_at(position)))
        blocks = range(self.config.n_layers)
        stores = [ForkedStore(self._record, block, position) for block in blocks]
        with torch.inference_mode():
            ids = torch.tensor(new)[:, None]
            *_, final = network.residual_stream(ids, tap, stores, position)
            return read_only(network.unembed(final, tap)[:, 0])

    def _edits_at(self, position: int) -> list[Edit]:
        """The edits for one position that runs alone, behind those before it."""
        return [edit.first(position + 1).rest(position) for edit in self.edits]

    def _check_position(self, position: int) -> None:
        if not 0 <= position < len(self):
            last = len(self) - 1
            raise HookError(f"There is no position {position!r}: they run from 0 to {last}.")

    # ---- Journeys from this one ------------------------------------------------------------

    def extend(self, *token_ids: int) -> Journey:
        """The Journey with more tokens behind it: only the new positions are computed.

        Args:
            *token_ids: One or several.

        Raises:
            PromptError: no such token, none at all, or the context has no room for them.
            HookError: an edit fixes a whole activation, which says nothing about a new position; or
                the Journey was loaded without its model.
        """
        model = self._source.need_model("extend this Journey")
        new = check_ids(self.config, token_ids)
        if not new:
            raise PromptError("Nothing to extend this Journey by. Give at least one token ID.")
        if len(self) + len(new) > self.config.n_ctx:
            raise PromptError(
                f"The context is full: this model takes {self.config.n_ctx} tokens. Go on from a "
                f"shorter Journey, for example journey[:{self.config.n_ctx // 2}]."
            )
        for edit in self.edits:
            if not edit.per_position:
                raise HookError(
                    f"This Journey replaces the whole of {edit.name}, which leaves open what "
                    "stands there for a new token. Trace the longer prompt, with an array as long."
                )
        return _last(_blocks(model, self.token_ids, new, self._record, self.edits))

    def retrace(self, edits: Sequence[Edit], since: int) -> Journey:
        """The same tokens with more edits, computed anew from one position on.

        For edits that leave all positions before `since` as they were, such as other rows of
        hook_embed from there on: what comes before is taken over, not computed again.

        Args:
            edits: What is changed beside this Journey's own edits.
            since: The first position that changes, from 0.

        Raises:
            HookError: an edit does not fit, there is no such position, or the model is not here.
        """
        model = self._source.need_model("trace this Journey again")
        self._check_position(since)
        for edit in edits:
            edit.check(self.config, len(self))
        before, new = self.token_ids[:since], self.token_ids[since:]
        return _last(_blocks(model, before, new, self._record, (*self.edits, *edits)))

    def _first(self, cut: slice) -> Journey:
        start, stop, step = cut.indices(len(self))
        if start != 0 or step != 1 or stop < 1:
            raise PromptError(
                "A slice of a Journey keeps the first tokens, at least one: journey[:n]. What "
                "comes later was computed from what came before."
            )
        if stop == len(self):
            return self
        edits = tuple(edit.first(stop) for edit in self.edits)
        source = self._source.first(stop)
        return Journey(self.config, self.token_ids[:stop], self._record, source, edits)

    def save(self, path: str | PathLike[str], keep: str | None = None) -> None:
        """Writes the Journey as one safetensors file, to the side and then renamed.

        Args:
            path: The file to write.
            keep: "all" stores every activation and all logits and opens without the model;
                "stream" stores what the first pass kept. None: "all" up to 128 tokens.

        Raises:
            CheckpointError: the file cannot be written; an older one stays whole.
        """
        from tokenjourney.saving import save

        save(self, path, keep)

    @staticmethod
    def load(path: str | PathLike[str], model: Model | None = None) -> Journey:
        """Opens a saved Journey.

        Args:
            path: The file.
            model: The model it went through; with it, what is not stored is derived.

        Raises:
            CheckpointError: the file is not a saved Journey, is damaged, or is of another model.
        """
        from tokenjourney.saving import load

        return load(path, model)

    # ---- deriving --------------------------------------------------------------------------

    @property
    def stream(self) -> Tensor:
        """(n_layers + 1, T, d_model): what enters each block, and what leaves the last."""
        return self._record.stream[:, : len(self)]

    def _stored(self, name: str) -> Array | None:
        """An activation that need not be computed."""
        if (found := self._source.stored(name)) is not None:
            return found
        block = block_of(name)
        if block is not None and name.endswith("hook_resid_post"):
            return read_only(self.stream[block + 1])
        edited = any(edit.name == name for edit in self.edits)
        if block is not None and name.endswith("hook_resid_pre") and not edited:
            return read_only(self.stream[block])
        return self._derived.get(name if name.endswith(_ON_DEMAND) else _group(name)).get(name)

    def _derive(self, name: str) -> Array:
        model = self._source.need_model(f"derive {name}")
        block = block_of(name)
        by_itself = name.endswith(_ON_DEMAND)
        group = name if by_itself else _group(name)
        wanted = (name,) if by_itself else _derived_together(self.config, group)
        captured: dict[str, Array] = {}
        tap = _tap(self.edits, wanted, captured)
        network = model.network
        with torch.inference_mode():
            if block is not None:
                network.blocks[block](self.stream[block][None], tap.at(f"blocks.{block}"))
            elif group == "ln_final":
                network.ln_final(self.stream[-1][None], tap.at("ln_final"))
            else:
                network.embed(torch.tensor([self.token_ids]), 0, tap)
        self._derived.put(group, captured)
        return captured[name]


def trace(
    model: Model, prompt: str | Sequence[int] | NDArray[np.integer], edits: Sequence[Edit] = ()
) -> Journey:
    """Sends a prompt through a model and keeps the way.

    Args:
        model: From `load_model`.
        prompt: A text, or a sequence or array of token IDs.
        edits: Changes to the run: `ablate_head`, `ablate_mlp`, `scale`, `replace`.

    Returns:
        The Journey of this prompt.

    Raises:
        PromptError: the prompt is empty, too long, no valid Unicode, or of the wrong type.
        HookError: an edit does not fit the model or the prompt.
    """
    return _last(traced_blocks(model, prompt, edits))


def traced_blocks(
    model: Model, prompt: str | Sequence[int] | NDArray[np.integer], edits: Sequence[Edit] = ()
) -> Iterator[int | Journey]:
    """`trace` step by step, for who shows how far it is or lets others go first.

    Yields:
        The number of each block before it runs, then the Journey.

    Raises:
        PromptError, HookError: as `trace` does, before the first block.
    """
    ids = prompt_ids(model, prompt)
    for edit in edits:
        edit.check(model.config, len(ids))
    yield from _blocks(model, (), ids, None, tuple(edits))


def _last(steps: Iterator[int | Journey]) -> Journey:
    step: int | Journey = 0
    for step in steps:  # noqa: B007 (the Journey comes last)
        pass
    assert isinstance(step, Journey)
    return step


def _blocks(
    model: Model,
    before: tuple[int, ...],
    new: tuple[int, ...],
    record: Record | None,
    edits: tuple[Edit, ...],
) -> Iterator[int | Journey]:
    """The first pass over `new` tokens, behind those that `record` holds already."""
    config, network = model.config, model.network
    start = len(before)
    end = start + len(new)
    record = (record or Record(config, end)).claim(start, len(new))
    stores = [BlockStore(record, block, start) for block in range(config.n_layers)]
    tap = Tap(edit_hooks([edit.rest(start) for edit in edits]))
    stream = network.residual_stream(torch.tensor([new]), tap, stores, start)
    for depth in range(config.n_layers + 1):
        with torch.inference_mode():  # entered anew each time: a generator may change threads
            record.stream[depth, start:end] = next(stream)[0]
        if depth < config.n_layers:
            yield depth
    logits = unembedded(network, record.stream[-1, :end], edits, end - 1)
    yield Journey(config, before + new, record, Source(model.name, model), edits, logits)


def _tap(
    edits: Sequence[Edit],
    wanted: Sequence[str],
    captured: dict[str, Array],
    to_the_end: bool = True,
) -> Tap:
    """The edits, and behind them a watcher on each wanted activation."""
    hooks = edit_hooks(edits)

    def watcher(name: str) -> Hook:
        def watch(value: Tensor) -> None:
            captured[name] = read_only(value[0])
            if not to_the_end and len(captured) == len(wanted):
                raise _AllCaptured

        return watch

    for name in wanted:
        hooks.setdefault(name, []).append(watcher(name))
    return Tap(hooks)


@lru_cache(maxsize=256)
def _derived_together(config: GPT2Config, group: str) -> tuple[str, ...]:
    return tuple(
        name
        for name in hook_names(config)
        if _group(name) == group and not name.endswith(_ON_DEMAND)
    )


def _group(name: str) -> str:
    """What is derived in one go: a block, the embedding, or the final LayerNorm."""
    return ".".join(name.split(".")[:2]) if name.startswith("blocks.") else name.partition(".")[0]
