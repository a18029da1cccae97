"""A network learns in one visitor's page while another visitor's page answers."""

import re
import shutil
import subprocess
import time

import pytest
from playwright.sync_api import expect


def trainings(server):
    """How many processes that train this server has started and not ended."""
    listed = subprocess.run(["ps", "-A", "-o", "ppid=,args="], capture_output=True, text=True)
    rows = [row.split(maxsplit=1) for row in listed.stdout.splitlines()]
    return sum(row[0] == str(server.process.pid) and "training.worker" in row[1] for row in rows)


def test_it_learns_from_guessing_to_clearly_better_though_paused_while_another_page_answers(visit):
    learner = visit().open("/training", prompt="The dog ran", lsteps=120, lsize="32", twin=0)
    learner.page.get_by_role("button", name="Train", exact=True).click()
    other = visit().open("/output", prompt="Once upon a time")
    expect(other.page.locator(".st-key-tjfig-output-choice .js-plotly-plot")).to_be_visible()
    learner.page.get_by_role("button", name="Pause", exact=True).click()
    expect(learner.page.get_by_text("Paused at step")).to_be_visible()
    learner.page.get_by_role("button", name="Go on", exact=True).click()
    expect(learner.page.get_by_text("Done: 120 steps")).to_be_visible(timeout=120_000)
    caption = learner.page.locator(".st-key-tjfig-training-losses .tj-caption")
    expect(caption).to_contain_text("held-out loss went from")
    first, now = map(float, re.findall(r"\d\.\d\d", caption.inner_text())[:2])
    assert 3.5 < first < 4.5  # near the logarithm of some fifty characters
    assert now < first - 1


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps, which lists processes, is not there")
def test_its_process_is_gone_soon_after_the_visitor_closes_the_page(visit, server):
    learner = visit().open("/training", prompt="The dog ran", lsteps=600)
    learner.page.get_by_role("button", name="Train", exact=True).click()
    learner.page.get_by_role("button", name="Pause", exact=True).click()
    expect(learner.page.get_by_text("Paused at step")).to_be_visible()
    assert trainings(server) == 1
    learner.page.close()
    end = time.monotonic() + 60
    while trainings(server):
        assert time.monotonic() < end, "nobody watches it any more"
        time.sleep(0.5)
