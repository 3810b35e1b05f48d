"""Event-driven and polling waits judge alike, under `journey run` and under pytest: verdicts, steps, and messages except for times."""

import re
import shutil
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from runner.demo import journeys_folder
from runner.dsl.discovery import discover
from runner.dsl.plan import plan
from runner.settings.load_settings import load_settings
from runner.workers.run_plans import run_plans
from tests.conftest import Monitor
from tests.runner.test_pytest_plugin import HOME, Project

pytest_plugins = ["pytester"]

FAILING = """
@journey
def missing(page, step):
    with step("open"):
        page.goto("/")
    with step("click"):
        page.get_by_role("link", name="Coffee").click(timeout=1000)
    with step("never"):
        page.goto("/")

@journey
def wrong_text(page, step):
    with step("open"):
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Coffee worth waiting for", timeout=1000)

@journey
def several(page, step):
    with step("open", soft=True):
        page.goto("/")
        expect(page.get_by_role("link")).to_be_visible(timeout=1000)
    with step("broken"):
        page.goto("/product/cracked-teapot")

@journey
def hidden(page, step):
    with step("open"):
        page.goto("/")
        page.get_by_role("searchbox").wait_for(state="hidden", timeout=1000)
"""
EXPECTED = {
    **dict.fromkeys(("browse", "buy", "search", "stock"), "passed"),
    **dict.fromkeys(("missing", "wrong_text", "several", "hidden"), "failed"),
}


def verdicts(runs: Iterable[Mapping[str, Any]]) -> dict[str, tuple[object, ...]]:
    """By journey: its status, its steps, and what it says of its failure and of each step's."""
    return {
        run["journey"]: (
            run["status"],
            [(step["name"], step["status"], _failure(step)) for step in run["steps"]],
            _failure(run),
        )
        for run in runs
    }


def _failure(of: Mapping[str, Any]) -> tuple[object, ...]:
    failure = of.get("failure")
    if failure is None:
        return ()
    # What Playwright saw at each of its looks is a matter of their times.
    message = re.sub(r"\d+(?=ms)", "", failure["message"].partition("\nCall log:")[0])
    return failure["kind"], *(failure.get(name) for name in ("step", "line", "code")), message


@pytest.mark.thorough
def test_verdicts_steps_and_messages_are_the_same_with_both_waits_under_both_commands(
    pytester: pytest.Pytester, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", HOME)
    project = Project(pytester, monitor.shop)
    folder = project.path / "journeys"
    shutil.copytree(journeys_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    project.write("journeys/failing.py", FAILING)
    found = {}
    for waits in ("events", "polling"):
        settings = load_settings(
            monitor.folder, {"base_url": monitor.shop, "waits": waits, "trace": "off", "replay": "off"}, {}
        )
        plans = [plan(one, settings) for one in discover([folder])]
        results = run_plans(monitor.pool, plans, monitor.chromium, settings, monitor.archive, [])
        found[waits, "journey run"] = verdicts(msgspec.to_builtins(results))
        project.write("journey.toml", f'waits = "{waits}"\n')
        project.run("journeys", "--journey-budgets=off")
        found[waits, "pytest"] = verdicts(project.runs.values())
    first = found["events", "journey run"]
    assert {name: verdict[0] for name, verdict in first.items()} == EXPECTED
    for other in found.values():
        assert other == first
