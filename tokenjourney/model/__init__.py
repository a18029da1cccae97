"""The network, its hook points, checkpoints and sampling."""

from tokenjourney.model.loading import load_model
from tokenjourney.model.model import Model

__all__ = ["Model", "load_model"]
