"""Small random networks beyond GPT-2."""

import torch

import tokenjourney as tj
from tokenjourney.beyond import BeyondConfig, make_network

SIZES = {"n_layers": 2, "n_heads": 4, "d_model": 32, "d_vocab": 257, "n_ctx": 48}
LATENT = {
    "attention": "mla",
    "d_latent": 12,
    "d_query_latent": 20,
    "d_nope": 10,
    "d_rope": 6,
    "d_value": 7,
}
EXPERTS = {
    "feed_forward": "moe",
    "n_experts": 8,
    "top_k": 2,
    "n_groups": 4,
    "top_groups": 2,
    "d_expert": 12,
}
KINDS = {
    "mqa": {"attention": "mqa"},
    "gqa": {"attention": "gqa", "n_kv_heads": 2},
    "mla": LATENT,
    "mla without query latent": LATENT | {"d_query_latent": 0},
    "moe": EXPERTS,
    "classical moe": EXPERTS | {"router": "softmax", "normalise_gates": False, "n_shared": 0},
    "mla and moe over a dense block": LATENT | EXPERTS | {"n_dense": 1, "norm": "rms"},
    "swiglu": {"feed_forward": "swiglu", "tied": False},
}


def config_of_kind(kind: str, **options) -> BeyondConfig:
    return BeyondConfig(**(SIZES | KINDS[kind] | options))


def model_of(config: BeyondConfig, seed: int = 0) -> tj.Model:
    """Random weights; the heads look at some tokens much more than at others."""
    network = make_network(config).eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.2, generator=generator)
        parameter.requires_grad_(False)
    for name, buffer in network.named_buffers():
        if name.endswith("router.bias"):
            torch.nn.init.normal_(buffer, 0.0, 0.1, generator=generator)
    return tj.Model("random", network, tj.Tokenizer.from_merges([(b"a", b"b")]))
