"""Tokenizer files in Hugging Face's layout, read into what tiktoken needs, or refused.

Read are tokenizer.json, or vocab.json and merges.txt (as published with GPT-2: encoder.json and
vocab.bpe), with what tokenizer_config.json says beside them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokenjourney.bpe import byte_alphabet
from tokenjourney.errors import CheckpointError, UnsupportedTokenizerError

TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
_FILE_PAIRS = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
_TOKENIZER_CLASSES = ("GPT2Tokenizer", "GPT2TokenizerFast", "PreTrainedTokenizerFast")
_ALPHABET = byte_alphabet()
# Printable character → byte as Latin-1; what is not of the alphabet becomes unencodable.
_TO_LATIN_1 = dict.fromkeys(range(256), 0x2FF) | {ord(c): b for b, c in enumerate(_ALPHABET)}
_LARGEST_ID = 10_000_000  # room is made for every ID up to the largest

Pairs = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What a tokenizer is made of.

    Attributes:
        ranks: Bytes of every token that encoding can give → ID. IDs are in the order of merges.
        special: Tokens matched in a text as a whole, before BPE, only where they are asked for.
        always: Those of `special` that are matched in every text.
        unreachable: Other tokens with an ID; no text leads to them, but they can be decoded.
    """

    ranks: dict[bytes, int]
    special: dict[str, int] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    unreachable: dict[int, bytes] = field(default_factory=dict)


def read_vocabulary(folder: Path) -> Vocabulary:
    """Reads the tokenizer files of a checkpoint's folder.

    Raises:
        UnsupportedTokenizerError: there are none, or they describe another kind of tokenizer.
        CheckpointError: a file is damaged.
    """
    config = _read_json(folder / "tokenizer_config.json", optional=True)
    _refuse_options(config, "tokenizer_config.json")
    if (folder / "tokenizer.json").is_file():
        return _from_tokenizer_json(_read_json(folder / "tokenizer.json"))
    for vocab_name, merges_name in _FILE_PAIRS:
        present = [name for name in (vocab_name, merges_name) if (folder / name).is_file()]
        if len(present) == 2:
            _refuse_class(config.get("tokenizer_class"))
            declared = _declared_tokens(folder, config)
            vocab = _read_json(folder / vocab_name)
            return _vocabulary(vocab, _read_merges(folder / merges_name), declared)
        if present:
            (missing,) = {vocab_name, merges_name} - set(present)
            raise UnsupportedTokenizerError(f"The folder holds {present[0]} but no {missing}.")
    raise UnsupportedTokenizerError(
        "The folder holds no tokenizer files (tokenizer.json, or vocab.json and merges.txt)."
    )


def write_vocabulary(
    vocabulary: Vocabulary, pairs: Sequence[tuple[bytes, bytes]]
) -> dict[str, str]:
    """The files, by name, that `read_vocabulary` and `transformers` read.

    Args:
        vocabulary: The tokens.
        pairs: The two parts of every merge, in order.
    """
    texts = {_printable(data): token_id for data, token_id in vocabulary.ranks.items()}
    texts |= {_printable(data): token_id for token_id, data in vocabulary.unreachable.items()}
    texts |= vocabulary.special
    texts = dict(sorted(texts.items(), key=lambda item: item[1]))
    merges = [f"{_printable(left)} {_printable(right)}" for left, right in pairs]
    added = {
        str(token_id): {
            "content": text,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": text not in vocabulary.always,
        }
        for text, token_id in vocabulary.special.items()
    }
    config: dict[str, Any] = {
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "tokenizer_class": "GPT2Tokenizer",
    }
    ends = [text for text in vocabulary.special if text not in vocabulary.always]
    if ends:
        config |= dict.fromkeys(("bos_token", "eos_token", "unk_token"), ends[0])
    return {
        "vocab.json": json.dumps(texts, ensure_ascii=False),
        "merges.txt": "\n".join(["#version: 0.2", *merges, ""]),
        "tokenizer_config.json": json.dumps(config, indent=2, ensure_ascii=False) + "\n",
    }


def _printable(data: bytes) -> str:
    return "".join(_ALPHABET[byte] for byte in data)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(
            f"{path} cannot be read as UTF-8 text ({error}). Fetch the file again."
        ) from error


