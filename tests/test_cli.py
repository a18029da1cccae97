"""The command line says what the API says."""

import pytest

import tokenjourney as tj
from tokenjourney.__main__ import main


def test_trace_prints_tokens_and_candidates_and_saves(capsys, tmp_path):
    path = tmp_path / "journey.safetensors"
    assert main(["trace", "Once upon a time", "--k", "3", "--save", str(path)]) == 0
    printed = capsys.readouterr().out
    journey = tj.Journey.load(path)
    for token in journey.tokens:
        assert repr(token.text) in printed
    for guess in journey.next_tokens(k=3):
        assert f"{guess.probability:7.1%}  {guess.token_id:6}  {guess.text!r}" in printed


def test_generate_prints_what_the_api_generates(capsys):
    asked = ["--max-new-tokens", "6", "--temperature", "0.8", "--top-k", "20", "--seed", "3"]
    assert main(["generate", "Once upon", *asked]) == 0
    steps = tj.generate(tj.load_model(), "Once upon", 6, 0.8, 20, seed=3)
    assert capsys.readouterr().out.strip() == "Once upon" + "".join(s.text for s in steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_report_writes_one_page_that_needs_no_network(capsys, tmp_path, theme):
    out = tmp_path / "journey.html"
    prompt = "Once <script>alert(1)</script> upon"
    assert main(["report", prompt, "--out", str(out), "--block", "1", "--theme", theme]) == 0
    page = out.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert " src=" not in page.split("<script")[0]
    assert "cdn.plot.ly" not in page.split("plotly.js v")[0]
    best = tj.trace(tj.load_model(), prompt).next_tokens(k=1)[0]
    assert f"{best.probability:.1%}"[:2] in page
    assert main(["report", prompt, "--out", str(out), "--block", "99"]) == 1
    assert "no block 99" in capsys.readouterr().err


def test_models_lists_the_bundled_one_and_the_family(capsys):
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    for name in ("bundled", "gpt2", "gpt2-xl", "distilgpt2"):
        assert f"\n{name} " in f"\n{printed}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trace", ""], "empty"),
        (["generate", "x", "--temperature", "-1"], "temperature"),
        (["trace", "x", "--model", "./nowhere"], "nowhere"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(capsys, arguments, message):
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tokenjourney: ")
    assert message in captured.err


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    for command in ("trace", "generate", "report", "train", "evaluate", "models"):
        assert command in printed
