"""What may know what, and what the outside may rely on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import tokenjourney as tj

PROJECT = Path(__file__).resolve().parents[1]


def test_import_contracts_are_kept(monkeypatch):
    monkeypatch.chdir(PROJECT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


@pytest.mark.parametrize("module", ["transformers", "huggingface_hub", "streamlit", "sklearn"])
def test_importing_the_package_leaves_heavy_libraries_alone(module):
    code = f"import sys, tokenjourney; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


def test_only_ui_and_pages_import_streamlit():
    importing = re.compile(r"^\s*(import|from) streamlit\b", re.MULTILINE)
    found = {
        path.relative_to(PROJECT).parts[:2]
        for path in [*PROJECT.glob("tokenjourney/**/*.py"), *PROJECT.glob("pages/*.py")]
        if importing.search(path.read_text(encoding="utf-8"))
    }
    assert {parts for parts in found if parts[0] != "pages"} == {("tokenjourney", "ui")}


def test_style_sheets_name_classes_whole_and_know_every_row():
    sheets = {
        path.name: re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for path in PROJECT.glob("assets/components/**/*.css")
    }
    assert not [name for name, rules in sheets.items() if re.search(r"\[class[*^$]?=", rules)]
    code = [*PROJECT.glob("pages/*.py"), *PROJECT.glob("tokenjourney/ui/*.py")]
    rows = {
        name
        for path in code
        for name in re.findall(r"page\.row\(\"([^\"]+)\"", path.read_text(encoding="utf-8"))
    }
    assert rows
    assert rows == set(re.findall(r"\.st-key-row-(\w+)", sheets["house.css"]))


def test_the_public_names_are_the_promised_ones():
    assert len(tj.__all__) == len(set(tj.__all__))
    for name in tj.__all__:
        assert getattr(tj, name).__doc__, name
    promised = "load_model trace generate Journey ablate_head ablate_mlp scale replace train_bpe"
    errors = "TokenJourneyError PromptError CheckpointError ModelNotFoundError HookError"
    assert set(f"{promised} {errors}".split()) <= set(tj.__all__)


def test_requirements_are_pinned_exactly():
    pinned = r'[A-Za-z0-9_-]+==[0-9.]+(; sys_platform != "win32")?|-r requirements\.txt'
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (PROJECT / name).read_text().splitlines():
            assert re.fullmatch(pinned, line), line


def test_the_readme_opens_with_the_two_commands_and_the_checks_run_the_second():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    first_block = re.search(r"```[a-z]*\n(.*?)```", readme, re.DOTALL)
    assert first_block is not None
    commands = [line for line in first_block[1].splitlines() if line and not line.startswith("#")]
    assert commands == [
        "python -m pip install -r requirements.txt && python -m streamlit run app.py",
        "python -m pip install -r requirements-dev.txt && python -m pytest",
    ]
    assert f"\n{commands[1]}\n" in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")
