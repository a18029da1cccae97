"""The tokenizer: tiktoken's IDs, the same from scratch with every merge, and the way back."""

import itertools
import json
import shutil
import sys
import unicodedata

import pytest
import tiktoken
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiktoken_ext.openai_public import r50k_pat_str

import tokenjourney as tj
from tests.checkpoints import TEXT, tiny_tokenizer
from tokenjourney.bpe import byte_alphabet, regex_split
from tokenjourney.errors import CheckpointError, PromptError, UnsupportedTokenizerError
from tokenjourney.tokenizer import Tokenizer, visible

TINY = tiny_tokenizer()
LETTERS = "abthe nst'12!\n"
TEXTS = st.one_of(
    st.text(max_size=60),
    st.text(LETTERS, max_size=60),
    st.text(st.characters(categories=["Mn", "Mc", "Me", "So", "Sk", "Zs", "Cc", "Nd", "Nl", "Lo"])),
)
STRANGE = [
    "",
    " ",
    "   ",
    "\n\n\n a",
    "\u0301",
    "e\u0301\u0301",
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "\x00\x00 \x00a",
    "don't DON'T we'll they'LL 'tis ''s",
    "½²Ⅷ१२ 3",
    "\u00a0\u2003\u3000x",
    "\x1c\x1d\x85\u2028y",
    "<|endoftext|> and <|endoftext|",
    "supercalifragilistic" * 40,
    "\ufffd\ufffe\uffff\U0010ffff",
    "日本語のテキスト 한국어 العربية",
]


def replayed(tokenizer, text, **options):
    return [token for piece in tokenizer.merges(text, **options) for token in piece.token_ids]


def with_examples(test):
    for text in STRANGE:
        test = example(text)(test)
    return test


# Text to IDs and back ---------------------------------------------------------------------------


@with_examples
@given(TEXTS)
def test_any_text_comes_back_from_its_ids(text):
    assert TINY.decode(TINY.encode(text)) == text


@with_examples
@given(TEXTS)
def test_the_replay_from_scratch_ends_in_the_tokens_of_tiktoken(text):
    assert replayed(TINY, text) == TINY.encode(text)


@with_examples
@given(TEXTS)
def test_the_pieces_of_the_split_are_the_text_cut_up(text):
    pieces = TINY.merges(text)
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in pieces] == regex_split(text)
    assert all(text[piece.start : piece.end] == piece.text for piece in pieces)


@pytest.mark.parametrize("text", STRANGE)
def test_the_replay_equals_tiktoken_with_the_real_gpt2_vocabulary(gpt2_tokenizer, text):
    assert replayed(gpt2_tokenizer, text) == gpt2_tokenizer.encode(text)
    assert gpt2_tokenizer.decode(gpt2_tokenizer.encode(text)) == text


@settings(max_examples=150)
@given(text=TEXTS)
def test_any_text_with_the_real_gpt2_vocabulary(gpt2_tokenizer, text):
    assert replayed(gpt2_tokenizer, text) == gpt2_tokenizer.encode(text)
    assert gpt2_tokenizer.decode(gpt2_tokenizer.encode(text)) == text


