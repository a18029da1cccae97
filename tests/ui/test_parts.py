"""Long work asks whether somebody has clicked meanwhile."""

import pytest
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from tokenjourney.ui import parts


@pytest.fixture
def requests(monkeypatch):
    """The requests of a run that is under way."""
    waiting = ScriptRequests()
    context = type("Context", (), {"script_requests": waiting})()
    monkeypatch.setattr(parts, "get_script_run_ctx", lambda: context)
    return waiting


def test_a_click_into_a_part_is_seen(requests):
    assert not parts.click_waits()
    requests.request_rerun(RerunData(fragment_id="a part"))
    assert parts.click_waits()


def test_what_a_clock_draws_anew_is_no_click(requests):
    requests.request_rerun(RerunData(fragment_id="a part", is_auto_rerun=True))
    assert not parts.click_waits()


def test_without_a_run_nobody_clicks(monkeypatch):
    monkeypatch.setattr(parts, "get_script_run_ctx", lambda: None)
    assert not parts.click_waits()
