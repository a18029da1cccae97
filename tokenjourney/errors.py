"""Every error a caller can act on.

All of them derive from `TokenJourneyError`, so one `except` clause serves a page, a script or the
command line. Each message says what happened, what was expected, and what to do.
"""


class TokenJourneyError(Exception):
    """The base of every error that Token Journey raises on purpose."""


class PromptError(TokenJourneyError):
    """A prompt, or a sequence of token IDs, that cannot be run.

    Empty or too long, not valid Unicode (a lone surrogate), of the wrong type, with IDs outside
    the vocabulary, or a text for a model that takes token IDs only.
    """


class CheckpointError(TokenJourneyError):
    """A checkpoint (or a saved Journey, or a tokenizer file) that cannot be used.

    Truncated or missing files, a wrong config.json, another architecture, tensors that are
    missing, extra or misshapen: the message names all of them at once.
    """


class ModelNotFoundError(TokenJourneyError):
    """A model that could not be found or fetched.

    Unknown name, Hub out of reach, access not granted. The message names the ways out.
    """


class HookError(TokenJourneyError):
    """An unknown hook, block, head or position, or an edit that cannot be applied."""


class UnsupportedTokenizerError(CheckpointError):
    """A tokenizer that is not GPT-2's byte-level BPE, or not in the form that tiktoken needs.

    A checkpoint with such a tokenizer loads nevertheless and takes token IDs only; this message is
    its `tokenizer_problem`.
    """
