"""GPT-2, from scratch, to be read beside the paper.

Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), and for the shape of
a block Vaswani et al., "Attention Is All You Need" (2017), with LayerNorm moved to the front.

Shapes: B prompts of T tokens. Weights stand as (in, out), so that every layer is y = x W + b.
`tap` watches and edits what flows by; see hooks.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokenjourney.model.config import GPT2Config
from tokenjourney.model.hooks import NO_TAP, Tap
from tokenjourney.model.packing import STRIPS_UP_TO, Product, packed


class KeyValueStore(Protocol):
    """Where one block keeps the keys and values of the tokens it has seen.

    Attributes:
        length: How many they are.
    """

    length: int

    def append(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Stores keys and values (B, t, n_heads, d_head); returns those of all tokens so far."""
        ...


class Linear(nn.Module):
    """y = x W + b, with W as (d_in, d_out).

    Attributes:
        product: The same from a packed copy of W, for runs without gradients; see packing.py.
    """

    def __init__(self, d_in: int, d_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d_in, d_out))
        self.bias = nn.Parameter(torch.zeros(d_out))
        self.product: Product | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(…, d_in) → (…, d_out)."""
        if self.product is not None and not torch.is_grad_enabled():
            return self.product(x, self.bias)
        flat = torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight)
        return flat.view(*x.shape[:-1], flat.shape[-1])


class LayerNorm(nn.Module):
    """Brings each vector to mean 0 and variance 1, then applies a learned gain and bias.

    Ba, Kiros and Hinton, "Layer Normalization" (2016): (x − mean) / √(variance + ε) · gain + bias,
    with mean and variance over the d_model numbers of one token.
    """

    def __init__(self, d_model: int, eps: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """(…, d_model) → (…, d_model); torch's fused kernel where nobody asks for the scale."""
        if tap.touches("hook_scale"):
            centred = x - x.mean(-1, keepdim=True)
            variance = centred.square().mean(-1, keepdim=True)
            scale = tap("hook_scale", (variance + self.eps).sqrt())
            y = centred / scale * self.gain + self.bias
        else:
            y = F.layer_norm(x, x.shape[-1:], self.gain, self.bias, self.eps)
        return tap("hook_normalized", y)


