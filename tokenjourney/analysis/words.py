"""Which single token a person means who types a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenjourney.errors import PromptError

if TYPE_CHECKING:
    from tokenjourney.tokenizer import Tokenizer

_SHOWN = str.maketrans({"·": " ", "↵": "\n", "⇥": "\t"})


def typed_token(typed: str, tokenizer: Tokenizer | None, d_vocab: int) -> int:
    """The ID of the one token that was typed: a word, or an ID such as 520 or #520.

    A word is taken with a space before it where that is one token, as words stand in a text; then
    without. `·dog` and ` dog` mean the token with the space. What is shown as ·, ↵ and ⇥ can be
    typed so.

    Args:
        typed: What the person typed.
        tokenizer: Of the model; None where it takes IDs only.
        d_vocab: How many IDs there are.

    Raises:
        PromptError: nothing was typed, several tokens, or no ID of this model.
    """
    word = typed.translate(_SHOWN)
    if not typed.strip():
        raise PromptError("Type a word of the vocabulary, or a token ID.")
    if tokenizer is not None:
        spaced = word if word[0].isspace() else f" {word}"
        for text in (spaced, word):
            ids = tokenizer.encode(text)
            if len(ids) == 1:
                return ids[0]
        if word in tokenizer.special_tokens:
            return tokenizer.special_tokens[word]
    number = word.strip().removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 10:
        if int(number) < d_vocab:
            return int(number)
        raise PromptError(f"There is no token {number}: this vocabulary has 0 to {d_vocab - 1}.")
    if tokenizer is None:
        raise PromptError(f"This model takes token IDs: type a number from 0 to {d_vocab - 1}.")
    pieces = " + ".join(tokenizer.visible(i) for i in tokenizer.encode(spaced)[:8])
    raise PromptError(
        f"“{typed.strip()[:40]}” is no single token here but several: {pieces}. One row of W_E "
        "belongs to one token, so type a word that is one token, or a token ID."
    )


def typing_of(token_id: int, tokenizer: Tokenizer | None, d_vocab: int) -> str | None:
    """What to type to mean this token: its visible text, or else its ID; None if nothing does."""
    forms = [f"#{token_id}", str(token_id)]
    if tokenizer is not None:
        forms.insert(0, tokenizer.visible(token_id))
    for typed in forms:
        if _id_of(typed, tokenizer, d_vocab) == token_id:
            return typed
    return None


def known_examples(
    examples: list[list[str]], tokenizer: Tokenizer | None, d_vocab: int
) -> list[list[str]]:
    """Those examples of which every word is one token of this vocabulary."""
    return [
        words
        for words in examples
        if all(_id_of(word, tokenizer, d_vocab) is not None for word in words)
    ]


def _id_of(typed: str, tokenizer: Tokenizer | None, d_vocab: int) -> int | None:
    try:
        return typed_token(typed, tokenizer, d_vocab)
    except PromptError:
        return None