def test_every_character_of_unicode_is_split_as_tiktoken_splits_it():
    """Also those that `regex` and tiktoken class differently, because they know other Unicodes."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for (
        before
    ) in b"a1!":  # a letter, a number or a sign shows whether it and the next are one piece
        for lead in range(0xC2, 0xF5):
            ranks[bytes([before, lead])] = len(ranks)
    encoding = tiktoken.Encoding(
        "x", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={}
    )
    for plane in range(17):  # planes 4 to 13 hold nothing yet, 15 and 16 are for private use
        stop = 2**16 if plane in (0, 1, 2, 3, 14) else 2**12
        codes = range(plane * 2**16, plane * 2**16 + stop)
        characters = [chr(code) for code in codes if not 0xD800 <= code < 0xE000]
        text = "".join(f"a{char}1{char}!{char}\n" for char in characters)
        ours = itertools.chain.from_iterable(map(encoding._encode_single_piece, regex_split(text)))
        assert list(ours) == encoding.encode_ordinary(text)


def test_every_assigned_character_is_encoded_as_transformers_does(gpt2_files, gpt2_tokenizer):
    theirs = gpt2_of_transformers(gpt2_files)
    characters = [
        chr(i)
        for i in range(sys.maxunicode + 1)
        if unicodedata.category(chr(i)) not in ("Cn", "Cs", "Co")
    ]
    assert len(characters) > 140_000
    for start in range(0, len(characters), 2000):
        text = "".join(f"a{c}1{c} {c}\n" for c in characters[start : start + 2000])
        assert gpt2_tokenizer.encode(text) == theirs.encode(text).ids


def gpt2_of_transformers(folder):
    from transformers import GPT2Tokenizer

    return GPT2Tokenizer.from_pretrained(folder)._tokenizer


def test_real_text_is_encoded_as_transformers_does(data_folder, gpt2_files, gpt2_tokenizer):
    text = (data_folder / "tinystories" / "val.txt").read_text(encoding="utf-8")
    text = text.replace("<|endoftext|>", "\n")[:200_000]
    assert gpt2_tokenizer.encode(text) == gpt2_of_transformers(gpt2_files).encode(text).ids


def test_the_published_ids_of_gpt2(gpt2_tokenizer):
    assert gpt2_tokenizer.encode("Hello world") == [15496, 995]
    assert gpt2_tokenizer.encode(" friend") == [1545]
    assert gpt2_tokenizer.n_vocab == 50257
    assert gpt2_tokenizer.special_tokens == {"<|endoftext|>": 50256}


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        " " * 100_000,
        " " * 100_000 + "a",
        " " * 1_000_000 + "a" + "\n" * 1_000_000 + "b",  # too much for tiktoken's own regex
        "😀" * 100_000,
        "\n" * 100_000,
        "ab" * 50_000,
        "é" * 100_000,
        "'" * 100_000,
        "\x00" * 100_000,
    ],
    ids=lambda text: repr(text[:2]) + str(len(text)),
)
def test_very_long_texts_of_one_kind(gpt2_tokenizer, text):
    for tokenizer in (TINY, gpt2_tokenizer):
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        if len(text) <= 100_001:
            assert replayed(tokenizer, text) == ids


# The merges, step by step -----------------------------------------------------------------------


def test_the_steps_go_from_bytes_to_tokens_one_merge_at_a_time():
    (piece,) = TINY.merges("there")
    assert piece.steps[0].parts == (b"t", b"h", b"e", b"r", b"e")
    for before, after in itertools.pairwise(piece.steps):
        left, right = after.pair
        made = after.position
        assert before.parts[made : made + 2] == (left, right)
        assert after.parts == (*before.parts[:made], left + right, *before.parts[made + 2 :])
    assert b"".join(piece.steps[-1].parts) == b"there"
    assert [TINY.token_bytes(i) for i in piece.token_ids] == list(piece.steps[-1].parts)


def test_a_step_tells_the_rank_of_its_merge_as_in_merges_txt(gpt2_tokenizer):
    lines = gpt2_tokenizer.files()["merges.txt"].split("\n")[1:]
    alphabet = byte_alphabet()
    for piece in gpt2_tokenizer.merges(" attention unbelievably"):
        assert piece.steps[0].rank is None
        for step in piece.steps[1:]:
            written = ["".join(alphabet[byte] for byte in part) for part in step.pair]
            assert lines[step.rank] == " ".join(written)


def test_the_wikipedia_example():
    tokenizer = Tokenizer.from_merges([(b"a", b"a"), (b"a", b"b"), (b"aa", b"ab")])
    (piece,) = tokenizer.merges("aaabdaaabac")
    assert piece.steps[-1].parts == (b"aaab", b"d", b"aaab", b"a", b"c")
    assert [step.rank for step in piece.steps] == [None, 0, 0, 1, 1, 2, 2]


def test_steps_can_be_taken_singly_from_the_end_and_in_slices():
    (piece,) = TINY.merges("there")
    steps = list(piece.steps)
    assert piece.steps[-1] == steps[-1]
    assert piece.steps[1:3] == tuple(steps[1:3])
    with pytest.raises(IndexError):
        piece.steps[len(steps)]


@given(st.text("abcd", max_size=40), st.lists(st.text("abcd", min_size=2, max_size=5), max_size=8))
def test_any_ranks_give_the_tokens_of_tiktoken(text, tokens):
    """Also ranks that no training would give, such as tokens that no merge leads to."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for token in dict.fromkeys(tokens):
        ranks[token.encode()] = len(ranks)
    assert replayed(Tokenizer(ranks), text) == Tokenizer(ranks).encode(text)


