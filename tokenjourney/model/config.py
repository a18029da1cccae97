"""The sizes that define a GPT-2."""

from __future__ import annotations

from dataclasses import dataclass

from tokenjourney.errors import CheckpointError


@dataclass(frozen=True)
class GPT2Config:
    """Sizes and constants of one GPT-2.

    Attributes:
        n_layers: Number of transformer blocks.
        n_heads: Attention heads in each block.
        d_model: Length of the residual stream's vectors.
        d_vocab: Number of tokens in the vocabulary.
        n_ctx: Longest prompt, in tokens (rows of W_pos).
        d_mlp: Width of the feed-forward part; 4 · d_model where not given.
        layer_norm_eps: Added to the variance in LayerNorm.
        dropout: Share of activations zeroed in training, after the embedding and in each block
            before the residual add. Nothing is zeroed at inference.
        attention_dropout: The same for the attention pattern.
        tied: Whether the unembedding W_U is the transpose of W_E, as in GPT-2.

    Raises:
        CheckpointError: a size is not positive, or d_model is not a multiple of n_heads.

    Example:
        >>> GPT2Config(n_layers=12, n_heads=12, d_model=768, d_vocab=50257, n_ctx=1024).d_head
        64
    """

    n_layers: int
    n_heads: int
    d_model: int
    d_vocab: int
    n_ctx: int
    d_mlp: int = 0
    layer_norm_eps: float = 1e-5
    dropout: float = 0.0
    attention_dropout: float = 0.0
    tied: bool = True

    def __post_init__(self) -> None:
        """Fills in d_mlp and refuses sizes that no model can have."""
        if self.d_mlp == 0:
            object.__setattr__(self, "d_mlp", 4 * self.d_model)
        for name in ("n_layers", "n_heads", "d_model", "d_vocab", "n_ctx", "d_mlp"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise CheckpointError(f"{name} is {value!r}, but must be a whole number from 1 up.")
        if self.d_model % self.n_heads:
            raise CheckpointError(
                f"d_model is {self.d_model} and n_heads {self.n_heads}: d_model must be a multiple "
                "of n_heads, because the heads share its dimensions evenly."
            )
        if not (0 <= self.dropout < 1 and 0 <= self.attention_dropout < 1):
            raise CheckpointError("dropout and attention_dropout must be from 0 to below 1.")
        if not self.layer_norm_eps > 0:
            raise CheckpointError(f"layer_norm_eps is {self.layer_norm_eps}, but must be positive.")

    @property
    def d_head(self) -> int:
        """Length of one head's query and key vectors (in GPT-2 also of its values)."""
        return self.d_model // self.n_heads

    @property
    def learned_positions(self) -> bool:
        """Whether a position's row of W_pos is added to its token, as in GPT-2."""
        return True

    @property
    def kept_shapes(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What a block keeps of each token for those that come later: heads times numbers, twice.

        Here its keys and its values.
        """
        return (self.n_heads, self.d_head), (self.n_heads, self.d_head)

    def block_shapes(self, block: int, n_tokens: int) -> dict[str, tuple[int, ...]]:
        """The hook names of one block in forward order, and the shape of each activation.

        Args:
            block: Its number; the blocks of a GPT-2 are all alike.
            n_tokens: T, the length of the prompt. There is no batch dimension.
        """
        stream, scale = (n_tokens, self.d_model), (n_tokens, 1)
        attn, mlp = self._attention_shapes(n_tokens), self._feed_forward_shapes(block, n_tokens)
        return {
            "hook_resid_pre": stream,
            "ln1.hook_scale": scale,
            "ln1.hook_normalized": stream,
            **{f"attn.{name}": shape for name, shape in attn.items()},
            "hook_attn_out": stream,
            "hook_resid_mid": stream,
            "ln2.hook_scale": scale,
            "ln2.hook_normalized": stream,
            **{f"mlp.{name}": shape for name, shape in mlp.items()},
            "hook_mlp_out": stream,
            "hook_resid_post": stream,
        }

    def _attention_shapes(self, n_tokens: int) -> dict[str, tuple[int, ...]]:
        per_head = (n_tokens, self.n_heads, self.d_head)
        square = (self.n_heads, n_tokens, n_tokens)
        return {
            "hook_q": per_head,
            "hook_k": per_head,
            "hook_v": per_head,
            "hook_attn_scores": square,
            "hook_pattern": square,
            "hook_z": per_head,
            "hook_result": (n_tokens, self.n_heads, self.d_model),
        }

    def _feed_forward_shapes(self, block: int, n_tokens: int) -> dict[str, tuple[int, ...]]:
        return {"hook_pre": (n_tokens, self.d_mlp), "hook_post": (n_tokens, self.d_mlp)}
