"""Attention whose keys and values take less room: shared by heads, or compressed to a latent.

What a block must keep of each token, so that later ones can look at it:

    mha   n_heads keys and values            2 · n_heads · d_head numbers   (GPT-2)
    gqa   n_kv_heads keys and values         2 · n_kv_heads · d_head
    mqa   one key and one value              2 · d_head
    mla   one latent and one rotated key     d_latent + d_rope              (DeepSeek-V2, V3)

Shapes as in model/gpt2.py: B prompts of T tokens, S of them seen in all, weights as (in, out).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.beyond.parts import Projection, RMSNorm, rotated
from tokenjourney.model.gpt2 import KeyValueStore, Linear, may_look
from tokenjourney.model.hooks import NO_TAP, Tap

_WATCHED = ("hook_attn_scores", "hook_pattern")
LATENT_NORM_EPS = 1e-6


class GroupedAttention(nn.Module):
    """Causal attention whose heads share keys and values in groups.

    One group for each head is multi-head attention, one for all is multi-query attention (Shazeer,
    "Fast Transformer Decoding", 2019), what lies between is grouped-query attention (Ainslie et
    al., "GQA", 2023, section 2.2). Query head h looks at the keys of group h // (heads per group).
    """

    def __init__(self, config: BeyondConfig) -> None:
        super().__init__()
        self.n_heads, self.n_kv_heads = config.n_heads, config.n_kv_heads
        self.d_head = config.d_head
        self.query = Linear(config.d_model, config.n_heads * config.d_head)
        self.key = Linear(config.d_model, config.n_kv_heads * config.d_head)
        self.value = Linear(config.d_model, config.n_kv_heads * config.d_head)
        self.out = Linear(config.n_heads * config.d_head, config.d_model)
        self.dropout = config.attention_dropout

    def forward(self, x: Tensor, tap: Tap = NO_TAP, store: KeyValueStore | None = None) -> Tensor:
        """(B, T, d_model) → (B, T, d_model); with a store, x are the tokens after those in it."""
        q = tap("hook_q", self.query(x).unflatten(-1, (self.n_heads, self.d_head)))
        k = tap("hook_k", self.key(x).unflatten(-1, (self.n_kv_heads, self.d_head)))
        v = tap("hook_v", self.value(x).unflatten(-1, (self.n_kv_heads, self.d_head)))
        if store is not None:
            k, v = store.append(k, v)
        shared_by = self.n_heads // self.n_kv_heads
        k, v = (part.repeat_interleave(shared_by, dim=2) for part in (k, v))
        z = mixed_values(q, k, v, tap, self.dropout if self.training else 0.0)
        return mixed_heads(z, self.out.weight, self.out.bias, tap)


class LatentAttention(nn.Module):
    """Multi-head latent attention: keys and values are rebuilt from one short latent per token.

    DeepSeek-AI, "DeepSeek-V2" (2024), section 2.1 and appendix C, unchanged in "DeepSeek-V3"
    (2024), section 2.1.1, whose equations (1) to (11) are the lines below. The RMSNorms behind the
    two latents are named in V2, section 3.1.2.

    The rotation must not stand between W_UK and W_UQ, or they could not be absorbed into each
    other. So it has numbers of its own: d_rope for each head's query, and one key for all heads.
    """

    def __init__(self, config: BeyondConfig) -> None:
        super().__init__()
        self.n_heads, self.d_nope, self.d_rope = config.n_heads, config.d_nope, config.d_rope
        self.d_value, self.rope_base = config.d_value, config.rope_base
        self.dropout = config.attention_dropout
        d_model, heads = config.d_model, config.n_heads
        self.down_kv = Projection(d_model, config.d_latent)  # W_DKV
        self.norm_kv = RMSNorm(config.d_latent, LATENT_NORM_EPS)
        self.rot_k = Projection(d_model, config.d_rope)  # W_KR
        self.up_k = Projection(config.d_latent, heads * config.d_nope)  # W_UK
        self.up_v = Projection(config.d_latent, heads * config.d_value)  # W_UV
        d_query = config.d_query_latent or d_model
        self.down_q: Projection | None = None
        if config.d_query_latent:
            self.down_q = Projection(d_model, d_query)  # W_DQ
            self.norm_q = RMSNorm(d_query, LATENT_NORM_EPS)
        self.up_q = Projection(d_query, heads * config.d_nope)  # W_UQ
        self.rot_q = Projection(d_query, heads * config.d_rope)  # W_QR
        self.out = Projection(heads * config.d_value, d_model)  # W_O

    def forward(self, x: Tensor, tap: Tap = NO_TAP, store: KeyValueStore | None = None) -> Tensor:
        """(B, T, d_model) → (B, T, d_model); with a store, x are the tokens after those in it.

        The store gets the latent and the rotated key of each token, d_latent + d_rope numbers.
        Where tokens go on from a store and nobody asks for keys or values, they are never rebuilt.
        """
        start = store.length if store is not None else 0
        q = self.queries(x, start, tap)  # (B, T, head, d_nope + d_rope)
        latent = tap("hook_latent", self.norm_kv(self.down_kv(x)))  # (1): c_KV, (B, T, d_latent)
        k_rot = rotated(self.rot_k(x)[:, :, None], start, self.rope_base)[:, :, 0]  # (3)
        k_rot = tap("hook_k_rot", k_rot)  # (B, T, d_rope)
        if store is not None:
            kept = store.append(latent[:, :, None], k_rot[:, :, None])
            latent, k_rot = (part[:, :, 0] for part in kept)  # now of all S tokens
        if start and not tap.touches("hook_k", "hook_v"):
            z = self.absorbed(q, latent, k_rot, tap)
        else:
            z = self.expanded(q, latent, k_rot, tap)
        return mixed_heads(z, self.out.weight, None, tap)  # (11)

    def queries(self, x: Tensor, start: int = 0, tap: Tap = NO_TAP) -> Tensor:
        """(B, T, d_model) → (B, T, head, d_nope + d_rope), compressed on the way where asked."""
        if self.down_q is not None:
            x = tap("hook_q_latent", self.norm_q(self.down_q(x)))  # (6): c_Q
        still = self.up_q(x).unflatten(-1, (self.n_heads, self.d_nope))  # (7)
        turned = self.rot_q(x).unflatten(-1, (self.n_heads, self.d_rope))
        turned = rotated(turned, start, self.rope_base)  # (8)
        return tap("hook_q", torch.cat((still, turned), dim=-1))  # (9)

    def expanded(self, q: Tensor, latent: Tensor, k_rot: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """The values mixed, all keys and values rebuilt for it: (B, T, head, d_value).

        Args:
            q: (B, T, head, d_nope + d_rope).
            latent: (B, S, d_latent).
            k_rot: (B, S, d_rope), the key that all heads share.
            tap: Watches and edits.
        """
        still = self.up_k(latent).unflatten(-1, (self.n_heads, self.d_nope))  # (2)
        shared = k_rot[:, :, None].expand(*still.shape[:-1], self.d_rope)
        k = tap("hook_k", torch.cat((still, shared), dim=-1))  # (4)
        v = tap("hook_v", self.up_v(latent).unflatten(-1, (self.n_heads, self.d_value)))  # (5)
        return mixed_values(q, k, v, tap, self.dropout if self.training else 0.0)  # (10)

    def absorbed(self, q: Tensor, latent: Tensor, k_rot: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """The same without rebuilding a single key or value (V2, section 2.1.2).

        q · (c W_UK) is (q W_UKᵀ) · c: the query goes down to the latent once, instead of every
        latent going up to a key. Σ p (c W_UV) is (Σ p c) W_UV: latents are mixed, then one goes up.
        """
        up_k = self.up_k.weight.view(-1, self.n_heads, self.d_nope)  # (d_latent, head, d_nope)
        up_v = self.up_v.weight.view(-1, self.n_heads, self.d_value)
        still, turned = q[..., : self.d_nope], q[..., self.d_nope :]
        asked = torch.einsum("bthn,chn->bhtc", still, up_k)
        scores = asked @ latent[:, None].mT + turned.transpose(1, 2) @ k_rot[:, None].mT
        pattern = attention_pattern(scores / math.sqrt(q.shape[-1]), tap)
        mixed = pattern @ latent[:, None]  # (B, head, T, d_latent)
        return tap("hook_z", torch.einsum("bhtc,chv->bthv", mixed, up_v))


def mixed_values(q: Tensor, k: Tensor, v: Tensor, tap: Tap, dropout: float = 0.0) -> Tensor:
    """softmax(Q Kᵀ / √d, future masked) V: (B, T, head, d_v), from (B, S, head, …) keys, values."""
    q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
    new, seen = q.shape[-2], k.shape[-2]
    if tap.touches(*_WATCHED):
        pattern = attention_pattern(q @ k.mT / math.sqrt(q.shape[-1]), tap)
        z = F.dropout(pattern, dropout) @ v
    elif new == seen:
        z = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
    else:
        mask = None if new == 1 else may_look(new, seen, q.device)
        z = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
    return tap("hook_z", z.transpose(1, 2))


def attention_pattern(scores: Tensor, tap: Tap) -> Tensor:
    """(B, head, T, S) scores, not masked yet → shares that each query gives; rows sum to 1."""
    new, seen = scores.shape[-2:]
    scores = scores.masked_fill(~may_look(new, seen, scores.device), -math.inf)
    return tap("hook_pattern", tap("hook_attn_scores", scores).softmax(dim=-1))


def mixed_heads(z: Tensor, w_out: Tensor, bias: Tensor | None, tap: Tap) -> Tensor:
    """W_O: what the heads found, added up into the stream. (B, T, head, d) → (B, T, d_model)."""
    if tap.touches("hook_result"):
        per_head = w_out.view(*z.shape[-2:], -1)
        out = tap("hook_result", torch.einsum("bthd,hdm->bthm", z, per_head)).sum(dim=2)
    else:
        out = z.flatten(-2) @ w_out
    return out if bias is None else out + bias
