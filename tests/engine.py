"""A small random network for tests of the engine."""

import numpy as np
import torch

import tokenjourney as tj
from tokenjourney.model.config import GPT2Config
from tokenjourney.model.gpt2 import GPT2

CONFIG = GPT2Config(n_layers=3, n_heads=4, d_model=32, d_vocab=257, n_ctx=48)
TEXT = "ab to cab"


def random_model(config: GPT2Config = CONFIG, seed: int = 0) -> tj.Model:
    network = GPT2(config).eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.2, generator=generator)
        parameter.requires_grad_(False)
    return tj.Model("random", network, tj.Tokenizer.from_merges([(b"a", b"b")]))


def close(left, right, tolerance=1e-5):
    np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)
