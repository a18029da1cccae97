"""What is switched off: it stands in the link, on every page, and can be undone there."""

import json

import pytest

import tokenjourney as tj
from tokenjourney.ui import cache
from tokenjourney.ui.navigation import entries

PROMPT = "The dog chased another dog"
BEFORE_THE_BLOCKS = {"tokens", "embeddings", "positions"}
NOT_OF_THIS_RUN = {"bpe", "training", "parameters", "latent_attention", "mixture_of_experts"}
PAGES = [entry.file.removesuffix(".py") for entry in entries()]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_is_off_and_undoes_it(app, page):
    opened = app(page, prompt=PROMPT, off="0.3,5.2,m1")
    assert "2 heads, 1 feed-forward part off" in opened.html()
    assert opened.link() == {"prompt": PROMPT, "off": "0.3,5.2,m1"}
    untouched = page in BEFORE_THE_BLOCKS | NOT_OF_THIS_RUN
    assert ("tj-quiet" in opened.html()) == untouched
    assert ("tj-small" in opened.html()) != (untouched or page == "start")
    opened.test.button("undo").click()
    opened.run()
    assert "tj-badge" not in opened.html()
    assert opened.link() == {"prompt": PROMPT}


def test_parts_are_switched_on_again_one_by_one(app):
    opened = app("output", prompt=PROMPT, off="0.3,2,m1")
    for key, left in (("on-2", "0.3,m1"), ("on-m1", "0.3")):
        opened.test.button(key).click()
        opened.run()
        assert opened.link()["off"] == left
    assert "1 head off" in opened.html()


def test_what_is_off_stays_when_page_and_prompt_change(app):
    opened = app("attention", prompt=PROMPT, off="1.1").go("output")
    opened.write("Once upon a time")
    assert opened.link() == {"prompt": "Once upon a time", "off": "1.1"}
    assert "1 head off" in opened.html()


@pytest.mark.parametrize(
    ("off", "said", "left"),
    [
        ("nonsense", "off=nonsense", None),
        ("<b>x</b>", "&lt;b&gt;x", None),
        ("9.0,2.1", "9.0, which this model does not have", "2.1"),
        ("1.7.2", "heads from 0 to 5", "1.2"),
        ("0.0," * 2000, "4,000 characters", None),
    ],
)
def test_what_cannot_be_switched_off_falls_back_with_a_notice(app, off, said, left):
    opened = app("attention", prompt=PROMPT, off=off)
    assert said in opened.html()
    assert opened.link().get("off") == left
    assert said not in opened.run().html(), "it is said once"


def test_the_same_text_in_another_order_is_one_run(app):
    app("output", prompt=PROMPT, off="5.2,0.3")
    off = [tj.ablate_head(0, 3), tj.ablate_head(5, 2)]
    kept = cache.journey("bundled", PROMPT, tuple(off))
    assert len(kept.edits) == 2
    opened = app("output", prompt=PROMPT, off="0.3,5.2")
    assert cache.journey("bundled", PROMPT, tuple(off)) is kept
    assert opened.link()["off"] == "0.3,5.2"


def test_generation_goes_on_with_the_changed_run(app):
    query = {"prompt": PROMPT, "temp": 0, "off": "all,m2"}
    opened = app("generation", **query)
    opened.test.button("go.one").click()
    opened.run()
    model = tj.load_model()
    edits = [tj.ablate_head(b, h) for b in range(6) for h in range(6)] + [tj.ablate_mlp(2)]
    expected = tj.trace(model, PROMPT, edits=edits).next_tokens(k=1)[0].token_id
    assert expected != tj.trace(model, PROMPT).next_tokens(k=1)[0].token_id
    assert opened.link()["go"].split(".")[1:] == [str(expected)]


def test_the_tokens_stay_as_they_are(app):
    chips = json.loads(app("output", prompt=PROMPT, off="all").chips())
    assert chips == json.loads(app("output", prompt=PROMPT).chips())