def _read_json(path: Path, optional: bool = False) -> dict[str, Any]:
    if optional and not path.is_file():
        return {}
    try:
        content = json.loads(_read_text(path))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not valid JSON ({error}). It may be cut short; fetch the file again."
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(
            f"{path} holds a JSON {type(content).__name__}, where an object was expected."
        )
    return content


def _read_merges(path: Path) -> list[str]:
    lines = _read_text(path).replace("\r\n", "\n").split("\n")
    if lines[0].startswith("#version"):
        lines = lines[1:]
    return [line for line in lines if line]


def _refuse_options(options: Mapping[str, Any], where: str) -> None:
    """Refuses what would change a text before or after BPE."""
    for option, effect in (
        ("add_prefix_space", "puts a space before every text"),
        ("add_bos_token", "puts a token before every text"),
        ("add_eos_token", "puts a token after every text"),
    ):
        if options.get(option):
            raise UnsupportedTokenizerError(
                f"{where} sets {option}, which {effect}; only GPT-2's own form is supported."
            )


def _refuse_class(name: object) -> None:
    if name is not None and name not in _TOKENIZER_CLASSES:
        raise UnsupportedTokenizerError(
            f"tokenizer_config.json names the tokenizer class {name!r}; only GPT-2's byte-level "
            "BPE (GPT2Tokenizer) is supported."
        )


def _refuse_stripping(token: Mapping[str, Any], content: str) -> None:
    for option in ("lstrip", "rstrip", "single_word"):
        if token.get(option):
            raise UnsupportedTokenizerError(
                f"The added token {content!r} is set to {option}, which is not supported."
            )


def _declared_tokens(folder: Path, config: Mapping[str, Any]) -> dict[str, tuple[int | None, bool]]:
    """Added tokens that stand beside vocab.json: text → ID (None: see vocab.json), special?"""
    declared: dict[str, tuple[int | None, bool]] = {"<|endoftext|>": (None, True)}
    named: dict[str, Any] = _read_json(folder / "special_tokens_map.json", optional=True) | {
        key: value for key, value in config.items() if key.endswith(("_token", "_special_tokens"))
    }
    for value in named.values():
        for token in value if isinstance(value, list) else [value]:
            text = token.get("content") if isinstance(token, dict) else token
            if isinstance(text, str):
                declared[text] = (None, True)
    for text, token_id in _read_json(folder / "added_tokens.json", optional=True).items():
        declared[text] = (_checked_id(token_id, text), True)
    decoder = config.get("added_tokens_decoder", {})
    for number, token in decoder.items() if isinstance(decoder, dict) else ():
        if isinstance(token, dict) and str(number).isdecimal():
            text = str(token.get("content", ""))
            _refuse_stripping(token, text)
            declared[text] = (_checked_id(int(number), text), bool(token.get("special", True)))
    return declared


def _from_tokenizer_json(content: Mapping[str, Any]) -> Vocabulary:
    model: Any = content.get("model")
    splitter: Any = content.get("pre_tokenizer")
    if not isinstance(model, dict) or model.get("type", "BPE") != "BPE":
        kind = model.get("type") if isinstance(model, dict) else None
        raise UnsupportedTokenizerError(
            f"tokenizer.json describes a {kind or 'nameless'} model; only byte-level BPE is "
            "supported."
        )
    for option in (
        "dropout",
        "continuing_subword_prefix",
        "end_of_word_suffix",
        "byte_fallback",
        "ignore_merges",
    ):
        if model.get(option):
            raise UnsupportedTokenizerError(
                f"tokenizer.json sets {option} to {model[option]!r}; GPT-2's BPE has none."
            )
    if content.get("normalizer"):
        raise UnsupportedTokenizerError(
            "tokenizer.json changes the text first (normalizer "
            f"{_type(content['normalizer'])}); GPT-2's BPE encodes texts as they are."
        )
    while _type(splitter) == "Sequence" and len(_items(splitter, "pretokenizers")) == 1:
        (splitter,) = splitter["pretokenizers"]
    if _type(splitter) != "ByteLevel" or splitter.get("use_regex") is False:
        raise UnsupportedTokenizerError(
            f"tokenizer.json splits texts by {_type(splitter)}; only GPT-2's split (ByteLevel with "
            "its regex) is supported."
        )
    _refuse_options(splitter, "tokenizer.json")
    _refuse_post_processor(content.get("post_processor"))
    merges = _items(model, "merges")
    if not isinstance(model.get("vocab"), dict):
        raise CheckpointError("tokenizer.json lacks model.vocab; fetch it again.")
    if merges and not isinstance(merges[0], str):
        merges = [" ".join(map(str, pair)) for pair in merges if isinstance(pair, list)]
    merges = [str(merge) for merge in merges]
    declared = {}
    for token in _items(content, "added_tokens", dict):
        text = str(token.get("content", ""))
        _refuse_stripping(token, text)
        declared[text] = (_checked_id(token.get("id"), text), bool(token.get("special", True)))
    return _vocabulary(model["vocab"], merges, declared)


