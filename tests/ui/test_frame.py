"""The frame: the link holds the lesson, and what cannot be shown is said."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError

import tokenjourney as tj
from tests.checkpoints import change_config
from tokenjourney.model import hub
from tokenjourney.model.loading import BUNDLED_MODEL, MODELS_FOLDER
from tokenjourney.ui import presets, state
from tokenjourney.ui.text import load


def test_the_first_visit_shows_the_default_example(app):
    opened = app()
    assert opened.link() == {"prompt": presets.default()}
    assert json.loads(opened.chips())["tokens"][0][0] == presets.default().split()[0]


def test_a_link_is_opened_as_it_was_sent(app):
    query = {"prompt": "The dog chased\nanother dog", "token": "2", "block": "3", "head": "1"}
    opened = app("attention", **query)
    assert opened.link() == query
    assert opened.test.text_area(key="w.prompt").value == query["prompt"]
    assert json.loads(opened.chips())["followed"] == 2
    assert opened.test.button_group(key="w.block").value == 3


def test_changing_the_page_keeps_what_was_chosen(app):
    opened = app("attention", prompt="The dog chased another dog", token=1)
    opened.choose("w.block", 4).go("tokens").go("attention")
    assert opened.link() == {"prompt": "The dog chased another dog", "token": "1", "block": "4"}
    assert opened.test.button_group(key="w.block").value == 4


def test_a_new_prompt_follows_its_last_token_and_keeps_the_rest(app):
    opened = app("attention", prompt="The dog chased another dog", token=1, block=2)
    opened.write("The cat")
    assert opened.link() == {"prompt": "The cat", "block": "2"}
    assert json.loads(opened.chips())["followed"] == 1


def test_the_link_does_not_repeat_what_is_the_default(app):
    opened = app("attention", prompt="The dog", block=0, head=0, story="student", model="bundled")
    assert opened.link() == {"prompt": "The dog"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"model": "../../etc"}, "no model named"),
        ({"token": 2}, "tokens 0 to 1"),
        ({"token": "1e3"}, "token=1e3"),
        ({"token": "²"}, "token=²"),
        ({"block": 6}, "blocks 0 to 5"),
        ({"head": -1}, "head=-1"),
        ({"model": "<b>x</b>"}, "&lt;b&gt;x"),
    ],
)
def test_what_the_link_asks_for_in_vain_falls_back_with_a_notice(app, query, said):
    opened = app(prompt="The dog", **query)
    assert said in opened.html()
    assert opened.link() == {"prompt": "The dog"}
    assert said not in opened.run().html(), "it is said once"


def test_a_page_takes_back_what_it_does_not_know(app):
    opened = app("tokens", prompt="The dog", step="many", nonsense="1" * 9000)
    assert opened.link() == {"prompt": "The dog"}


def test_an_empty_prompt_asks_for_one_and_the_last_journey_stays(app):
    opened = app("tokens", prompt="The dog").write("")
    assert "Type a text" in opened.cards()[0]
    assert json.loads(opened.chips())["tokens"][0][0] == "The"
    assert opened.link() == {"prompt": ""}


def test_without_any_journey_there_are_the_stations_the_examples_and_no_numbers(app):
    opened = app("tokens", prompt="")
    assert opened.chips() == ""
    assert "<h1>Type a text" in opened.html()
    outline = next(part for part in opened.html().split("\n") if "tj-outline" in part)
    for station in load("start")["map"]["stations"].values():
        assert station["title"].partition(":")[0] in outline
    assert re.findall(r">([^<]*[0-9][^<]*)<", outline) == [
        "The stack: 6 blocks", "0", "1", "2", "3", "4", "5",
    ]  # fmt: skip
    opened.choose("w.preset", "friendship")
    assert opened.link() == {"prompt": "friendship"}
    assert opened.chips()


def test_a_prompt_that_is_too_long_is_refused_with_both_counts_and_the_rest_struck_through(app):
    text = "The dog chased the cat. " * 100
    opened = app("tokens", prompt="The dog").write(text)
    beyond = opened.measured("beyond")
    assert beyond["alert"]
    assert beyond["found"]["limit"] == 256
    assert beyond["found"]["n"] > 256
    assert text.startswith(beyond["found"]["kept"])
    assert opened.link() == {"prompt": "The dog"}
    assert opened.test.text_area(key="w.prompt").value == text
    assert len(json.loads(opened.chips())["tokens"]) == 2
    opened.write(beyond["found"]["kept"])
    assert not opened.measured("beyond")["alert"]
    assert len(json.loads(opened.chips())["tokens"]) == 256


def test_the_way_back_from_a_refused_prompt(app):
    opened = app("tokens", prompt="The dog").write("x" * 100_000)
    opened.test.button(key="back").click()
    opened.run()
    assert opened.test.text_area(key="w.prompt").value == "The dog"
    assert not opened.measured("beyond")["alert"]


def test_exactly_the_context_length_is_fine_and_one_more_is_not(app):
    opened = app("tokens", prompt="The dog").write(" the" * 256)
    assert opened.measured("count")["found"]["n"] == 256
    assert not opened.measured("beyond")["alert"]
    opened.write(" the" * 257)
    assert opened.measured("beyond")["alert"]
    assert opened.measured("beyond")["found"]["beyond"] == [["·the", 262]]
    assert len(json.loads(opened.chips())["tokens"]) == 256, "the last good journey stays"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: truncate(folder / "model.safetensors", 2), "model.safetensors"),
        (lambda folder: change_config(folder, n_head=5), "config.json"),
        (lambda folder: change_config(folder, model_type="llama"), "llama"),
        (lambda folder: change_config(folder, n_layer=99), "n_layer 99"),
        (lambda folder: (folder / "config.json").unlink(), "config.json"),
    ],
    ids=["cut in half", "heads do not divide", "another architecture", "too few blocks", "none"],
)
def test_a_checkpoint_that_cannot_be_opened_says_so_and_the_last_journey_stays(
    app, monkeypatch, tmp_path, damage, said
):
    folder = shutil.copytree(MODELS_FOLDER / BUNDLED_MODEL, tmp_path / "damaged")
    damage(folder)
    monkeypatch.setenv("TOKENJOURNEY_MODEL_PATHS", str(folder))
    opened = app("tokens", prompt="The dog")
    opened.test.radio(key="w.model").set_value("damaged")
    opened.run()
    assert said in opened.cards()[0]
    assert str(tmp_path) not in opened.cards()[0], "where it lies is no visitor's business"
    assert json.loads(opened.chips())["tokens"][0][0] == "The"
    assert opened.link() == {"prompt": "The dog"}
    opened.test.button(key="back").click()
    opened.run()
    assert not opened.cards()


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (LocalEntryNotFoundError("offline"), "the Hub cannot be reached"),
    ],
    ids=["no disk space", "no network"],
)
def test_a_download_that_fails_says_why_and_the_journey_stays(
    app, monkeypatch, tmp_path, happens, said
):
    def snapshot(*_, **__):
        raise happens

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    opened = app("tokens", prompt="The dog", model="gpt2")
    opened.test.button(key="download-wanted").click()
    opened.run()
    assert any(said in card and "bundled model" in card for card in opened.cards())
    assert json.loads(opened.chips())["tokens"]


def truncate(file, parts):
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // parts])


def test_a_link_to_a_model_that_is_not_here_fetches_nothing_before_one_says_so(
    app, monkeypatch, tmp_path
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub, "fetch", lambda *_: pytest.fail("nobody asked for a download"))
    opened = app("tokens", prompt="The dog", model="gpt2-large")
    assert "GPT-2 large is not on this server yet" in opened.cards()[0]
    assert "774 M parameters, 3.2 GB to download, up to 6.2 GB of memory" in opened.cards()[0]
    assert json.loads(opened.chips())["tokens"]
    assert opened.link() == {"prompt": "The dog"}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("The cat sat on the mat. The cat sat on the", " mat"),
        (
            "Once upon a time, there was a dog named Max. He liked to run in the park. One day,",
            " Max",
        ),
        ("The red bird and the blue bird sang. The red bird and the blue", " bird"),
    ],
)
def test_a_preset_says_that_attention_reaches_back_only_where_a_head_does(text, at):
    shown = presets.shown(text, "bundled")
    assert shown.holds
    block, head = map(
        int, re.search(r"block (\d+), head (\d+) looks there", shown.sentence).groups()
    )
    journey = tj.trace(tj.load_model(), text)
    there = [i for i, token in enumerate(journey.tokens) if token.text == at]
    most = journey["pattern", block][head, -1, there].max()
    assert f"with {most:.2f}" in shown.sentence
    assert most >= 0.3


def test_the_journey_in_the_navigation_has_three_parts(app):
    said = app("tokens", prompt="The dog").html()
    parts = re.findall(r'tj-part-of">(\w+)<', said)
    assert parts == ["Input", "Processing", "Output"]


def test_going_back_brings_back_the_page_with_all_that_its_link_says_and_leaves_out(
    app, monkeypatch
):
    opened = app("block", prompt="The dog", token=0).choose("w.block", 2)
    opened.choose("w.block.norm", "ln2")
    assert opened.link() == {"prompt": "The dog", "token": "0", "block": "2", "norm": "ln2"}
    monkeypatch.setattr(state, "went_back", lambda: True)
    opened.test.query_params.clear()
    opened.test.query_params["prompt"] = "The cat"
    opened.run()
    assert opened.link() == {"prompt": "The cat"}
    assert opened.test.button_group(key="w.block").value == 0
    assert opened.test.button_group(key="w.block.norm").value == "ln1"


def test_a_click_counts_although_the_browser_has_not_its_last_link_yet(app):
    opened = app("block", prompt="The dog", token=0)
    old = opened.link()
    opened.choose("w.block", 2)
    opened.test.query_params.clear()
    for name, value in old.items():
        opened.test.query_params[name] = value
    opened.choose("w.block.norm", "ln2")
    assert opened.link() == {"prompt": "The dog", "token": "0", "block": "2", "norm": "ln2"}


def test_story_words_can_be_switched_off_and_over(app):
    opened = app("tokens", prompt="The dog")
    assert "isolation" in opened.html()
    opened.choose("w.story", "engine")
    assert "refuelling" in opened.html()
    assert opened.link()["story"] == "engine"
    opened.test.toggle(key="w.story-on").set_value(False)
    opened.run()
    assert "tj-story" not in opened.html()
    assert opened.link()["story"] == "off"


def test_html_of_a_prompt_stays_text(app):
    opened = app("tokens", prompt="<img src=x onerror=alert(1)>")
    assert "<img" not in opened.html()
    assert "&lt;" in opened.html()


@pytest.mark.parametrize("text", presets.texts())
def test_an_example_says_what_it_shows_with_the_loaded_model(app, text):
    opened = app("tokens").choose("w.preset", text)
    assert opened.link()["prompt"] == text
    shown = presets.shown(text, "bundled")
    assert shown.sentence in opened.html()
    if shown.instead:
        opened.test.button(key="preset-instead").click()
        opened.run()
        assert opened.link()["prompt"] == shown.instead


@pytest.mark.parametrize("text", presets.texts())
def test_what_an_example_is_for_holds_with_the_bundled_model_or_with_its_counterpart(text):
    shown = presets.shown(text, "bundled")
    if not shown.holds:
        assert shown.instead, "an example that fails offers another"
        assert presets.shown(shown.instead, "bundled").holds


def test_the_folders_of_this_server_are_offered_by_name(app, monkeypatch, tmp_path):
    named = tmp_path / "named"
    named.mkdir()
    for file in (MODELS_FOLDER / BUNDLED_MODEL).iterdir():
        (named / file.name).symlink_to(file)
    monkeypatch.setenv("TOKENJOURNEY_MODEL_PATHS", os.pathsep.join([str(named), "/nowhere/at/all"]))
    opened = app("tokens", prompt="The dog", model="named")
    assert opened.link() == {"prompt": "The dog", "model": "named"}
    assert opened.measured("count")["found"]["n"] == 2  # although it was not loaded before
    assert opened.test.radio(key="w.model").options[:3] == ["Bundled model", "named", "GPT-2 small"]


def test_a_damaged_folder_is_refused_and_the_last_journey_stays(app, monkeypatch, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "config.json").write_text("{")
    monkeypatch.setenv("TOKENJOURNEY_MODEL_PATHS", str(damaged))
    opened = app("tokens", prompt="The dog")
    opened.test.radio(key="w.model").set_value("damaged")
    opened.run()
    assert "config.json" in opened.cards()[0]
    assert json.loads(opened.chips())["tokens"][0][0] == "The"
