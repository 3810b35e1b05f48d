"""What was, told from the store: held against the runs themselves, in both databases."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from statistics import quantiles

import pytest
from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.result import Failure, RunResult, StepResult
from runner.store import Store, StoreDown
from runner.store.queries.neighbours import Neighbours, read_neighbours
from runner.store.queries.runs import History, RunRow, sum_by_day
from runner.store.queries.step_series import step_series
from runner.store.queries.tallies import total
from runner.store.queries.time_range import Range
from runner.store.rollups import journeys, run_days, run_hours, step_days, step_hours
from tests.runner.store.older import back_to
from tests.support.asking import ask
from tests.support.services.databases import BOTH
from tests.support.thorough import thorough_but

START = datetime(2026, 6, 1, tzinfo=UTC)
COUNT = 150


def made(count: int = COUNT) -> list[RunResult]:
    """Runs of two journeys over ten days."""
    chance = random.Random(8)
    results = []
    for number in range(count):
        at = START + timedelta(days=10) * number / count
        status = chance.choices(["passed", "failed", "error", "cancelled"], [80, 10, 6, 4])[0]
        latency = round(chance.lognormvariate(-1.5, 0.5), 6)
        failure = None
        if status in {"failed", "error"}:
            failure = Failure(kind="http", message=f"HTTP 500 after {number} ms", step="pay")
        steps = [StepResult(name="open", index=0, status="passed", latency_seconds=latency, wall_seconds=latency + 0.1)]
        steps.append(
            StepResult(name="pay", index=1, status="passed", latency_seconds=latency * 2, wall_seconds=1.0)
            if status == "passed"
            else StepResult(name="pay", index=1, status="failed", latency_seconds=9.0, wall_seconds=9.0)
        )
        results.append(
            RunResult(
                id=run_id(),
                journey=chance.choice(["buy", "search"]),
                status=status,  # type: ignore[arg-type]
                started_at=at,
                ended_at=at + timedelta(seconds=3),
                duration_seconds=3 * latency,
                location="berlin",
                steps=tuple(steps),
                attempts=1,
                failure=failure,
                contended=number % 7 == 0,
            )
        )
    return results


@pytest.fixture(scope="module")
def results() -> list[RunResult]:
    return made()


@pytest.fixture(scope="module", params=BOTH)
def history(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, results: list[RunResult]
) -> Iterator[History]:
    """All the runs, in a database that is only read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('history') / 'journeys.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_copy")()
    with Store(url) as store:
        store.add_all((one, Path("/runs") / one.id) for one in results)
        with store.snapshot() as connection:
            yield History(connection)


@pytest.mark.long
@pytest.mark.parametrize("hours", thorough_but(1, [24, 5, 240]))
def test_the_tallies_are_those_of_the_runs(history: History, results: list[RunResult], hours: int) -> None:
    span = Range(START + timedelta(days=2), START + timedelta(days=2, hours=hours))
    inside = [one for one in results if span.start <= one.started_at < span.end]
    assert inside
    for row in history.journeys(span):
        own = [one for one in inside if one.journey == row.journey]
        counted = Counter(one.status for one in own)
        assert {name: getattr(row.tally, name) for name in counted} == counted
        assert row.tally.total == len(own)
        assert row.tally.contended == sum(one.contended for one in own)
        told = counted["passed"] + counted["failed"]
        assert row.tally.availability == (counted["passed"] / told if told else None)
        assert row.newest is not None
        assert row.newest.id == [one.id for one in results if one.journey == row.journey][-1]
        assert sum(tally.total for _, tally in row.series) == len(own)
        assert len(row.series) <= 61