def pair_rule(data, merges):
    """BPE as in the paper: the learned pair with the lowest rank first, the leftmost of equals."""
    parts = [bytes([byte]) for byte in data]
    while True:
        neighbours = enumerate(itertools.pairwise(parts))
        pairs = [(merges.index(pair), i) for i, pair in neighbours if pair in merges]
        if not pairs:
            return parts
        _, i = min(pairs)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


@st.composite
def merge_lists(draw):
    """Lists of merges of which some can never happen."""
    tokens = [b"a", b"b", b"c"]
    merges = []
    for _ in range(draw(st.integers(1, 7))):
        pair = (draw(st.sampled_from(tokens)), draw(st.sampled_from(tokens)))
        if b"".join(pair) not in tokens:
            tokens.append(b"".join(pair))
            merges.append(pair)
    return merges


@settings(max_examples=400)
@given(merge_lists(), st.text("abc", max_size=25))
def test_a_vocabulary_is_taken_only_where_the_rule_of_the_paper_gives_the_same(
    tmp_path_factory, merges, text
):
    folder = tmp_path_factory.mktemp("vocabulary")
    write_files(folder, merges)
    reachable = all(pair_rule(a + b, merges) == [a + b] for a, b in merges)
    if not reachable:
        with pytest.raises(UnsupportedTokenizerError, match="can never happen"):
            Tokenizer.from_folder(folder)
        return
    tokenizer = Tokenizer.from_folder(folder)
    expected = [part for piece in regex_split(text) for part in pair_rule(piece.encode(), merges)]
    assert [tokenizer.token_bytes(i) for i in tokenizer.encode(text)] == expected


# Tokens in their text ---------------------------------------------------------------------------


@with_examples
@given(TEXTS)
def test_offsets_tile_the_text(text):
    tokens = TINY.tokens(text)
    covered = 0
    for token in tokens:
        assert token.start <= covered <= token.end  # no gap, and never back
        covered = token.end
        whole = text[token.start : token.end].encode()
        assert token.bytes in whole
        if token.bytes == whole:
            assert token.text == text[token.start : token.end]
    assert covered == len(text)


def test_tokens_that_are_part_of_a_character_span_all_of_it():
    tokens = TINY.tokens("a€b")
    assert [(token.bytes, token.start, token.end) for token in tokens] == [
        (b"a", 0, 1),
        (b"\xe2", 1, 2),
        (b"\x82", 1, 2),
        (b"\xac", 1, 2),
        (b"b", 2, 3),
    ]


@given(st.lists(st.integers(0, TINY.n_vocab - 1), max_size=30))
def test_offsets_of_any_ids_fit_their_decoded_text(ids):
    """Also where the bytes are no valid UTF-8, so that the text holds replacement characters."""
    text, tokens = TINY.decode(ids), TINY.tokens(ids)
    assert [token.id for token in tokens] == ids
    covered = 0
    for token in tokens:
        assert token.start <= covered
        assert token.start < token.end <= len(text)
        assert token.end >= covered
        covered = token.end
    assert covered == len(text)