def _items(part: Mapping[str, Any], key: str, kind: type = object) -> list[Any]:
    """The list under a key; none where the key is not there."""
    items = part.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, kind) for item in items):
        raise CheckpointError(
            f"tokenizer.json: {key} does not hold what it should; fetch it again."
        )
    return items


def _type(part: object) -> str:
    return str(part.get("type")) if isinstance(part, dict) else "nothing"


def _refuse_post_processor(processor: Any) -> None:
    """Lets pass what adds no tokens."""
    if processor is None or _type(processor) == "ByteLevel":
        return
    if _type(processor) == "Sequence":
        for part in _items(processor, "processors"):
            _refuse_post_processor(part)
        return
    if _type(processor) == "TemplateProcessing" and all(
        "Sequence" in part for part in _items(processor, "single", dict)
    ):
        return
    raise UnsupportedTokenizerError(
        f"tokenizer.json adds tokens to every text ({_type(processor)}); GPT-2's BPE adds none."
    )


def _checked_id(value: object, text: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST_ID:
        raise CheckpointError(f"The token {text!r} has the ID {value!r}, which is no token ID.")
    return value


def _vocabulary(
    vocab: dict[str, int],
    merges: Sequence[str],
    declared: Mapping[str, tuple[int | None, bool]],
) -> Vocabulary:
    """Puts the parts together, each check once, over the whole list: opening must be quick."""
    special = {
        text: vocab[text] if token_id is None else token_id
        for text, (token_id, _) in declared.items()
        if text and (token_id is not None or text in vocab)
    }
    always = frozenset(text for text in special if not declared[text][1])
    if not vocab or not all(type(token_id) is int for token_id in vocab.values()):
        raise CheckpointError("The vocabulary is empty, or holds IDs that are not whole numbers.")
    ids = {*vocab.values()}
    if min(ids) < 0 or max(ids) > _LARGEST_ID or len(ids) != len(vocab):
        raise CheckpointError("The vocabulary holds negative IDs, or one ID for several tokens.")
    if len({*special.values()}) != len(special):
        raise CheckpointError("Two of the added tokens have the same ID.")
    for text, token_id in special.items():
        if vocab.get(text, token_id) != token_id or (token_id in ids and text not in vocab):
            raise CheckpointError(f"The ID {token_id} of {text!r} stands for another token, too.")
    ranks = _ranks(vocab, merges)
    rest = vocab.keys() - special.keys()
    unreachable = {}
    if len(rest) > len(ranks):
        known = {*ranks.values()}
        unreachable = {vocab[text]: _loose_bytes(text) for text in rest if vocab[text] not in known}
    return Vocabulary(ranks, special, always, unreachable)


def _loose_bytes(text: str) -> bytes:
    """Bytes of a token that no merge makes: by the alphabet, or else the text itself."""
    try:
        return text.translate(_TO_LATIN_1).encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _ranks(vocab: Mapping[str, int], merges: Sequence[str]) -> dict[bytes, int]:
    """The single bytes and what the merges make, with their IDs, which must be in merge order."""
    missing = [byte for byte, char in enumerate(_ALPHABET) if char not in vocab]
    if missing:
        raise UnsupportedTokenizerError(
            f"The vocabulary lacks {len(missing)} of the 256 single bytes (the first is "
            f"0x{missing[0]:02X}), so some texts could not be encoded."
        )
    ids = [vocab.get(merge.replace(" ", "", 1), -1) for merge in merges]
    steps = np.diff(np.array(ids, np.int64))
    if -1 in ids:
        merge = merges[ids.index(-1)]
        raise UnsupportedTokenizerError(
            f"The merge {merge!r} makes a token that the vocabulary does not hold."
        )
    if (steps <= 0).any():
        index = int(np.argmax(steps <= 0)) + 1
        raise UnsupportedTokenizerError(
            f"The token IDs are not in merge order, as tiktoken needs: merge {index} "
            f"({merges[index]!r}) makes ID {ids[index]}, the merge before it ID {ids[index - 1]}."
        )
    all_ids = [*map(vocab.__getitem__, _ALPHABET), *ids]
    pairs = _pairs(vocab, merges, all_ids)
    check_reachable(merges, pairs)
    data = [bytes([byte]) for byte in range(256)]
    for left, right in pairs.tolist():
        data.append(data[left] + data[right])
    return dict(zip(data, all_ids, strict=True))


def _pairs(vocab: Mapping[str, int], merges: Sequence[str], ids: Sequence[int]) -> Pairs:
    """The two parts of each merge, (n_merges, 2), numbered: 0 to 255 the bytes, then the merges.

    Args:
        vocab: Tokens in the printable alphabet → ID.
        merges: "left right" in that alphabet.
        ids: IDs of the bytes and of what the merges make.
    """
    parts = " ".join(merges).split(" ") if merges else []
    if len(parts) != 2 * len(merges):
        merge = next(merge for merge in merges if merge.count(" ") != 1)
        raise CheckpointError(f"The merge {merge!r} is not two parts with a space between them.")
    number = np.full(max(ids) + 2, -1)  # the last stands for what is no token: ID -1
    number[ids] = np.arange(len(ids))
    pairs = number[[*map(vocab.get, parts, repeat(-1))]].reshape(-1, 2)
    bad = (pairs < 0) | (pairs >= np.arange(256, len(ids))[:, None])
    if bad.any():
        merge = merges[int(np.argmax(bad.any(axis=1)))]
        raise UnsupportedTokenizerError(
            f"The merge {merge!r} needs a part that no earlier merge makes."
        )
    return pairs


def check_reachable(merges: Sequence[str], pairs: Pairs) -> None:
    """Refuses merges that can never happen, because earlier ones cut across their pair.

    A vocabulary learned by BPE has none. Where there are none, merging by the rank of the merged
    bytes (tiktoken) and by the rank of the pair (the paper, `transformers`) are the same: see
    `replay`.

    Args:
        merges: As they are written, for the message.
        pairs: The numbers of their two parts, (n_merges, 2).

    Raises:
        UnsupportedTokenizerError: names the first such merge.
    """
    never = _never_happens(pairs[:, 0], pairs[:, 1])
    if never.any():
        merge = merges[int(np.argmax(never))]
        raise UnsupportedTokenizerError(
            f"The merge {merge!r} can never happen, because an earlier one cuts across it: "
            "tiktoken and transformers would encode such texts differently."
        )


def _never_happens(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For every merge, whether an earlier one joins tokens across the border of its pair.

    The merges that made the two parts are undone along the border between them, the latest first:
    had any two tokens that then face each other been merged earlier, the border would be gone
    before the parts exist. All merges are walked at once.
    """
    n = 256 + len(left)
    leaves = np.arange(256)
    first, last = np.concatenate([leaves, left]), np.concatenate([leaves, right])
    keys = left * n + right
    order = np.argsort(keys)
    keys = keys[order]
    never = np.zeros(len(left), np.bool_)
    merge, a, b = np.arange(len(left)), left, right
    limit = merge + 256  # merges below it come before the pair that faces each other exists
    while len(merge):
        place = np.minimum(np.searchsorted(keys, a * n + b), len(keys) - 1)
        found = keys[place] == a * n + b
        crossed = found & (order[place] + 256 < limit)
        never[merge[crossed]] = True
        undo_left = a > b
        on = ~crossed & (np.maximum(a, b) >= 256)
        limit = np.where(undo_left, a, b + 1)
        a, b = np.where(undo_left, last[a], a), np.where(undo_left, b, first[b])
        merge, a, b, limit = merge[on], a[on], b[on], limit[on]
    return never
