"""`journey flaky`: how often journeys are flaky, from the store, and what it proposes."""

import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.archive.run_id import run_id
from runner.result import Attempt, Failure, RunResult
from runner.settings.sections.quarantine import parse_quarantine
from runner.store import Store
from tests.reports.samples import run
from tests.support.commands import Ended, run_here

NOW = datetime.now(UTC)


def made(mark: str, at: datetime, journey: str, step: str, release: str) -> RunResult:
    """`p` passed, `~` passed at a later attempt, `f` failed, `m` the monitor failed."""
    failure = Failure(kind="browser" if mark == "m" else "timeout", message="late", step=step or None)
    fields: dict[str, Any] = {
        "id": run_id(), "journey": journey, "started_at": at, "ended_at": at, "release": release, "failure": None, "steps": (),
    }  # fmt: skip
    if mark == "~":
        first = Attempt(number=1, status="failed", started_at=at, duration_seconds=1, failure=failure)
        return run(**fields | {"attempts": 2, "earlier_attempts": (first,)}).result
    if mark in "fm":
        fields["failure"] = failure
    return run({"p": "passed", "f": "failed", "m": "error"}[mark], **fields).result


def store_runs(folder: Path, marks: str, journey: str = "buy", step: str = "pay", releases: Sequence[str] = ()) -> None:
    with Store(f"sqlite:///{folder / 'runs' / 'journeys.db'}") as store:
        for number, mark in enumerate(marks):
            release = releases[number] if releases else ""
            store.add(made(mark, NOW - timedelta(hours=len(marks) - number), journey, step, release))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    (tmp_path / "journey.toml").touch()
    return tmp_path


def flaky(folder: Path, *words: str) -> Ended:
    return run_here(folder, ["flaky", *words], {"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "200"})


def read(folder: Path, *words: str) -> dict[str, Any]:
    ended = flaky(folder, "--json", "-", *words)
    assert ended.returncode == 0, ended.stderr
    return {one["journey"]: one for one in json.loads(ended.stdout)["journeys"]}


@pytest.mark.long
@pytest.mark.parametrize(
    ("marks", "releases", "retried", "alone", "runs"),
    [
        ("ppp~p", (), 1, 0, 5),
        ("ppfpp", (), 0, 1, 5),
        ("pffpp", (), 0, 0, 5),
        ("fpp", (), 0, 0, 3),
        ("ppf", (), 0, 0, 3),
        ("pfmp", (), 0, 1, 3),
        ("pfp", ("1", "1", "2"), 0, 0, 3),
        ("~f~", (), 2, 1, 3),
    ],
)
def test_a_flake_is_a_later_attempt_or_a_failure_between_two_that_passed(
    folder: Path, marks: str, releases: Sequence[str], retried: int, alone: int, runs: int
) -> None:
    store_runs(folder, marks, releases=releases)
    found = read(folder)["buy"]
    assert (found["retried"], found["failed_alone"], found["runs"]) == (retried, alone, runs)
    assert found["rate"] == pytest.approx((retried + alone) / runs)
    assert found["interval"][0] <= found["rate"] <= found["interval"][1]


@pytest.mark.long
def test_what_is_proposed_can_be_put_into_the_settings(folder: Path) -> None:
    store_runs(folder, "ppp~ppf" * 4 + "p", step='pay "now"')
    store_runs(folder, "p" * 30, journey="search")
    store_runs(folder, "~f~", journey="young")
    found = read(folder)
    assert [one for one, row in found.items() if row["proposal"]] == ["buy"]
    assert found["buy"]["steps"] == [{"step": 'pay "now"', "flakes": 8, "rate": pytest.approx(8 / 29)}]
    (entry,) = parse_quarantine(tomllib.loads(found["buy"]["proposal"])["quarantine"])
    assert (entry.journey, entry.step, entry.reason) == ("buy", 'pay "now"', '8 of 29 runs were flaky, in step pay "now"')
    (folder / "journey.toml").write_text(found["buy"]["proposal"])
    shown = flaky(folder).stdout
    assert "27.6% flaky" in shown
    assert 'step “pay "now"” is in quarantine until' in shown
    assert "Nothing is proposed for quarantine." in shown


@pytest.mark.long
def test_flakes_in_several_steps_are_the_journeys(folder: Path) -> None:
    store_runs(folder, "ppp~ppf" * 3 + "p")
    store_runs(folder, "p~p", step="open")
    assert read(folder)["buy"]["proposal"].startswith('[quarantine."buy"]')


@pytest.mark.long
def test_only_runs_of_the_period_are_looked_at_and_at_most_so_many(folder: Path) -> None:
    store_runs(folder, "~" * 6 + "p" * 4)
    assert read(folder, "--limit", "4")["buy"]["retried"] == 0
    assert read(folder, "--since", "270m")["buy"]["runs"] == 4
    nothing = flaky(folder, "--since", "1s")
    assert nothing.stdout == "no run of the last 1s is stored; `journey run` and `journey schedule` store them\n"