def test_ids_may_come_from_numpy_and_torch():
    import numpy as np
    import torch

    ids = TINY.encode("the cat")
    assert TINY.decode(np.array(ids)) == TINY.decode(torch.tensor(ids)) == "the cat"
    assert all(type(token.id) is int for token in TINY.tokens(np.array(ids)))


# Special tokens ---------------------------------------------------------------------------------


def test_special_tokens_typed_as_text_are_plain_text_unless_asked_for():
    end = TINY.special_tokens["<|endoftext|>"]
    text = "a<|endoftext|>b<|endoftext|>"
    assert end not in TINY.encode(text)
    assert TINY.decode(TINY.encode(text)) == text
    asked = TINY.encode(text, allow_special=True)
    assert [token == end for token in asked] == [False, True, False, True]
    assert TINY.decode(asked) == text
    assert replayed(TINY, text, allow_special=True) == asked
    assert [piece.special for piece in TINY.merges(text, allow_special=True)].count(True) == 2
    assert TINY.tokens(text, allow_special=True)[1].text == "<|endoftext|>"


def test_the_longest_special_token_wins():
    tokenizer = Tokenizer.from_merges([], ["<a>", "<a><b>"])
    assert tokenizer.encode("<a><b>", allow_special=True) == [257]


# What cannot be encoded or decoded --------------------------------------------------------------


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\ud83d\ude00"])
def test_half_a_character_is_refused_with_advice(text):
    for attempt in (TINY.encode, TINY.merges, TINY.tokens, TINY.search, regex_split):
        with pytest.raises(PromptError, match=r"surrogate.*encode\('utf-16'"):
            attempt(text)


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a"]])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(PromptError, match="must be a str"):
        TINY.encode(text)


@pytest.mark.parametrize("ids", [[-1], [10_000], [True], [1.5], ["a"], "ab", b"ab", [None]])
def test_what_is_no_token_id_is_refused(ids):
    with pytest.raises(PromptError, match=r"token ID|Token ID"):
        TINY.decode(ids)


# The vocabulary ---------------------------------------------------------------------------------


def test_the_byte_alphabet_is_gpt2s(gpt2_files):
    vocab = json.loads((gpt2_files / "vocab.json").read_text(encoding="utf-8"))
    alphabet = byte_alphabet()
    assert len(set(alphabet)) == 256
    assert {vocab[char] for char in alphabet} == set(range(256))
    assert alphabet[ord(" ")] == "Ġ"
    assert all(char.isprintable() and not char.isspace() for char in alphabet)


def test_kinds_count_every_token_once(gpt2_tokenizer):
    kinds = gpt2_tokenizer.kinds()
    assert sum(kinds.values()) == gpt2_tokenizer.n_vocab
    assert (kinds["byte"], kinds["special"], kinds["unused"]) == (256, 1, 0)
    of = {text: gpt2_tokenizer.kind(*gpt2_tokenizer.encode(text)) for text in (" dog", "ing", "a")}
    assert of == {" dog": "word", "ing": "piece", "a": "byte"}
    assert gpt2_tokenizer.kind(50256) == "special"