@pytest.mark.long
@pytest.mark.parametrize("hours", thorough_but(1, [timedelta(days=32), timedelta(days=2)]))
def test_a_long_series_has_the_percentiles_of_the_runs(
    history: History, results: list[RunResult], monkeypatch: pytest.MonkeyPatch, hours: timedelta
) -> None:
    span = Range(START, START + timedelta(days=10))
    monkeypatch.setattr("runner.store.queries.step_series.POINTS", 10)
    # Of a span that is longer than this, sums by the day are read.
    monkeypatch.setattr("runner.store.queries.step_series.HOURS", hours)
    monkeypatch.setattr("runner.store.queries.step_series.SPANS", 2)
    series = step_series(history.connection, "buy", "berlin", span)
    assert [line.step for line in series] == ["open", "pay"]
    for index, line in enumerate(series):
        assert 2 <= len(line.points) <= 3
        for point in line.points:
            width = timedelta(hours=120)
            own = [
                one.steps[index].latency_seconds or 0.0
                for one in results
                if one.journey == "buy"
                and one.steps[index].status == "passed"
                and point.at <= one.started_at < point.at + width
            ]
            assert point.count == len(own)
            exact = sorted(own)[(len(own) + 1) // 2 - 1]
            assert point.p50 == pytest.approx(exact, rel=0.031)
            assert point.p95 == pytest.approx(quantiles(own, n=100)[94], rel=0.15)


@pytest.mark.long
def test_a_short_series_has_every_run_with_its_status(history: History, results: list[RunResult]) -> None:
    span = Range(START, START + timedelta(days=10))
    points = next(line.points for line in step_series(history.connection, "buy", None, span) if line.step == "pay")
    own = [one for one in results if one.journey == "buy"]
    assert [(one.run, one.status) for one in points] == [(one.id, one.steps[1].status) for one in own]
    assert all((one.p50 is None) == (one.status != "passed") for one in points)


@pytest.mark.long
def test_failures_that_differ_in_numbers_alone_are_one_reason(history: History, results: list[RunResult]) -> None:
    span = Range(START, START + timedelta(days=10))
    reasons = history.reasons("buy", "berlin", span)
    counted = Counter(one.status for one in results if one.journey == "buy" and one.failure)
    assert {one.status: one.count for one in reasons} == counted
    assert all(one.first_at < one.last_at and one.step == "pay" for one in reasons)


def test_failures_that_differ_in_ids_alone_are_one_reason(url: str) -> None:
    messages = [
        f"order {one} is not there" for one in ("4f3a9b2c", "0b1d22ee90aa", "c56a4180-65aa-42ec-a945-5fd21dec0538", "17")
    ]
    with Store(url) as store:
        for place, message in enumerate([*messages, "order feedback is not there"]):
            (one,) = made(1)
            failure = Failure(kind="assertion", message=message, step="pay")
            at = START + timedelta(minutes=place)
            store.add(replace(one, id=run_id(), journey="buy", status="failed", failure=failure, started_at=at))
        found = ask(
            store, lambda connection: History(connection).reasons("buy", None, Range(START, START + timedelta(hours=1)))
        )
        assert [(one.message, one.count) for one in found] == [("order feedback is not there", 1), (messages[-1], 4)]
        assert (found[1].first_at, found[1].last_at) == (START, START + timedelta(minutes=3))


@pytest.mark.long
def test_runs_come_page_by_page_without_a_gap(history: History, results: list[RunResult]) -> None:
    span = Range(START, START + timedelta(days=10))
    seen: list[str] = []
    while page := history.runs(span, "search", before=seen[-1] if seen else None, most=17):
        seen += [one.id for one in page]
    assert seen == [one.id for one in reversed(results) if one.journey == "search"]
    failed = history.runs(span, statuses=["failed"], most=COUNT)
    assert {one.id for one in failed} == {one.id for one in results if one.status == "failed"}


@pytest.mark.long
def test_the_runs_around_a_run_are_those_of_its_journey_and_place(history: History, results: list[RunResult]) -> None:
    own = sorted((one for one in results if one.journey == "buy"), key=lambda one: (one.started_at, one.id))
    for place, one in enumerate(own):
        row = history.run(one.id)
        assert row is not None
        same = [other for other in own if other.location == one.location]
        here = same.index(one)
        passed = [other for other in same if other.status == "passed"]
        before = [other for other in passed if same.index(other) < here]
        found = read_neighbours(history.connection, row)
        names = {name: other.id if other else None for name, other in ask_names(found).items()}
        assert names["previous"] == (same[here - 1].id if here else None), place
        assert names["following"] == (same[here + 1].id if here + 1 < len(same) else None)
        assert names["last_passed"] == (before[-1].id if before else None)
        if one.status not in {"failed", "error"}:
            assert names["failing_since"] is names["passed_again"] is None
            continue
        since = [
            other for other in same[same.index(before[-1]) if before else 0 : here + 1] if other.status in {"failed", "error"}
        ]
        assert names["failing_since"] == since[0].id
        assert names["passed_again"] == next((other.id for other in passed if same.index(other) > here), None)


def ask_names(found: Neighbours) -> dict[str, RunRow | None]:
    return {name: getattr(found, name) for name in Neighbours.__struct_fields__}


@pytest.mark.long
@pytest.mark.parametrize(("start", "end"), [(7, 230), (24, 226), (0, 239), (23.5, 216.01), (1, 25)])
def test_a_span_that_begins_and_ends_within_a_day_has_the_runs_of_its_hours(
    history: History, results: list[RunResult], start: float, end: float
) -> None:
    span = Range(START + timedelta(hours=start), START + timedelta(hours=end))
    # Each hour that the span touches is counted whole.
    inside = range(int(start), ceil(end))
    own = [one for one in results if one.journey == "buy" and (one.started_at - START) // timedelta(hours=1) in inside]
    assert own
    by_time = history.tally_over_time("buy", None, span)
    assert total(by_time.values()).total == len(own)
    here = total(history.tally_over_time("buy", "berlin", span).values())
    assert here.durations.count == sum(one.status == "passed" for one in own)
    assert sum(tally.total for _, tally in sum_by_day(by_time)) == len(own)


@pytest.mark.long
def test_the_days_add_up(history: History, results: list[RunResult]) -> None:
    days = sum_by_day(history.tally_over_time("buy", None, Range(START, START + timedelta(days=10))))
    counted = Counter(one.started_at.date() for one in results if one.journey == "buy")
    assert {day.date(): tally.total for day, tally in days} == counted


@pytest.mark.thorough
@pytest.mark.long
def test_an_older_database_is_summed_up_when_it_is_opened(url: str, results: list[RunResult]) -> None:
    sums = (run_hours, step_hours, run_days, step_days, journeys)
    with Store(url) as store:
        for one in results[:60]:
            store.add(one)
        before = [dump(store, table) for table in sums]
        back_to("0003", store)
    with Store(url) as store:
        assert [dump(store, table) for table in sums] == before


def dump(store: Store, table: object) -> list[tuple[object, ...]]:
    from sqlalchemy import select

    with store.connected() as connection:
        rows = [tuple(row) for row in connection.execute(select(table))]  # type: ignore[call-overload]
    return sorted([tuple(round(value, 6) if isinstance(value, float) else value for value in row) for row in rows], key=repr)


@pytest.mark.long
def test_two_schedulers_that_store_at_once_lose_no_count(url: str, results: list[RunResult]) -> None:
    def add(one: RunResult) -> bool:
        """As the keeper does: until it is stored. On a busy machine SQLite may be locked for longer than a statement waits."""
        while True:
            try:
                return store.add(one)
            except StoreDown:
                continue

    with Store(url) as store, ThreadPoolExecutor(4) as threads:
        assert all(threads.map(add, results[:40]))
        span = Range(START, START + timedelta(days=10))
        rows = ask(store, lambda connection: History(connection).journeys(span))
        assert sum(row.tally.total for row in rows) == 40
