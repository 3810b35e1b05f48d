"""A state that is made once, used by others, and renewed when it no longer works."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from runner.dsl.discovery import load_journeys
from runner.dsl.plan import plan
from runner.errors import DiscoveryError
from runner.events import StepEnded
from runner.result import RunResult
from runner.settings.settings import load_settings
from tests.conftest import Monitor

CODE = """
    @journey
    def sign_in(page):
        print("signing in")
        page.goto("/login")
        page.get_by_label("Email").fill("tea@example.com")
        page.get_by_label("Password").fill({password!r})
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)

    @journey(signed_in_by="sign_in")
    def walk(page, step):
        with step("look"):
            page.goto("/")
            expect(page.get_by_text("tea@example.com")).to_be_visible(timeout=2000)
"""
PASSWORD = "oolong-and-milk"


def run(monitor: Monitor, password: str = PASSWORD, **options: object) -> RunResult:
    walk = next(one for one in load_journeys(monitor.write(CODE.format(password=password))) if one.name == "walk")
    settings = load_settings(monitor.folder, {"base_url": monitor.shop, **options}, {})
    (result,) = monitor.pool.run([plan(walk, settings)], monitor.chromium, settings, monitor.archive, [monitor.moments.append])
    return result


def state(monitor: Monitor) -> Path:
    return monitor.folder / "runs" / ".state" / "sign_in.json"


def test_the_state_is_made_once_and_only_its_owner_can_read_it(monitor: Monitor) -> None:
    first = run(monitor)
    made = state(monitor).read_bytes()
    assert (first.status, first.attempts, [step.name for step in first.steps]) == ("passed", 1, ["look"])
    assert stat.S_IMODE(state(monitor).stat().st_mode) == 0o600
    assert stat.S_IMODE(state(monitor).parent.stat().st_mode) == 0o700
    second = run(monitor, password="a password that no longer works")
    assert (second.status, second.attempts, state(monitor).read_bytes()) == ("passed", 1, made)
    # What the set-up does is in no step, and nothing of the state is a saved run.
    assert [moment.step.name for moment in monitor.moments if isinstance(moment, StepEnded)] == ["look", "look"]
    assert len(list(monitor.archive.runs())) == 2


def test_a_state_that_no_longer_works_is_made_anew(monitor: Monitor) -> None:
    run(monitor)
    forgotten = json.loads(state(monitor).read_bytes())
    for cookie in forgotten["cookies"]:
        cookie["value"] = "a-session-that-the-shop-has-forgotten"
    state(monitor).write_text(json.dumps(forgotten))
    result = run(monitor)
    assert (result.status, result.attempts, result.earlier_attempts[0].status) == ("passed", 2, "failed")
    assert "the signed-in state was renewed with 'sign_in'" in result.notes
    assert "forgotten" not in state(monitor).read_text()


def test_a_sign_in_that_fails_is_the_runs_failure_and_leaves_no_state(monitor: Monitor) -> None:
    result = run(monitor, password="wrong")
    assert result.failure is not None
    assert (result.status, result.attempts, result.failure.kind) == ("failed", 1, "http")
    assert result.failure.message.startswith("signing in with 'sign_in': ")
    assert [step.status for step in result.steps] == ["skipped"]
    assert not state(monitor).exists()


def test_a_state_that_cannot_be_read_is_named_and_made_anew(monitor: Monitor) -> None:
    state(monitor).parent.mkdir(parents=True)
    state(monitor).write_text("no JSON")
    result = run(monitor)
    assert (result.status, result.attempts) == ("passed", 2)
    failure = result.earlier_attempts[0].failure
    assert failure is not None
    assert (failure.kind, str(state(monitor)) in failure.message) == ("monitor", True)


def test_the_states_cookies_are_hidden_in_a_trace(monitor: Monitor) -> None:
    run(monitor, trace="on")
    (session,) = [one["value"] for one in json.loads(state(monitor).read_bytes())["cookies"]]
    assert session.encode() not in (monitor.saved() / "result.json").read_bytes()
    with zipfile.ZipFile(monitor.saved() / "trace.zip") as trace:
        assert all(session.encode() not in trace.read(name) for name in trace.namelist())


@pytest.mark.parametrize("name", ["nobody", "walk"])
def test_a_set_up_journey_that_is_not_there_is_named(monitor: Monitor, name: str) -> None:
    file = monitor.write(CODE.format(password=PASSWORD).replace('signed_in_by="sign_in"', f"signed_in_by={name!r}"))
    with pytest.raises(DiscoveryError, match=f"walk.py:12: option signed_in_by: {name!r} is not a journey of this file"):
        load_journeys(file)
