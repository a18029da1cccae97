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


def naive(text, n_merges):
    """Recounts everything at each step."""
    words = [[bytes([b]) for b in piece.encode()] for piece in regex_split(text)]
    for _ in range(n_merges):
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            return
        left, right = min(counts, key=lambda pair: (-counts[pair], pair))
        yield left, right, counts[left, right]
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


@given(st.text(alphabet="ab c\n", max_size=60), st.integers(0, 12))
def test_it_does_what_recounting_everything_does(text, n_merges):
    steps = tj.train_bpe(text, n_merges)
    assert [(s.left, s.right, s.count) for s in steps] == list(naive(text, n_merges))


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
