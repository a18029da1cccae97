"""Counting work and memory: what a KV cache saves, by formula."""

from __future__ import annotations

from tokenjourney.model.config import GPT2Config


def products_for(config: GPT2Config, n_new: int, n_seen: int = 0) -> int:
    """Multiplications of one forward pass that ends in the logits of its last position.

    Per new token and block: the matrices of q, k, v and out (4 · d_model²) and of the feed-forward
    part (2 · d_model · d_mlp); per pair of query and key d_model for the score and d_model for
    the values. At the end the unembedding of one token. (Kaplan et al., "Scaling Laws for Neural
    Language Models", 2020, section 2.1, which counts each multiplication and addition as two.)

    Args:
        config: Sizes of the model.
        n_new: Tokens that are computed.
        n_seen: Tokens before them whose keys and values are kept.

    Example:
        >>> sizes = GPT2Config(n_layers=1, n_heads=1, d_model=2, d_vocab=3, n_ctx=8)
        >>> products_for(sizes, 1)
        58
    """
    matrices = 4 * config.d_model**2 + 2 * config.d_model * config.d_mlp
    pairs = n_new * n_seen + n_new * (n_new + 1) // 2
    blocks = config.n_layers * (n_new * matrices + 2 * pairs * config.d_model)
    return blocks + config.d_model * config.d_vocab


def cache_bytes(config: GPT2Config, n_tokens: int, bytes_each: int = 4) -> int:
    """Memory of what is kept of so many tokens: of a GPT-2, keys and values.

    2 · n_layers · n_heads · d_head · T numbers; other kinds of attention keep what
    `config.kept_shapes` says in place of 2 · n_heads · d_head.

    Example:
        >>> sizes = GPT2Config(n_layers=2, n_heads=1, d_model=4, d_vocab=3, n_ctx=8)
        >>> cache_bytes(sizes, 10)
        640
    """
    return config.n_layers * kept_of_token(config) * n_tokens * bytes_each


def kept_of_token(config: GPT2Config) -> int:
    """Numbers that a block keeps of one token.

    Example:
        >>> kept_of_token(GPT2Config(n_layers=2, n_heads=1, d_model=4, d_vocab=3, n_ctx=8))
        8
    """
    return sum(n_heads * d_each for n_heads, d_each in config.kept_shapes)
