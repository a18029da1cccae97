"""Learning BPE: the published example, the naive algorithm as judge, and tiktoken as user."""

import os
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenjourney as tj
from tokenjourney.bpe import regex_split
from tokenjourney.training.bpe import MOST_PAIRS, units_of


def naive(text, n_merges, unit="bytes"):
    """Recounts everything at each step."""
    words = [units_of(piece, unit) for piece in regex_split(text)]
    for _ in range(n_merges):
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            return
        ordered = sorted(counts.items(), key=lambda found: (-found[1], found[0]))
        left, right = ordered[0][0]
        yield left, right, tuple(ordered[:MOST_PAIRS]), len(ordered)
        for word in words:
            index = 0
            while index < len(word) - 1:
                if (word[index], word[index + 1]) == (left, right):
                    word[index : index + 2] = [left + right]
                index += 1


def test_the_published_example():
    """Aaabdaaabac, as on Wikipedia's page on byte-pair encoding: aa, then ab, then both."""
    steps = tj.train_bpe("aaabdaaabac", 3)
    assert [(step.left, step.right) for step in steps] == [
        (b"a", b"a"),
        (b"a", b"b"),
        (b"aa", b"ab"),
    ]
    assert [step.n_tokens for step in steps] == [9, 7, 5]
    assert [step.rank for step in steps] == [0, 1, 2]


@given(
    st.text(alphabet="ab cé\n", max_size=60),
    st.integers(0, 12),
    st.sampled_from(["bytes", "characters"]),
)
def test_it_does_what_recounting_everything_does(text, n_merges, unit):
    steps = tj.train_bpe(text, n_merges, unit)
    found = [(s.left, s.right, s.pairs, s.n_pairs) for s in steps]
    assert found == list(naive(text, n_merges, unit))
    assert all(s.pairs[0] == ((s.left, s.right), s.count) for s in steps)


def test_of_equally_frequent_pairs_the_first_in_order_of_bytes_is_merged():
    assert [(s.left, s.right) for s in tj.train_bpe("zy zx ba", 3)] == [
        (b" ", b"b"),
        (b" ", b"z"),
        (b" b", b"a"),
    ]


def test_from_characters_no_token_is_a_part_of_one():
    for step in tj.train_bpe("né né 你好 你好", 20, "characters"):
        step.left.decode()
        step.right.decode()
    assert tj.train_bpe("éé", 9, "characters")[0].merged == "éé".encode()
    assert tj.train_bpe("éé", 9)[0].merged == "é".encode()


@given(st.text(alphabet="abcdé 你", max_size=60), st.text(max_size=30))
def test_the_result_loads_into_tiktoken_and_encodes_identically(text, other):
    merges = [(step.left, step.right) for step in tj.train_bpe(text, 20)]
    tokenizer = tj.Tokenizer.from_merges(merges)
    for each in (text, other):
        assert tokenizer.decode(tokenizer.encode(each)) == each
        replayed = [i for piece in tokenizer.merges(each) for i in piece.token_ids]
        assert replayed == tokenizer.encode(each)


def test_the_token_count_is_that_of_encoding_the_text():
    text = "the cat sat on the mat, the cat ate the rat"
    steps = tj.train_bpe(text, 15)
    for n in range(1, len(steps) + 1):
        tokenizer = tj.Tokenizer.from_merges([(s.left, s.right) for s in steps[:n]])
        assert len(tokenizer.encode(text)) == steps[n - 1].n_tokens


@pytest.mark.parametrize("n_merges", [-1, 1.5, True])
def test_a_number_of_merges_that_makes_no_sense_is_refused(n_merges):
    with pytest.raises(tj.PromptError, match="whole number"):
        tj.train_bpe("text", n_merges)


@pytest.mark.skipif("TOKENJOURNEY_DATA" not in os.environ, reason="TOKENJOURNEY_DATA is not set")
def test_a_real_text_gives_the_words_of_that_text():
    text = Path(os.environ["TOKENJOURNEY_DATA"], "tinystories", "val.txt").read_text()
    learned = {step.merged for step in tj.train_bpe(text, 400)}
    assert {b" the", b" and", b" was", b" said", b" little"} <= learned


@pytest.mark.parametrize("unit", ["words", None])
def test_a_unit_that_is_not_there_is_refused(unit):
    with pytest.raises(tj.PromptError, match="bytes, characters"):
        tj.train_bpe("text", 3, unit)