def test_search_finds_the_closest_first(gpt2_tokenizer):
    found = [gpt2_tokenizer.token(i).text for i in gpt2_tokenizer.search("friend", limit=8)]
    assert found[:2] == ["friend", "Friend"]
    assert set(found[2:4]) == {" friend", " Friend"}
    assert all("friend" in text.lower() for text in found)
    assert gpt2_tokenizer.search("·friend")[0] == gpt2_tokenizer.encode(" friend")[0]
    assert gpt2_tokenizer.search("15496")[0] == 15496
    assert gpt2_tokenizer.search("no such token") == gpt2_tokenizer.search("") == ()
    assert len(gpt2_tokenizer.search("a", limit=5)) == 5


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b" the", "·the"),
        (b"a\n\t", "a↵⇥"),
        ("€".encode()[:1], "‹E2›"),
        ("€".encode()[:2], "‹E2›‹82›"),
        ("€".encode(), "€"),
        (b"\x00", "‹00›"),
        (b"\r\x7f", "‹0D›‹7F›"),
        ("\u0301".encode(), "◌\u0301"),
        ("e\u0301".encode(), "e\u0301"),
        ("\u202ex".encode(), "‹U+202E›x"),
        ("\u200d".encode(), "‹U+200D›"),
        ("\u00a0".encode(), "‹U+00A0›"),
        ("\ufffd".encode(), "\ufffd"),
        (b"<b>", "<b>"),
    ],
)
def test_labels_show_what_cannot_be_seen(data, shown):
    assert visible(data) == shown


@given(st.binary(min_size=1, max_size=12))
def test_every_label_can_be_seen(data):
    shown = visible(data)
    assert shown
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Zs", "Zl", "Zp") for char in shown)


def test_ids_that_no_token_uses_decode_to_nothing_and_are_named_by_number():
    tokenizer = Tokenizer({bytes([byte]): byte for byte in range(256)}, n_vocab=300)
    assert tokenizer.n_vocab == 300
    assert tokenizer.decode([104, 299, 105]) == "hi"
    assert tokenizer.kind(299) == "unused"
    assert tokenizer.visible(299) == "‹#299›"
    assert [(t.start, t.end) for t in tokenizer.tokens([104, 299, 105])] == [(0, 1), (1, 1), (1, 2)]


# Files ------------------------------------------------------------------------------------------


def write_files(folder, merges, special=(), **config):
    """vocab.json and merges.txt of these merges, written without Tokenizer's checks."""
    alphabet = byte_alphabet()
    written = [["".join(alphabet[byte] for byte in part) for part in pair] for pair in merges]
    tokens = [*alphabet, *("".join(pair) for pair in written), *special]
    vocab = {token: token_id for token_id, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in written), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


@pytest.fixture
def json_folder(tiny_folder, tmp_path):
    """A folder with only a tokenizer.json, as transformers writes it."""
    shutil.copy(tiny_folder / "tokenizer.json", tmp_path)
    return tmp_path


def change_json(folder, change):
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def same_tokenizer(left, right):
    return [left.token_bytes(i) for i in range(left.n_vocab)] == [
        right.token_bytes(i) for i in range(right.n_vocab)
    ] and left.encode(TEXT) == right.encode(TEXT)


def test_files_written_and_read_give_the_same_tokenizer(tmp_path):
    for name, text in TINY.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert same_tokenizer(Tokenizer.from_folder(tmp_path), TINY)
    assert Tokenizer.from_folder(tmp_path).special_tokens == TINY.special_tokens


def test_tokenizer_json_alone_is_enough(json_folder):
    assert same_tokenizer(Tokenizer.from_folder(json_folder), TINY)


def test_merges_as_lines_of_text_as_older_files_have_them(json_folder):
    change_json(
        json_folder,
        lambda content: content["model"].update(
            merges=[" ".join(pair) for pair in content["model"]["merges"]]
        ),
    )
    assert same_tokenizer(Tokenizer.from_folder(json_folder), TINY)


def test_windows_line_ends_in_merges_txt(gpt2_files, tmp_path):
    write_files(tmp_path, [(b"a", b"b")])
    path = tmp_path / "merges.txt"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert Tokenizer.from_folder(tmp_path).encode("ab") == [256]


def test_the_names_that_gpt2_was_published_with(data_folder):
    assert Tokenizer.from_folder(data_folder / "gpt2_bpe").n_vocab == 50257


