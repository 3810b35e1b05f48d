"""Releases, and the two sides of a comparison: told from the store as the runs themselves have it, in both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from runner.archive.run_id import run_id
from runner.result import RunResult, StepResult
from runner.store import Store
from runner.store.queries.history.releases import releases
from runner.store.queries.runs import History, marks_over_time
from runner.store.queries.samples import Wanted, sample
from runner.store.queries.step_series import step_budgets
from runner.store.queries.time_range import Range
from tests.runner.store.older import back_to
from tests.support.asking import ask
from tests.support.services.databases import BOTH

START = datetime(2026, 6, 1, tzinfo=UTC)
ALL = Range(START, START + timedelta(days=10))
SPOILT = {7: "failed", 11: "error"}


@pytest.fixture(scope="module", params=BOTH)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A database that is filled once and only read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('releases') / 'journeys.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_copy")()
    with Store(url) as opened:
        yield opened


def run(hours: float, release: str = "", status: Any = "passed", seconds: float = 1.0, **more: Any) -> RunResult:
    at = START + timedelta(hours=hours)
    first = StepResult(name="open", index=0, status="passed", latency_seconds=seconds, wall_seconds=seconds, budget_seconds=2.0)
    second = StepResult(name="pay", index=1, status=status, latency_seconds=seconds * 2, wall_seconds=seconds * 2)
    return RunResult(
        id=run_id(), journey=more.pop("journey", "buy"), status=status, started_at=at, ended_at=at + timedelta(seconds=5),
        duration_seconds=5.0, location=more.pop("location", "berlin"), steps=(first, second), release=release, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def stored(store: Store) -> list[RunResult]:
    """A run an hour: none of the first ten names its release, then come 1.0 and 1.1; two did not pass."""
    made = [
        run(
            hour,
            "" if hour < 10 else "1.0" if hour < 20 else "1.1",
            SPOILT.get(hour, "passed"),
            1 + hour / 100,
            contended=hour == 5,
        )
        for hour in range(30)
    ]
    for one in [*made, run(12.5, "2.0", journey="other"), run(12.5, "1.0", location="tokyo")]:
        store.add(one)
    return made


@pytest.mark.long
def test_releases_are_told_in_their_order_with_their_runs(store: Store, stored: list[RunResult]) -> None:
    found = ask(store, releases, "buy", "berlin", ALL)
    assert [(one.release, one.runs) for one in found] == [("1.0", 10), ("1.1", 10)]
    assert (found[0].first_at, found[0].last_at) == (stored[10].started_at, stored[19].started_at)
    assert [one.runs for one in ask(store, releases, "buy", None, ALL)] == [11, 10]
    late = Range(stored[25].started_at, ALL.end)
    assert [(one.release, one.first_at) for one in ask(store, releases, "buy", "berlin", late)] == [
        ("1.1", stored[25].started_at)
    ]
    assert ask(store, releases, "nobody", None, ALL) == []


def test_the_releases_of_a_journey_come_from_their_index_alone(store: Store, stored: list[RunResult]) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by what it knows of the rows, and of thirty it reads all")
    sent: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        sent.append((given[2], given[3]))

    event.listen(store.engine, "before_cursor_execute", note)
    ask(store, releases, "buy", None, ALL)
    event.remove(store.engine, "before_cursor_execute", note)
    selects = [one for one in sent if one[0].startswith("SELECT")]
    with store.connected() as connection:
        plan = [row[-1] for sql, given in selects for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)]
    reads = [line for line in plan if "runs" in line]
    assert reads
    assert all("USING COVERING INDEX runs_by_release" in line for line in reads), plan


def test_one_side_of_a_comparison_has_the_latencies_of_the_runs_that_passed(store: Store, stored: list[RunResult]) -> None:
    found = ask(store, sample, Wanted(journey="buy", location="berlin", span=ALL, release="1.0"))
    own = [one for one in stored if one.release == "1.0" and one.status == "passed"]
    assert (found.passed, found.failed, found.errors, found.taken, found.locations) == (9, 0, 1, 9, 1)
    assert found.latencies == {
        step: tuple(one.steps[place].latency_seconds for one in own) for place, step in enumerate(["open", "pay"])
    }
    assert ask(store, sample, Wanted(journey="buy", location=None, span=ALL)).locations == 2
    assert (
        ask(store, sample, Wanted(journey="buy", location="berlin", span=Range(START, START + timedelta(hours=8)))).contended
        == 1
    )


def test_of_many_runs_some_stand_for_all_evenly(store: Store, stored: list[RunResult]) -> None:
    found = ask(store, sample, Wanted(journey="buy", location="berlin", span=ALL), most=7)
    passed = [one for one in stored if one.status == "passed"]
    assert (found.passed, found.taken) == (28, 7)
    assert found.latencies["open"] == tuple(one.steps[0].latency_seconds for one in passed[3::4])


def test_where_runs_did_not_pass_is_told_run_by_run_and_span_by_span(store: Store, stored: list[RunResult]) -> None:
    marks = ask(store, lambda connection: History(connection).run_marks("buy", "berlin", ALL))
    assert [(one.run, one.failed, one.errors, one.contended) for one in marks] == [
        (stored[5].id, 0, 0, 1),
        (stored[7].id, 1, 0, 0),
        (stored[11].id, 0, 1, 0),
    ]
    days = Range(START, START + timedelta(days=2))
    spans = marks_over_time(ask(store, lambda connection: History(connection).tally_over_time("buy", None, days)), days)
    assert [(one.at, one.failed, one.errors, one.contended, one.count) for one in spans] == [
        (START + timedelta(hours=5), 0, 0, 1, 1),
        (START + timedelta(hours=7), 1, 0, 0, 1),
        (START + timedelta(hours=11), 0, 1, 0, 1),
    ]


def test_budgets_are_those_of_the_newest_runs(store: Store, stored: list[RunResult]) -> None:
    assert ask(store, step_budgets, "buy", None) == {"open": 2.0}
    assert ask(store, step_budgets, "nobody", None) == {}


@pytest.mark.long
def test_a_database_from_before_knows_no_release_and_keeps_its_runs(url: str) -> None:
    with Store(url) as store:
        store.add(run(1, "1.0"))
        back_to("0006", store)
    with Store(url) as store:
        assert ask(store, releases, "buy", None, ALL) == []
        assert [one.release for one in ask(store, lambda connection: History(connection).runs(ALL))] == [""]
        store.add(run(2, "1.1"))
        assert [one.release for one in ask(store, releases, "buy", None, ALL)] == ["1.1"]
