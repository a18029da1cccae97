"""What a reader chooses of a micro GPT's training, and what is recorded of it.

All of it can be written as JSON: the training runs in a process of its own, and is watched from
another.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from tokenjourney.errors import PromptError
from tokenjourney.model.config import GPT2Config

N_CTX: Final = 64
N_HEADS: Final = 4
MOST_CHARACTERS: Final = 60_000
FAILED: Final = "Failed"
"""The kind of a record that says why there will be no other."""


@dataclass(frozen=True)
class MicroSettings:
    """What the reader chooses.

    Attributes:
        text: What to learn; its last eighth is held out.
        n_merges: Merges of byte-level BPE learned from the text; 0 leaves single bytes.
        n_layers: Blocks.
        d_model: Length of the vectors, a multiple of 4 (the number of heads).
        steps: Training steps, each on 16 windows of 64 tokens.
        learning_rate: Peak rate of AdamW.
        seed: Of weights and order.
        twin: Whether a second network, the same but without skip connections, learns beside it.

    Raises:
        PromptError: the text is too long, or a number is out of range.
    """

    text: str
    n_merges: int = 0
    n_layers: int = 2
    d_model: int = 64
    steps: int = 300
    learning_rate: float = 3e-3
    seed: int = 0
    twin: bool = True

    def __post_init__(self) -> None:
        """Refuses what would not run, or run for long."""
        if len(self.text) > MOST_CHARACTERS:
            raise PromptError(
                f"The text has {len(self.text):,} characters. Take at most {MOST_CHARACTERS:,}."
            )
        ranges = {
            "n_merges": (0, 1024), "n_layers": (1, 8), "d_model": (8, 128), "steps": (1, 1000),
            "seed": (0, 2**31),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise PromptError(f"{name} is {value!r}; give a whole number from {low} to {high}.")
        if self.d_model % N_HEADS:
            raise PromptError(f"d_model is {self.d_model}; give a multiple of {N_HEADS}.")
        if not 0 < self.learning_rate <= 1:
            raise PromptError(f"learning_rate is {self.learning_rate!r}; give one from 0 to 1.")

    def config(self, d_vocab: int) -> GPT2Config:
        """The sizes of the network that is trained on a text of so many different tokens."""
        return GPT2Config(self.n_layers, N_HEADS, self.d_model, d_vocab, N_CTX)


@dataclass(frozen=True)
class Snapshot:
    """What is recorded now and then.

    Attributes:
        held_out: Loss on the held-out text, in nats per token.
        sample: What the network writes by itself.
        embedding: (n, d_model) rows of W_E, of the tokens of `Beginning.on_map`.
        patterns: (n_layers, n_heads, T, T) attention on the probe.
    """

    held_out: float
    sample: str
    embedding: list[list[float]]
    patterns: list[Any]


@dataclass(frozen=True)
class Moment:
    """What is recorded at every step, before its change of the weights.

    Attributes:
        step: Its number; 0 is the untrained network.
        loss: On its batch, in nats per token.
        norms: Lengths of the gradients, by part.
        twin_loss: The same of the twin without skip connections; None where there is none.
        twin_norms: And its gradients.
        snapshot: More, now and then.
    """

    step: int
    loss: float
    norms: tuple[float, ...]
    twin_loss: float | None = None
    twin_norms: tuple[float, ...] = ()
    snapshot: Snapshot | None = None


@dataclass(frozen=True)
class Beginning:
    """What is known before the first step.

    Attributes:
        vocabulary: The tokens, as hexadecimal bytes.
        on_map: IDs of the tokens whose embedding is recorded, the most frequent first.
        probe: IDs of the text whose attention is recorded.
        n_train: Tokens to learn from.
        n_held_out: Tokens held out.
        n_parameters: Numbers that are trained.
    """

    vocabulary: tuple[str, ...]
    on_map: tuple[int, ...]
    probe: tuple[int, ...]
    n_train: int
    n_held_out: int
    n_parameters: int


def as_record(found: Beginning | Moment) -> dict[str, Any]:
    """What JSON can hold of it; `from_record` is its inverse."""
    return {"kind": type(found).__name__, **asdict(found)}


def from_record(record: dict[str, Any]) -> Beginning | Moment:
    """The Beginning or Moment that `as_record` wrote."""
    values = dict(record)
    kind = values.pop("kind")
    tuples = ("vocabulary", "on_map", "probe", "norms", "twin_norms")
    values |= {name: tuple(values[name]) for name in tuples if name in values}
    if kind == "Beginning":
        return Beginning(**values)
    if values["snapshot"]:
        values["snapshot"] = Snapshot(**values["snapshot"])
    return Moment(**values)
