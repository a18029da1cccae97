"""Knock-outs: the way through a link, what a model does not have, and what they do to a run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tokenjourney as tj
from tokenjourney.analysis.knock_outs import LONGEST, KnockOuts

NONE = KnockOuts.none(6, 4)


def read(text, n_layers=6, n_heads=4):
    found, missing = KnockOuts.read(text, n_layers, n_heads)
    assert not missing
    return found


@pytest.mark.parametrize(
    "text", ["", "0.3", "0.0.3,5.2", "all", "2", "m0", "mlps", "all,m3", "1,2.0,m4,m5"]
)
def test_a_text_comes_back_as_it_was(text):
    assert str(read(text)) == text


@given(
    st.frozensets(st.tuples(st.integers(0, 5), st.integers(0, 3))), st.frozensets(st.integers(0, 5))
)
def test_every_set_survives_the_way_through_a_link(heads, mlps):
    off = KnockOuts(heads, mlps, 6, 4)
    assert read(str(off)) == off
    together = NONE
    for part in off.parts:
        assert not (part.heads & together.heads)
        together |= part
    assert together == off


def test_the_longest_text_of_the_largest_model_fits():
    off = KnockOuts.none(48, 25).all_attention
    for block in range(48):
        off -= off.head(block, block % 25)
    for block in range(47):
        off |= off.mlp(block)
    assert len(str(off)) <= LONGEST
    assert read(str(off), 48, 25) == off


@pytest.mark.parametrize(
    "text", ["x", "m", "m1.2", "0.-1", "0.1;2.2", "0.٣", "9" * 50, "1.", "-1", "0," * LONGEST]
)
def test_what_is_no_text_of_knock_outs_is_refused(text):
    with pytest.raises(ValueError, match="It m"):
        KnockOuts.read(text, 6, 4)


def test_what_the_model_does_not_have_is_named_and_the_rest_stays():
    found, missing = KnockOuts.read("0.3,0.4.1,7,m9,m2", 6, 4)
    assert str(found) == "0.1.3,m2"
    assert missing == ("0.4", "7", "m9")


def test_switching_twice_is_as_before_and_a_part_is_completed_first():
    one = NONE.switched(NONE.head(2, 1))
    assert str(one) == "2.1"
    assert one.switched(NONE.head(2, 1)) == NONE
    assert str(one.switched(NONE.attention(2))) == "2"
    assert not one.switched(NONE.attention(2)).switched(NONE.attention(2))


def test_what_is_off_is_listed_part_by_part():
    assert [str(part) for part in read("0.0.3,2,m4").parts] == ["0.0", "0.3", "2", "m4"]
    assert [str(part) for part in read("all,m1").parts] == ["all", "m1"]


def test_the_edits_switch_off_exactly_those_parts():
    journey = tj.trace(tj.load_model(), "The dog chased", edits=NONE.edits)
    sizes = (journey.config.n_layers, journey.config.n_heads)
    off = read("1.0.2,3,m4", *sizes)
    edited = tj.trace(journey.model, "The dog chased", edits=off.edits)
    for block in range(sizes[0]):
        for head in range(sizes[1]):
            is_zero = not np.any(edited["z", block][:, head])
            assert is_zero == ((block, head) in off.heads)
        assert (not np.any(edited["mlp_out", block])) == (block in off.mlps)
    np.testing.assert_array_equal(edited["resid_pre", 1], journey["resid_pre", 1])
