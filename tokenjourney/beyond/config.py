"""The sizes that define a model beyond GPT-2: which attention, which feed-forward part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tokenjourney.errors import CheckpointError
from tokenjourney.model.config import GPT2Config

AttentionKind = Literal["mha", "mqa", "gqa", "mla"]
FeedForwardKind = Literal["mlp", "swiglu", "moe"]


@dataclass(frozen=True)
class BeyondConfig(GPT2Config):
    """GPT-2's sizes, and those of what stands in its place.

    The symbols in brackets are those of the DeepSeek-V2 and V3 reports.

    Attributes:
        attention: "mha" as in GPT-2; "gqa" and "mqa", whose heads share keys and values; "mla",
            multi-head latent attention, which knows positions by rotation and has no W_pos.
        n_kv_heads: Heads that have keys and values of their own; n_heads for "mha", 1 for "mqa".
        d_latent: Length of the latent that keys and values are rebuilt from [d_c].
        d_query_latent: Length of the latent of the queries [d_c′]; 0: queries are not compressed.
        d_nope: Numbers of a head's query and key that know no position [d_h].
        d_rope: Numbers of a head's query, and of the key that all heads share, that are rotated by
            their position [d_h^R].
        d_value: Length of a head's values [d_h].
        rope_base: Base of the rotation's wavelengths.
        feed_forward: "mlp" as in GPT-2; "swiglu", gated; "moe", a mixture of gated experts.
        n_experts: Routed experts of a block [N_r].
        top_k: How many of them each token goes to [K_r].
        n_shared: Experts that every token goes to [N_s].
        d_expert: Width of one expert.
        n_groups: Groups that the routed experts stand in.
        top_groups: How many groups each token's experts may come from [M].
        router: "sigmoid", each expert judged alone, balanced by bias (V3); "softmax", all against
            each other, balanced by an auxiliary loss (the classical router).
        normalise_gates: Whether a token's gates are divided by their sum.
        gate_scale: What the gates are multiplied with.
        n_dense: Blocks at the bottom that keep a dense part, "swiglu", below a mixture.
        norm: "layer" as in GPT-2, or "rms".

    Raises:
        CheckpointError: a size is not positive, or two do not fit each other.
    """

    attention: AttentionKind = "mha"
    n_kv_heads: int = 0
    d_latent: int = 32
    d_query_latent: int = 64
    d_nope: int = 32
    d_rope: int = 16
    d_value: int = 32
    rope_base: float = 10_000.0
    feed_forward: FeedForwardKind = "mlp"
    n_experts: int = 16
    top_k: int = 4
    n_shared: int = 1
    d_expert: int = 64
    n_groups: int = 4
    top_groups: int = 2
    router: Literal["sigmoid", "softmax"] = "sigmoid"
    normalise_gates: bool = True
    gate_scale: float = 1.0
    n_dense: int = 0
    norm: Literal["layer", "rms"] = "layer"

    def __post_init__(self) -> None:
        """Fills in n_kv_heads and refuses what does not fit together."""
        super().__post_init__()
        if self.n_kv_heads == 0 or self.attention in ("mha", "mla", "mqa"):
            object.__setattr__(self, "n_kv_heads", 1 if self.attention == "mqa" else self.n_heads)
        for name, value, known in (
            ("attention", self.attention, ("mha", "mqa", "gqa", "mla")),
            ("feed_forward", self.feed_forward, ("mlp", "swiglu", "moe")),
            ("router", self.router, ("sigmoid", "softmax")),
            ("norm", self.norm, ("layer", "rms")),
        ):
            if value not in known:
                raise CheckpointError(f"{name} is {value!r}; it can be {', '.join(known)}.")
        for name in ("n_kv_heads", "d_latent", "d_nope", "d_value", "n_experts", "top_k"):
            _whole(name, getattr(self, name), 1)
        for name in ("d_expert", "n_groups", "top_groups"):
            _whole(name, getattr(self, name), 1)
        for name in ("d_query_latent", "d_rope", "n_shared", "n_dense"):
            _whole(name, getattr(self, name), 0)
        if self.n_heads % self.n_kv_heads:
            raise CheckpointError("n_heads must be a multiple of n_kv_heads, which share them.")
        if self.d_rope % 2 or (self.d_rope == 0 and self.attention == "mla"):
            raise CheckpointError("d_rope must be even and positive: it is rotated in pairs.")
        if self.n_experts % self.n_groups or self.top_groups > self.n_groups:
            raise CheckpointError("n_experts must be a multiple of n_groups, top_groups in them.")
        if self.top_k > self.top_groups * (self.n_experts // self.n_groups):
            raise CheckpointError("top_k is more than the experts of top_groups groups.")

    @property
    def latent(self) -> bool:
        """Whether attention goes by a latent."""
        return self.attention == "mla"

    @property
    def learned_positions(self) -> bool:
        """Whether there is a W_pos; latent attention has rotations instead."""
        return not self.latent

    @property
    def d_head(self) -> int:
        """Length of one head's query and key."""
        return self.d_nope + self.d_rope if self.latent else self.d_model // self.n_heads

    @property
    def kept_shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What a block keeps of each token: the latent and the rotated key, or keys and values."""
        if self.latent:
            return (1, self.d_latent), (1, self.d_rope)
        return (self.n_kv_heads, self.d_head), (self.n_kv_heads, self.d_head)

    def has_experts(self, block: int) -> bool:
        """Whether block `block` has a mixture of experts."""
        return self.feed_forward == "moe" and block >= self.n_dense

    def _attention_shapes(self, n_tokens: int) -> dict[str, tuple[int, ...]]:
        shapes = super()._attention_shapes(n_tokens)
        if not self.latent:
            kept = (n_tokens, self.n_kv_heads, self.d_head)
            return shapes | {"hook_k": kept, "hook_v": kept}
        queries = {"hook_q_latent": (n_tokens, self.d_query_latent)} if self.d_query_latent else {}
        value = (n_tokens, self.n_heads, self.d_value)
        return {
            **queries,
            "hook_q": shapes["hook_q"],
            "hook_latent": (n_tokens, self.d_latent),
            "hook_k_rot": (n_tokens, self.d_rope),
            **shapes,
            "hook_v": value,
            "hook_z": value,
        }

    def _feed_forward_shapes(self, block: int, n_tokens: int) -> dict[str, tuple[int, ...]]:
        if self.feed_forward == "mlp":
            return super()._feed_forward_shapes(block, n_tokens)
        if not self.has_experts(block):
            return {"hook_post": (n_tokens, self.d_mlp)}
        stream = (n_tokens, self.d_model)
        return {
            "hook_router_scores": (n_tokens, self.n_experts),
            "hook_gates": (n_tokens, self.n_experts),
            "hook_expert_out": (n_tokens, self.n_experts, self.d_model),
            **({"hook_shared_out": stream} if self.n_shared else {}),
        }


def config_of(fields: Mapping[str, Any]) -> GPT2Config:
    """The configuration that `dataclasses.asdict` took apart."""
    return BeyondConfig(**fields) if "attention" in fields else GPT2Config(**fields)


def _whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise CheckpointError(f"{name} is {value!r}, but must be a whole number from {least} up.")