class Attention(nn.Module):
    """Causal multi-head attention.

    Per head: softmax(Q Kᵀ / √d_head, future masked) V, then W_O mixes the heads (Vaswani et al.,
    section 3.2).
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.n_heads, self.d_head = config.n_heads, config.d_head
        self.qkv = Linear(config.d_model, 3 * config.d_model)
        self.out = Linear(config.d_model, config.d_model)
        self.dropout = config.attention_dropout

    def forward(self, x: Tensor, tap: Tap = NO_TAP, store: KeyValueStore | None = None) -> Tensor:
        """(B, T, d_model) → (B, T, d_model); with a store, x are the tokens after those in it."""
        heads = (*x.shape[:-1], self.n_heads, self.d_head)
        q, k, v = (
            part.view(heads) for part in self.qkv(x).chunk(3, dim=-1)
        )  # (B, T, head, d_head)
        q, k, v = tap("hook_q", q), tap("hook_k", k), tap("hook_v", v)
        if store is not None:
            k, v = store.append(k, v)
        # heads beside the batch: each head is a matrix product of its own
        z = self._mix(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), tap)
        z = tap("hook_z", z.transpose(1, 2))  # (B, T, head, d_head)
        if tap.touches("hook_result"):
            w_out = self.out.weight.view(self.n_heads, self.d_head, -1)
            result = torch.einsum("bthd,hdm->bthm", z, w_out)
            return tap("hook_result", result).sum(dim=2) + self.out.bias
        out: Tensor = self.out(z.reshape(x.shape))
        return out

    def _mix(self, q: Tensor, k: Tensor, v: Tensor, tap: Tap) -> Tensor:
        """The values, mixed by who looks at whom: (B, head, T, d_head) of the queries."""
        new, seen = q.shape[-2], k.shape[-2]
        dropout = self.dropout if self.training else 0.0
        if not tap.touches("hook_attn_scores", "hook_pattern"):
            if new == seen:
                return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)
            mask = None if new == 1 else may_look(new, seen, q.device)
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
        # in place: at 1,000 tokens the scores of a block are 48 MB, and each copy takes a while
        scores = (q @ k.transpose(-1, -2)).div_(math.sqrt(self.d_head))
        scores = scores.masked_fill_(~may_look(new, seen, q.device), -math.inf)
        scores = tap("hook_attn_scores", scores)
        pattern = tap("hook_pattern", scores.softmax(dim=-1))
        return F.dropout(pattern, dropout) @ v


def may_look(new: int, seen: int, device: torch.device) -> Tensor:
    """(new, seen): True where a query may look at a key, which is at itself and back."""
    return torch.ones(new, seen, dtype=torch.bool, device=device).tril(seen - new)


class MLP(nn.Module):
    """The feed-forward part: d_model → d_mlp → d_model, each token alone.

    GELU in its tanh form, 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): Hendrycks and Gimpel,
    "Gaussian Error Linear Units" (2016), section 2.
    """

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.up = Linear(config.d_model, config.d_mlp)
        self.down = Linear(config.d_mlp, config.d_model)

    def forward(self, x: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """(B, T, d_model) → (B, T, d_model)."""
        pre = tap("hook_pre", self.up(x))
        # in place where nobody needs what it was: at 1,000 tokens these are 12 MB
        needed = torch.is_grad_enabled() or tap.touches("hook_pre")
        gelu = F.gelu if needed else torch.ops.aten.gelu_
        post = tap("hook_post", gelu(pre, approximate="tanh"))
        out: Tensor = self.down(post)
        return out


class Block(nn.Module):
    """One transformer block: attention, then feed-forward, each added to the residual stream."""

    def __init__(
        self,
        config: GPT2Config,
        attn: nn.Module | None = None,
        mlp: nn.Module | None = None,
        norm: type[nn.Module] = LayerNorm,
    ) -> None:
        """GPT-2's own attention and MLP where no others are given."""
        super().__init__()
        self.ln1 = norm(config.d_model, config.layer_norm_eps)
        self.attn = attn or Attention(config)
        self.ln2 = norm(config.d_model, config.layer_norm_eps)
        self.mlp = mlp or MLP(config)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, tap: Tap = NO_TAP, store: KeyValueStore | None = None) -> Tensor:
        """(B, T, d_model) → (B, T, d_model)."""
        x = tap("hook_resid_pre", x)
        attn_out = self.attn(self.ln1(x, tap.at("ln1")), tap.at("attn"), store)
        attn_out = self.drop(attn_out) if self.training else attn_out
        x = tap("hook_resid_mid", x + tap("hook_attn_out", attn_out))
        mlp_out = self.mlp(self.ln2(x, tap.at("ln2")), tap.at("mlp"))
        mlp_out = self.drop(mlp_out) if self.training else mlp_out
        return tap("hook_resid_post", x + tap("hook_mlp_out", mlp_out))


