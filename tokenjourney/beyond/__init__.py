"""What came after GPT-2, from scratch: attention with a small cache, and mixtures of experts.

    config      the sizes, and which kind of attention and feed-forward part
    parts       SwiGLU, RMSNorm, rotary positions
    attention   multi-head, grouped-query, multi-query and latent attention
    moe         the router and the experts
    network     GPT-2's frame with these parts in its blocks
    checkpoints folders of a model_type of their own

The package builds on tokenjourney.model and uses its hook points, so that a Journey, its edits and
the training loop take these models as they take a GPT-2. Of tokenjourney.model only `load_model`
knows that they exist.
"""

from tokenjourney.beyond.config import BeyondConfig
from tokenjourney.beyond.network import BeyondGPT2, active_parameters, make_network

__all__ = ["BeyondConfig", "BeyondGPT2", "active_parameters", "make_network"]
