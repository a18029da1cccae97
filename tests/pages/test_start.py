"""The start page shows this prompt's whole journey, and nothing else than its numbers."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import tokenjourney as tj
from tokenjourney.analysis.journey_map import unpacked
from tokenjourney.ui import cache

FRAME = Path(tj.__file__).parent / "ui" / "frame.py"
PROMPT = "Once upon a time there was a little"

Open = Callable[..., AppTest]


def elements(block: Any) -> Iterator[Any]:
    for child in getattr(block, "children", {}).values():
        yield child
        yield from elements(child)


def page_map(app: AppTest) -> dict[str, Any]:
    """What the map's component was given."""
    return next(
        unpacked(element.proto.bytes)
        for element in elements(app.main)
        if getattr(element.proto, "component_name", "") == "tokenjourney.journey_map"
    )


def said(data: dict[str, Any], station: int = -1) -> str:
    parts = data["sentences"][station]
    return "".join(part if isinstance(part, str) else part["t"] for part in parts)


@pytest.fixture(scope="module")
def bundled() -> tj.Model:
    return tj.load_model()


@pytest.fixture
def start() -> Open:
    def run(prompt: str = PROMPT, **query: str) -> AppTest:
        app = AppTest.from_file(str(FRAME), default_timeout=60)
        for name, value in {"prompt": prompt, **query}.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return run


def test_the_map_shows_the_tokens_of_the_prompt_and_follows_the_last(
    start: Open, bundled: tj.Model
) -> None:
    data = page_map(start())
    assert data["ids"] == list(tj.trace(bundled, PROMPT).token_ids)
    assert data["followed"] == len(data["ids"]) - 1
    assert data["n_chars"] == len(PROMPT)


def test_strips_hold_the_rows_of_both_embedding_matrices(start: Open, bundled: tj.Model) -> None:
    data = page_map(start())
    tokens = data["token_rows"] * data["token_step"]
    places = data["place_rows"] * data["place_step"]
    np.testing.assert_allclose(tokens, bundled.W_E[data["ids"]], atol=1e-4)
    np.testing.assert_allclose(places, bundled.W_pos[: len(data["ids"])], atol=1e-4)


def test_bars_and_rest_are_all_of_the_probability(start: Open, bundled: tj.Model) -> None:
    data = page_map(start())
    best = tj.trace(bundled, PROMPT).next_tokens(k=10)
    assert [row["id"] for row in data["predictions"]] == [one.token_id for one in best]
    assert [row["share"] for row in data["predictions"]] == [one.probability for one in best]
    assert data["rest"]["n"] == bundled.config.d_vocab - 10
    assert sum(row["share"] for row in data["predictions"]) + data["rest"]["share"] == (
        pytest.approx(1.0)
    )


def test_the_best_guess_after_the_last_block_is_the_prediction(start: Open) -> None:
    data = page_map(start())
    assert len(data["guesses"]) == data["config"]["n_layers"] + 1
    last, answer = data["guesses"][-1], data["predictions"][0]
    assert last["text"] == answer["text"]
    assert last["share"] == pytest.approx(answer["share"], abs=1e-5)
    assert last["rank"] == 1


def test_there_is_a_sentence_for_every_station(start: Open) -> None:
    data = page_map(start())
    assert len(data["sentences"]) == data["config"]["n_layers"] + 5
    for block in range(data["config"]["n_layers"]):
        assert said(data, 3 + block).startswith(f"Block {block}: ·little asks its classmates")
    assert data["predictions"][0]["text"] in said(data)


def test_following_another_token_shows_its_own_prediction_and_what_really_comes_next(
    start: Open, bundled: tj.Model
) -> None:
    data = page_map(start(token="3"))
    assert data["followed"] == 3
    journey = tj.trace(bundled, PROMPT)
    assert data["predictions"][0]["id"] == journey.next_tokens(3, k=1)[0].token_id
    true_next = [row["id"] for row in data["predictions"] if row["true_next"]]
    assert true_next == [journey.token_ids[4]]
    assert "the text goes on with ·there" in said(data)
    assert not data["add"]["shown"]