class GPT2(nn.Module):
    """The whole network. Holds weights and nothing of a run, so threads can share it."""

    def __init__(self, config: GPT2Config) -> None:
        super().__init__()
        self.config = config
        self.W_E = nn.Parameter(torch.empty(config.d_vocab, config.d_model))
        if config.learned_positions:
            self.W_pos = nn.Parameter(torch.empty(config.n_ctx, config.d_model))
        self.drop = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(self.make_block(index) for index in range(config.n_layers))
        self.ln_final = self.norm(config.d_model, config.layer_norm_eps)
        if not config.tied:
            self.W_U_untied = nn.Parameter(torch.empty(config.d_vocab, config.d_model))
        self.unembedding: Product | None = None  # the product with a packed W_U
        self._products: list[Product] = []  # all that were packed

    @property
    def norm(self) -> type[nn.Module]:
        """What brings the stream's vectors to one size; other networks have another."""
        return LayerNorm

    def make_block(self, index: int) -> Block:
        """Block `index` as it is before training; other networks put other parts in."""
        return Block(self.config)

    @property
    def W_U(self) -> Tensor:
        """The unembedding (d_model, d_vocab): the transpose of W_E where the two are tied."""
        rows: Tensor = self.W_E if self.config.tied else self.W_U_untied
        return rows.T

    @property
    def packed_bytes(self) -> int:
        """Memory of what `pack` made, beside the weights themselves."""
        return sum(product.n_bytes for product in self._products)

    def pack(self, weights: str = "fp32") -> None:
        """Has the large weights laid out anew for runs without gradients, once they are final.

        Args:
            weights: "fp32", or what all of them are rounded to: "bf16" or "int8".
        """
        parts = [part for part in self.modules() if isinstance(part, Linear)]
        strips = sum(parameter.numel() for parameter in self.parameters()) <= STRIPS_UP_TO
        with ThreadPoolExecutor(2) as pool:  # to round takes a while: two at a time
            rows = (part.weight.T for part in parts)
            products = pool.map(lambda each: packed(each, weights, strips), rows)
            self.unembedding = packed(self.W_U.T, weights)
            made = list(products)
        for part, product in zip(parts, made, strict=True):
            part.product = product
        self._products = [product for product in (*made, self.unembedding) if product]

    def initialise(self, generator: torch.Generator) -> None:
        """Random weights as GPT-2 had them before training.

        Normal with deviation 0.02 (W_pos 0.01), what writes into the residual stream divided by
        √(2 · n_layers) (Radford et al., section 2.3).
        """
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() < 2:
                    continue
                deviation = 0.01 if name == "W_pos" else 0.02
                if name.endswith((".out.weight", ".down.weight")):
                    deviation /= math.sqrt(2 * self.config.n_layers)
                parameter.normal_(0.0, deviation, generator=generator)

    def embed(self, ids: Tensor, start: int = 0, tap: Tap = NO_TAP) -> Tensor:
        """(B, T) IDs, the first at position `start` → (B, T, d_model), token plus position."""
        x = tap("hook_embed", F.embedding(ids, self.W_E))
        if self.config.learned_positions:
            rows = self.W_pos[start : start + ids.shape[-1]].expand_as(x)
            x = x + tap("hook_pos_embed", rows)
        dropped: Tensor = self.drop(x)
        return dropped

    def residual_stream(
        self,
        ids: Tensor,
        tap: Tap = NO_TAP,
        stores: Sequence[KeyValueStore] | None = None,
        start: int = 0,
    ) -> Iterator[Tensor]:
        """The stream (B, T, d_model) before each block, and last after the final one.

        Args:
            ids: (B, T) token IDs.
            tap: Watches and edits.
            stores: One per block, holding the keys and values of tokens 0 to `start`.
            start: Position of the first of `ids`.
        """
        x = self.embed(ids, start, tap)
        for index, block in enumerate(self.blocks):
            yield x
            x = block(x, tap.at(f"blocks.{index}"), stores[index] if stores else None)
        yield x

    def unembed(self, x: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """Final LayerNorm, then scores for every token: (…, d_model) → logits (…, d_vocab)."""
        x = self.ln_final(x, tap.at("ln_final"))
        if self.unembedding is not None and not torch.is_grad_enabled():
            return self.unembedding(x, None)
        return x @ self.W_U

    def forward(self, ids: Tensor, tap: Tap = NO_TAP) -> Tensor:
        """(B, T) token IDs → logits (B, T, d_vocab)."""
        x = None
        for x in self.residual_stream(ids, tap):  # noqa: B007 (the last one is wanted)
            pass
        assert x is not None
        return self.unembed(x, tap)
