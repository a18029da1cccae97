"""Token Journey: ride along with the tokens of a prompt through a real GPT-2.

>>> import tokenjourney as tj
>>> model = tj.load_model()
>>> journey = tj.trace(model, "Once upon a time there was a little")
>>> journey["pattern", 0].shape
(6, 8, 8)
"""

from tokenjourney.edits import Edit, ablate_head, ablate_mlp, replace, scale
from tokenjourney.errors import (
    CheckpointError,
    HookError,
    ModelNotFoundError,
    PromptError,
    TokenJourneyError,
)
from tokenjourney.generation import Step, generate
from tokenjourney.journey import Journey, Prediction, trace
from tokenjourney.model import Model, load_model
from tokenjourney.tokenizer import Token, Tokenizer
from tokenjourney.training.bpe import train_bpe

__all__ = [
    "CheckpointError",
    "Edit",
    "HookError",
    "Journey",
    "Model",
    "ModelNotFoundError",
    "Prediction",
    "PromptError",
    "Step",
    "Token",
    "TokenJourneyError",
    "Tokenizer",
    "ablate_head",
    "ablate_mlp",
    "generate",
    "load_model",
    "replace",
    "scale",
    "trace",
    "train_bpe",
]
