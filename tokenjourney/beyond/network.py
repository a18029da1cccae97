"""A network built from a configuration: GPT-2's frame, with other parts in its blocks."""

from __future__ import annotations

from torch import nn

from tokenjourney.beyond.attention import GroupedAttention, LatentAttention
from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.beyond.moe import MixtureOfExperts
from tokenjourney.beyond.parts import RMSNorm, SwiGLU
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2, MLP, Attention, Block, LayerNorm


class BeyondGPT2(GPT2):
    """GPT-2 whose attention and feed-forward part are those that the configuration names."""

    config: BeyondConfig

    @property
    def norm(self) -> type[nn.Module]:
        """LayerNorm or RMSNorm."""
        return RMSNorm if self.config.norm == "rms" else LayerNorm

    def make_block(self, index: int) -> Block:
        """Block `index`, with the parts that the configuration names."""
        return Block(self.config, self._attention(), self._feed_forward(index), self.norm)

    def _attention(self) -> nn.Module:
        if self.config.latent:
            return LatentAttention(self.config)
        shares = self.config.n_kv_heads < self.config.n_heads
        return GroupedAttention(self.config) if shares else Attention(self.config)

    def _feed_forward(self, index: int) -> nn.Module:
        config = self.config
        if config.has_experts(index):
            return MixtureOfExperts(config)
        is_gpt2 = config.feed_forward == "mlp"
        return MLP(config) if is_gpt2 else SwiGLU(config.d_model, config.d_mlp)


def make_network(config: GPT2Config) -> GPT2:
    """The network of these sizes; its weights are not set yet."""
    return BeyondGPT2(config) if isinstance(config, BeyondConfig) else GPT2(config)


def active_parameters(network: GPT2) -> int:
    """The trained numbers that one token meets.

    Of the routed experts only top_k in each block, and of an embedding that is not the unembedding
    too, one row.
    """
    total = sum(parameter.numel() for parameter in network.parameters())
    if not network.config.tied:
        total -= network.W_E[1:].numel()
    for block in network.blocks:
        if isinstance(block.mlp, MixtureOfExperts):
            experts = block.mlp.experts
            each = sum(parameter.numel() for parameter in experts[0].parameters())
            total -= (len(experts) - block.mlp.router.config.top_k) * each
    return total