def test_added_tokens_beside_vocab_json(tmp_path):
    write_files(tmp_path, [(b"a", b"b")], ["<|endoftext|>"], pad_token="<pad>")
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<pad>": 300}))
    tokenizer = Tokenizer.from_folder(tmp_path)
    assert tokenizer.special_tokens == {"<|endoftext|>": 257, "<pad>": 300}
    assert tokenizer.encode("ab<pad>", allow_special=True) == [256, 300]


def test_added_tokens_that_are_not_special_are_matched_in_every_text_as_transformers_does(
    json_folder,
):
    from tokenizers import AddedToken
    from tokenizers import Tokenizer as Theirs

    theirs = Theirs.from_file(str(json_folder / "tokenizer.json"))
    theirs.add_tokens([AddedToken("<user>", normalized=False)])
    theirs.save(str(json_folder / "tokenizer.json"))
    ours = Tokenizer.from_folder(json_folder)
    text = "the <user> and <user>"
    assert ours.encode(text) == theirs.encode(text).ids == replayed(ours, text)
    assert [ours.special_tokens["<user>"]] == ours.encode("<user>")


def test_special_tokens_beyond_the_models_rows_are_left_out(tmp_path):
    write_files(tmp_path, [(b"a", b"b")], ["<|endoftext|>"])
    (tmp_path / "added_tokens.json").write_text(json.dumps({"<pad>": 258}))
    tokenizer = Tokenizer.from_folder(tmp_path, n_vocab=258)
    assert tokenizer.special_tokens == {"<|endoftext|>": 257}


def test_a_tokenizer_with_more_tokens_than_the_model_has_rows_is_refused(tmp_path):
    write_files(tmp_path, [(b"a", b"b")])
    with pytest.raises(UnsupportedTokenizerError, match=r"up to 256.*only 256 rows"):
        Tokenizer.from_folder(tmp_path, n_vocab=256)


def test_tokens_that_no_text_leads_to_can_be_decoded(tmp_path):
    write_files(tmp_path, [(b"a", b"b")], ["Ġlost"])
    tokenizer = Tokenizer.from_folder(tmp_path)
    assert tokenizer.decode([257]) == " lost"
    assert tokenizer.kind(257) == "unused"
    assert 257 not in tokenizer.encode(" lost")


REFUSED_JSON = {
    "another model": (lambda c: c["model"].update(type="Unigram"), "Unigram"),
    "a normalizer": (lambda c: c.update(normalizer={"type": "NFC"}), "NFC"),
    "another split": (lambda c: c.update(pre_tokenizer={"type": "Whitespace"}), "Whitespace"),
    "no split": (lambda c: c.update(pre_tokenizer=None), "nothing"),
    "no regex": (lambda c: c["pre_tokenizer"].update(use_regex=False), "its regex"),
    "a space in front": (lambda c: c["pre_tokenizer"].update(add_prefix_space=True), "space"),
    "a token in front": (
        lambda c: c.update(
            post_processor={
                "type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}],
            }
        ),
        "adds tokens",
    ),
    "suffixes": (lambda c: c["model"].update(end_of_word_suffix="</w>"), "end_of_word_suffix"),
    "dropout": (lambda c: c["model"].update(dropout=0.1), "dropout"),
    "a missing byte": (lambda c: c["model"]["vocab"].pop("Ġ"), "0x20"),
    "swapped IDs": (
        lambda c: c["model"]["vocab"].update(
            {"".join(c["model"]["merges"][0]): 257, "".join(c["model"]["merges"][1]): 256}
        ),
        "not in merge order",
    ),
    "a merge into nothing": (
        lambda c: c["model"]["merges"].append(["x", "y"]),
        "does not hold",
    ),
}


@pytest.mark.parametrize("what", REFUSED_JSON)
def test_another_kind_of_tokenizer_is_refused_with_a_reason(json_folder, what):
    change, reason = REFUSED_JSON[what]
    change_json(json_folder, change)
    with pytest.raises(UnsupportedTokenizerError, match=reason):
        Tokenizer.from_folder(json_folder)