def test_a_token_that_nobody_expected_still_has_its_bar(start: Open, bundled: tj.Model) -> None:
    data = page_map(start("Once upon a time Lily zebra", token="3"))
    (row,) = [row for row in data["predictions"] if row["true_next"]]
    logits = tj.trace(bundled, "Once upon a time Lily zebra").logits_at(3)
    assert row["rank"] == 1 + int((logits > logits[row["id"]]).sum())
    assert row["rank"] > 10
    assert row == data["predictions"][-1]
    shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert row["share"] == pytest.approx(float(shares[row["id"]]), rel=1e-5)
    assert row["logit"] == float(logits[row["id"]])


def test_no_more_predictions_are_made_than_have_bars(
    start: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, next_tokens = [], tj.Journey.next_tokens

    def counted(journey: tj.Journey, position: int = -1, k: int = 10, **more: Any) -> Any:
        asked.append(k)
        return next_tokens(journey, position, k, **more)

    monkeypatch.setattr(tj.Journey, "next_tokens", counted)
    cache._pictures.clear()
    rows = page_map(start("Once upon a time Lily zebra", token="3"))["predictions"]
    assert len(rows) == 11
    assert asked
    assert max(asked) == 10


def test_another_prompt_is_another_map(start: Open) -> None:
    app = start()
    before = page_map(app)
    app.text_area[0].set_value("The dog chased another dog").run()
    assert not app.exception
    after = page_map(app)
    assert after["ids"] != before["ids"]
    assert after["followed"] == len(after["ids"]) - 1
    assert not np.array_equal(after["thumbnails"], before["thumbnails"])
    assert after["predictions"] != before["predictions"]


def test_one_token_has_only_itself_to_look_at(start: Open) -> None:
    data = page_map(start("Hello"))
    assert len(data["curve_blocks"]) == 0
    assert "has only itself to look at" in said(data, 3)


def test_more_than_sixty_tokens_are_shown_around_the_followed(start: Open) -> None:
    prompt = "Once upon a time there was a little girl. " * 12
    data = page_map(start(prompt, token="70"))
    assert data["n_tokens"] > 100
    assert len(data["rows"]) == 60
    assert 70 in data["rows"]
    assert data["keep"][:2] == [0, 70]
    assert data["lengths"].shape == (data["config"]["n_layers"] + 1, 60)


def test_a_full_context_has_no_room_for_another_token(start: Open, bundled: tj.Model) -> None:
    n = bundled.config.n_ctx
    prompt = " dog" * n
    assert len(tj.trace(bundled, prompt)) == n
    data = page_map(start(prompt))
    assert "full" in data["add"]["problem"]


def test_the_curves_of_one_head_are_its_pattern(start: Open, bundled: tj.Model) -> None:
    mean, data = page_map(start()), page_map(start(curves="4"))
    assert (mean["curves_of"], data["curves_of"]) == (None, 4)
    journey = tj.trace(bundled, PROMPT)
    assert len(data["curve_blocks"]) > 20
    for block, query, key, share in zip(
        data["curve_blocks"], data["curve_queries"], data["curve_keys"], data["curve_shares"],
        strict=True,
    ):  # fmt: skip
        assert share == pytest.approx(journey["pattern", int(block)][4, query, key], abs=1e-5)


def test_a_head_that_the_model_does_not_have_is_the_mean_and_said_so(start: Open) -> None:
    app = start(curves="99")
    assert page_map(app)["curves_of"] is None
    assert any("curves=99" in _body(element) for element in elements(app.main))


def test_heads_are_named_only_for_what_they_mostly_do(start: Open, bundled: tj.Model) -> None:
    data = page_map(start("The cat sat on the mat. The cat sat on the"))
    named = [one for block in data["kinds"] for one in block if one]
    assert named
    assert all(score >= 0.5 for _, score in named)
    assert sum(len(block) for block in data["kinds"]) > len(named)


def test_html_in_the_prompt_stays_text(start: Open) -> None:
    data = page_map(start("<b>&amp;</b>"))
    assert "".join(data["texts"]) == "<b>&amp;</b>"


@pytest.mark.parametrize(("story", "word"), [("student", "badge"), ("engine", "fuel"), ("off", "")])
def test_the_stations_speak_in_the_chosen_story(start: Open, story: str, word: str) -> None:
    assert page_map(start(story=story))["stations"]["tokens"]["story"] == word


def test_the_table_has_a_row_for_each_token_and_station(start: Open) -> None:
    app = start()
    app.session_state["table-journey-map"] = True
    app.run()
    assert not app.exception
    table = next(e.proto.body for e in elements(app.main) if "tj-table" in _body(e))
    data = page_map(app)
    n_rows = len(data["ids"]) * (data["config"]["n_layers"] + 2) + len(data["predictions"])
    assert table.count("<tr>") == n_rows + 1
    assert "·little" in table


def test_the_table_tells_the_best_guess_after_every_block_for_every_token(
    start: Open, bundled: tj.Model
) -> None:
    app = start()
    app.session_state["table-journey-map"] = True
    app.run()
    table = next(e.proto.body for e in elements(app.main) if "tj-table" in _body(e))
    journey = tj.trace(bundled, PROMPT)
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    stations = bundled.config.n_layers + 2
    for position in range(len(journey)):
        best = journey.next_tokens(position, k=1)[0]
        label = best.text.replace(" ", "·")
        assert f">{label}<" in rows[stations * position + stations - 2]


def test_with_parts_off_every_bar_has_the_ring_of_the_untouched_run(
    start: Open, bundled: tj.Model
) -> None:
    data = page_map(start(off="0,m0,m1"))
    untouched = tj.trace(bundled, PROMPT)
    share = {one.token_id: one.probability for one in untouched.next_tokens(k=300)}
    for row in data["predictions"]:
        assert row["before"] == pytest.approx(share.get(row["id"], row["before"]), abs=1e-7)
    best = untouched.next_tokens(k=1)[0]
    (ring,) = [row for row in data["predictions"] if row["id"] == best.token_id]
    assert ring["before"] == pytest.approx(best.probability)
    assert ring["before"] != pytest.approx(ring["share"], abs=0.01)
    rings = sum(row["before"] for row in data["predictions"]) + data["rest"]["before"]
    assert rings == pytest.approx(1.0)
    assert "With everything on it" in said(data)


def test_with_everything_on_there_are_no_rings(start: Open) -> None:
    data = page_map(start())
    assert all("before" not in row for row in (*data["predictions"], data["rest"]))
    assert "everything on" not in said(data)


def test_the_best_token_of_the_untouched_run_keeps_a_row_however_far_it_fell(
    start: Open, bundled: tj.Model
) -> None:
    prompt = "The dog chased another dog. The cat chased another"
    data = page_map(start(prompt, off="all"))
    best = tj.trace(bundled, prompt).next_tokens(k=1)[0].token_id
    (row,) = [row for row in data["predictions"] if row["id"] == best]
    assert row["rank"] > 10
    assert not row["true_next"]
    ranks = [row["rank"] for row in data["predictions"]]
    assert ranks == sorted(ranks)


def test_the_table_has_the_bars_and_their_rings(start: Open) -> None:
    app = start(off="0,m0,m1")
    app.session_state["table-journey-map"] = True
    app.run()
    table = next(e.proto.body for e in elements(app.main) if "tj-table" in _body(e))
    assert "with everything on</th>" in table
    first = page_map(app)["predictions"][0]
    (row,) = [row for row in table.split("<tr>") if "next token, rank 1<" in row]
    assert first["text"] in row
    assert [float(first["share"]), float(first["before"])] == pytest.approx(
        [float(value) for value in re.findall(r">(0\.\d+)<", row)], rel=0.01
    )


def _body(element: Any) -> str:
    return str(getattr(getattr(element, "proto", None), "body", ""))
