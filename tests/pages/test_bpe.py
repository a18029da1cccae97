"""The page on byte-pair encoding, as people use it."""

import json
import re

import numpy as np
import pytest

import tokenjourney as tj
from tokenjourney.analysis.learned_merges import cut, learned_merges
from tokenjourney.model.sampling import draw, kept, probabilities, random_point, ranking
from tokenjourney.ui import merges

PROMPT = "The friendship"


def picture(seen):
    """What the picture of the merges is drawn from."""
    found = next(e for e in seen.app.get("bidi_component") if e.key == "w.bpe.merges")
    now, drawn = map(json.loads, found.proto.bytes.split(b"\n"))
    return now | drawn


def own_words(seen):
    """The tokens of the card row for words of one's own."""
    row = next(body for body in seen.text.split("\n") if body.startswith('<ul class="tj-found"'))
    return re.findall(r"<b>(.*?)</b>", row)


def test_the_merges_are_those_of_the_trainer(visit):
    shown = picture(visit("bpe", PROMPT))
    steps = tj.train_bpe(merges.supplied("station"), len(shown["merges"]))
    assert [(m[3], m[4]) for m in shown["merges"]] == [(s.count, s.n_tokens) for s in steps]
    assert ["·", "th", "·th"] in [m[:3] for m in shown["merges"]]
    assert {"ing", "tion", "·the"} <= {m[2] for m in shown["merges"]}
    assert shown["pairs"][0][0][2] == steps[0].count


def test_the_published_example_has_three_merges(visit):
    shown = picture(visit("bpe", PROMPT, corpus="aaab", merge=3))
    assert [m[2] for m in shown["merges"]] == ["aa", "ab", "aaab"]
    assert shown["step"] == 3
    assert [m[4] for m in shown["merges"]] == [9, 7, 5]


def test_the_step_of_the_link_moves_the_curve_and_the_words(visit):
    ratios = learned_merges(merges.supplied("station"), 500).tokens_per_character
    for step in (0, 100):
        seen = visit("bpe", PROMPT, merge=step)
        mark = seen.figures["curve"][2]
        assert mark["x"] == [step]
        np.testing.assert_allclose(mark["y"], [ratios[step]], rtol=1e-6)
        learned = learned_merges(merges.supplied("station"), 500)
        parts = cut(PROMPT, learned.ranks).parts(step)
        assert own_words(seen) == [part.decode().replace(" ", "·") for part in parts]


def test_words_of_ones_own_are_cut_instead_of_the_prompt(visit):
    seen = visit("bpe", PROMPT, merge=200).set("words", "station <b>")
    assert own_words(seen)[-4:] == ["·", "&lt;", "b", "&gt;"]
    assert seen.link["words"] == "station <b>"


def test_ones_own_text_is_learned_from_and_part_of_the_link(visit):
    seen = visit("bpe", PROMPT, corpus="own")
    assert "There is no text yet" in seen.text
    seen.set("own", "éé éé")
    assert seen.link["own"] == "éé éé"
    shown = picture(seen)
    assert shown["merges"][0][:3] == ["‹C3›", "‹A9›", "é"]
    assert shown["names"]["‹C3›‹A9›"] == "é"
    seen.set("unit", "characters")
    assert picture(seen)["merges"][0][:3] == ["é", "é", "éé"]
    assert "unknown" in seen.text


@pytest.mark.parametrize("merge", ["263", "x", "-1"])
def test_a_step_that_is_not_there_is_named(visit, merge):
    assert "number of merges from 0 to 262" in visit("bpe", PROMPT, merge=merge).text


def test_a_file_is_learned_from_and_one_that_is_no_text_is_refused(visit):
    seen = visit("bpe", PROMPT, corpus="own")
    seen.app.file_uploader(key="w.bpe.file").upload("a.txt", b"aaabdaaabac", "text/plain")
    seen.app.run()
    assert [m[2] for m in picture(seen)["merges"]] == ["aa", "ab", "aaab"]
    seen.app.file_uploader(key="w.bpe.file").upload("b.txt", b"ab\xff", "text/plain")
    seen.app.run()
    assert "no text in UTF-8: byte 2 fits no character" in seen.text
    assert [m[2] for m in picture(seen)["merges"]] == ["aa", "ab", "aaab"], "the last picture stays"
    assert "the text before, 11 characters" in seen.text


def test_the_stories_are_what_the_bundled_model_writes_with_those_seeds():
    """Each token is the one that is drawn there; rounding may tip a few draws elsewhere."""
    model = tj.load_model()
    end = model.tokenizer.special_tokens["<|endoftext|>"]
    stories = re.split(r"\n\n", merges.supplied("stories"))
    seeds = [seed for seed in range(49) if seed != 29]
    assert len(stories) == len(seeds)
    for seed in (0, 11, 48):
        ids = [end, *model.tokenizer.encode(stories[seeds.index(seed)]), end]
        logits = tj.trace(model, ids[:-1]).logits
        drawn = []
        for position, row in enumerate(logits):
            order, shares = ranking(row), probabilities(row, 0.7)
            point = random_point(seed, position + 1)
            drawn.append(draw(shares, order, kept(shares, order, None, 0.95), point))
        assert np.mean(np.array(drawn) == ids[1:]) > 0.98


def test_of_a_long_prompt_the_cards_around_the_followed_token_are_shown(visit):
    page = visit("bpe", "The dog ran to the cat. " * 8 + "Then it slept").text
    found = re.search(r'<ul class="tj-found">(.*?)</ul>', page)[1]
    assert " before</span>" in found
    assert "more</span>" not in found
    assert found.count("<li") == 49
    assert 'class="tj-on"' in found
