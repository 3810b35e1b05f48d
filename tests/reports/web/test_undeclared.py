"""Journeys that no file declares any more: shown last, dimmed, and not counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports.web.query.time_range import parse_time_range
from reports.web.services.next_runs import NextRuns
from reports.web.view_models.overview import Overview, read_overview, state_headline
from runner.archive.run_id import run_id
from runner.result import RunResult, Status
from runner.scheduler.loader import LoadRequest
from runner.store import Store
from tests.support.needs import needs
from tests.support.wait import wait_until

NOW = datetime.now(UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        for journey, status in (("buy", "passed"), ("a-removed-one", "failed")):
            store.add(run(journey, status))  # type: ignore[arg-type]  # a Status
        yield store


def run(journey: str, status: Status) -> RunResult:
    return RunResult(
        id=run_id(), journey=journey, status=status, started_at=NOW - timedelta(minutes=5), ended_at=NOW,
        duration_seconds=2.0, location="local",
    )  # fmt: skip


def overview(store: Store, declared: frozenset[str] | None) -> Overview:
    with store.snapshot() as connection:
        return read_overview(connection, parse_time_range({}, NOW), declared=declared)


def test_a_journey_that_is_no_longer_declared_comes_last_and_does_not_count(store: Store) -> None:
    data = overview(store, frozenset({"buy"}))
    assert [(one.journey, one.declared) for one in data.journeys] == [("buy", True), ("a-removed-one", False)]
    assert state_headline(data) == ("buy passes", "passed")


def test_all_journeys_count_where_nobody_knows_what_is_declared(store: Store) -> None:
    data = overview(store, None)
    assert all(one.declared for one in data.journeys)
    assert state_headline(data) == ("a-removed-one fails", "failed")


@needs("real_time")
def test_what_is_declared_is_read_from_the_files_unless_one_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "journeys" / "buy.py"
    file.parent.mkdir()
    file.write_text("from runner import journey\n\n\n@journey\ndef buy(page): page.goto('/')\n")
    next_runs = NextRuns(LoadRequest(start=tmp_path), period=0.2)
    at_first = next_runs.declared
    assert at_first is None, "nothing was read yet"
    with next_runs:
        next_runs.wait()
        assert next_runs.declared == frozenset({"buy"}), "whoever needs to know waits for the first reading"
        file.write_text("this is no Python")
        wait_until(lambda: next_runs.declared is None)
