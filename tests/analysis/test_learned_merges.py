"""What was learned from a text, and any text cut by it at any step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenjourney as tj
from tokenjourney.analysis.learned_merges import cut, learned_merges, overlapping, unknown
from tokenjourney.bpe import regex_split
from tokenjourney.training.bpe import units_of

TEXTS = st.text(alphabet="abcdé 你\n", max_size=60)
UNITS = st.sampled_from(["bytes", "characters"])


def naive(text, merges, unit):
    """Applies the merges one after the other, in order."""
    words = [units_of(piece, unit) for piece in regex_split(text)]
    for merge in merges:
        for word in words:
            index = 0
            while index < len(word) - 1:
                if (word[index], word[index + 1]) == (merge.left, merge.right):
                    word[index : index + 2] = [merge.merged]
                index += 1
    return [part for word in words for part in word]


@given(TEXTS, TEXTS, UNITS)
def test_a_text_is_cut_as_by_applying_the_merges_in_order(text, other, unit):
    learned = learned_merges(text, 20, unit)
    for each in (text, other):
        found = cut(each, learned.ranks, unit)
        for step in range(len(learned.merges) + 1):
            assert found.parts(step) == naive(each, learned.merges[:step], unit)


@given(TEXTS, TEXTS)
def test_from_bytes_the_tokens_are_those_of_tiktoken(text, other):
    learned = learned_merges(text, 20)
    tokenizer = tj.Tokenizer.from_merges([(m.left, m.right) for m in learned.merges])
    for each in (text, other):
        parts = cut(each, learned.ranks).parts(len(learned.merges))
        assert parts == [tokenizer.token_bytes(i) for i in tokenizer.encode(each)]
        assert not any(unknown(parts, learned))


@given(TEXTS, UNITS)
def test_the_counted_tokens_are_those_of_the_text_cut(text, unit):
    learned = learned_merges(text, 20, unit)
    found = cut(text, learned.ranks, unit)
    counts = [len(found.parts(step)) for step in range(len(learned.merges) + 1)]
    assert counts == found.n_tokens(len(counts) - 1).tolist()
    assert counts == [learned.n_tokens(step) for step in range(len(counts))]
    np.testing.assert_allclose(learned.tokens_per_character * max(len(text), 1), counts, rtol=1e-5)
    assert not any(unknown(found.parts(0), learned))


def test_learning_ends_where_no_pair_stands_twice():
    assert [m.merged for m in learned_merges("aaabdaaabac", 99).merges] == [b"aa", b"ab", b"aaab"]
    assert learned_merges("the quick brown", 99).merges == ()
    assert len(learned_merges("ab" * 50, 3).merges) == 3


def test_a_character_that_the_text_lacks_is_unknown_from_characters_alone():
    text = "the thing " * 3
    for unit, missing in (("bytes", [False] * 4), ("characters", [True])):
        learned = learned_merges(text, 99, unit)
        parts = cut("😀", learned.ranks, unit).parts(99)
        assert unknown(parts, learned) == missing
        assert not unknown(cut("thing", learned.ranks, unit).parts(99), learned)[0]


@given(st.lists(st.text("aé你 ", min_size=1, max_size=3), min_size=1, max_size=8), st.data())
def test_parts_that_hold_a_character_are_found(pieces, data):
    text, parts = "".join(pieces), [piece.encode() for piece in pieces]
    at = data.draw(st.integers(0, len(text) - 1))
    inside = [i for i, piece in enumerate(pieces) for _ in piece][at]
    assert overlapping(parts, text, at, at + 1) == [inside]
    assert overlapping(parts, text, 0, len(text)) == list(range(len(parts)))


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(tj.PromptError, match="not valid Unicode"):
        learned_merges("a\ud800", 3)
