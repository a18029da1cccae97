import pytest

from tokenjourney.analysis.words import known_examples, typed_token, typing_of
from tokenjourney.errors import PromptError
from tokenjourney.tokenizer import Tokenizer

TOKENIZER = Tokenizer.from_merges(
    [(b"d", b"o"), (b"do", b"g"), (b" ", b"dog"), (b"c", b"a")], ["<|endoftext|>"]
)
SIZE = TOKENIZER.n_vocab


def token(typed: str) -> str:
    return TOKENIZER.visible(typed_token(typed, TOKENIZER, SIZE))


def test_a_word_means_the_token_with_a_space_where_there_is_one():
    assert token("dog") == token(" dog") == token("·dog") == "·dog"
    assert token("ca") == "ca"


def test_an_id_a_special_token_and_a_newline_can_be_typed():
    assert typed_token("257", TOKENIZER, SIZE) == 257
    assert token("<|endoftext|>") == "<|endoftext|>"
    assert token("↵") == "↵"


def test_a_digit_is_the_digit_before_it_is_an_id():
    assert token("7") == "7"


@pytest.mark.parametrize("typed", ["", "  ", "cat", "99999999", "dog dog"])
def test_what_is_not_one_token_is_refused_with_a_way_out(typed):
    with pytest.raises(PromptError) as error:
        typed_token(typed, TOKENIZER, SIZE)
    assert any(word in str(error.value) for word in ("ype", "0 to"))


def test_without_a_tokenizer_ids_are_taken():
    assert typed_token("12", None, 20) == 12
    for wrong in ("dog", "20"):
        with pytest.raises(PromptError, match="0 to 19"):
            typed_token(wrong, None, 20)


def test_only_examples_with_tokens_for_all_words_are_offered():
    assert known_examples([["dog", "ca"], ["dog", "cat"]], TOKENIZER, SIZE) == [["dog", "ca"]]


def test_every_token_can_be_typed():
    for token_id in range(SIZE):
        assert typed_token(typing_of(token_id, TOKENIZER, SIZE), TOKENIZER, SIZE) == token_id
    assert typing_of(3, None, SIZE) == "#3"