def test_a_merge_before_its_parts_is_refused(tmp_path):
    write_files(tmp_path, [(b"ab", b"c"), (b"a", b"b")])
    with pytest.raises(UnsupportedTokenizerError, match="no earlier merge makes"):
        Tokenizer.from_folder(tmp_path)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"add_prefix_space": True}, "add_prefix_space"),
        ({"add_bos_token": True}, "add_bos_token"),
        ({"tokenizer_class": "LlamaTokenizer"}, "LlamaTokenizer"),
    ],
)
def test_options_beside_vocab_json_are_refused_with_a_reason(tmp_path, config, reason):
    write_files(tmp_path, [(b"a", b"b")], **config)
    with pytest.raises(UnsupportedTokenizerError, match=reason):
        Tokenizer.from_folder(tmp_path)


def test_a_folder_without_tokenizer_files_says_so(tmp_path):
    with pytest.raises(UnsupportedTokenizerError, match="no tokenizer files"):
        Tokenizer.from_folder(tmp_path)
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(UnsupportedTokenizerError, match=r"no merges\.txt"):
        Tokenizer.from_folder(tmp_path)


@pytest.mark.parametrize("name", ["vocab.json", "tokenizer_config.json", "merges.txt"])
@pytest.mark.parametrize("content", [b'{"a": 1', b"\xff\xfe\x00", b"[]"])
def test_damaged_files_are_errors(tmp_path, name, content):
    write_files(tmp_path, [(b"a", b"b")])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        Tokenizer.from_folder(tmp_path)
    if content != b"[]" and name != "merges.txt":
        assert name in str(caught.value)


@pytest.mark.parametrize("bad", [{"a": "1"}, {"a": -1}, {"a": 2, "b": 2}, {"a": True}, {}])
def test_ids_that_are_none_are_errors(tmp_path, bad):
    write_files(tmp_path, [])
    vocab = json.loads((tmp_path / "vocab.json").read_text(encoding="utf-8")) if bad else {}
    (tmp_path / "vocab.json").write_text(json.dumps(vocab | bad), encoding="utf-8")
    with pytest.raises(CheckpointError, match="ID"):
        Tokenizer.from_folder(tmp_path)


def test_our_files_are_read_by_transformers(tmp_path):
    from transformers import AutoTokenizer

    for name, text in TINY.files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    for text in [TEXT, *STRANGE]:
        assert theirs.encode(text) == TINY.encode(text, allow_special=True)
        assert theirs.decode(TINY.encode(text)) == text


def test_all_of_gpt2_survives_being_written(gpt2_files, gpt2_tokenizer):
    files = gpt2_tokenizer.files()
    for name in ("vocab.json", "merges.txt"):
        read = (gpt2_files / name).read_text(encoding="utf-8")
        assert files[name].split("\n")[1:] == read.split("\n")[1:]
    assert json.loads(files["vocab.json"]) == json.loads((gpt2_files / "vocab.json").read_text())


def test_ranks_of_tiktoken_itself_can_be_taken():
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"ab": 256}
    encoding = tiktoken.Encoding(
        "x", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={"<end>": 257}
    )
    tokenizer = tj.Tokenizer(encoding._mergeable_ranks, encoding._special_tokens)
    assert tokenizer.encode("ab<end>", allow_special=True) == [256, 257]


@pytest.mark.parametrize(
    ("ranks", "special"),
    [
        ({b"a": 0}, {}),
        ({bytes([b]): 0 for b in range(256)}, {}),
        ({bytes([b]): b for b in range(256)} | {b"": 300}, {}),
        ({bytes([b]): b - 5 for b in range(256)}, {}),
        ({bytes([b]): b for b in range(256)}, {"": 300}),
    ],
)
def test_impossible_ranks_are_errors(ranks, special):
    with pytest.raises(CheckpointError):
        Tokenizer(ranks, special)
