"""The store, in both databases."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, create_engine, inspect, text

from runner.archive.run_id import run_id
from runner.errors import ConfigError
from runner.result import Artifact, Attempt, Failure, Navigation, Requests, RunResult, StepResult, Vitals
from runner.store import Store, StoreDown
from runner.store.engines.file import make_file_engine
from runner.store.tables.errors import error_states
from runner.store.tables.page_views import page_views
from tests.support.services.databases import empty_database

NOW = datetime(2026, 6, 1, 12, 0, 0, 250_000, UTC)
SLOT = NOW.replace(microsecond=0)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database; what is stored is asked of both kinds in `make test` too."""
    return empty_database(request, tmp_path)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as opened:
        yield opened


def result(journey: str = "buy", identity: str | None = None) -> RunResult:
    failure = Failure(kind="assertion", message="no such heading", step="pay")
    load = Navigation(
        url="https://shop.example/", type="navigate", started_at=NOW, status=200, phases={"ttfb": 0.1, "total": 0.4}
    )
    first = StepResult(
        name="open", index=0, status="passed", started_at=NOW, latency_seconds=0.4, wall_seconds=0.5,
        navigations=(load, load), vitals=Vitals(lcp=0.3, cls=0.01), requests=Requests(ok=5, failed=1, transfer_bytes=3_000_000_000),
    )  # fmt: skip
    second = StepResult(name="pay", index=1, status="failed", failure=failure)
    return RunResult(
        id=identity or run_id(), journey=journey, status="failed", started_at=NOW, ended_at=NOW + timedelta(seconds=2),
        duration_seconds=2.0, location="local", attempts=2, steps=(first, second), failure=failure,
        earlier_attempts=(Attempt(number=1, status="error", started_at=NOW, duration_seconds=1.0, steps=(first,)),),
        artifacts=(Artifact(kind="trace", path="trace.zip", bytes=12, attempt=2),), tags=("checkout",), slot_at=SLOT,
    )  # fmt: skip


def test_a_run_is_stored_whole_and_once(store: Store, url: str) -> None:
    run = result()
    assert (store.add(run, Path("runs/buy/x")), store.add(run)) == (True, False)
    with connected(url) as connection:

        def one(query: str) -> tuple[object, ...]:
            return tuple(connection.execute(text(query)).one())

        assert one("SELECT journey, status, failure_step, attempts, folder FROM runs") == (
            "buy",
            "failed",
            "pay",
            2,
            "runs/buy/x",
        )
        counted = "(SELECT count(*) FROM {})".format
        tables = ("runs", "attempts", "steps", "navigations", "artifacts")
        assert one(f"SELECT {', '.join(map(counted, tables))}") == (1, 1, 3, 4, 1)
        joined = "navigations JOIN steps ON steps.id = navigations.step_id JOIN runs ON runs.id = steps.run_id"
        assert one(f"SELECT count(*), min(steps.name), max(total), max(steps.transfer_bytes) FROM {joined}") == (
            4, "open", 0.4, 3_000_000_000,
        )  # fmt: skip


def test_a_half_stored_run_does_not_exist(store: Store) -> None:
    run = result()
    broken = Artifact(kind="trace", path=None, bytes=1)  # type: ignore[arg-type]
    with pytest.raises(StoreDown, match=f"rejected run {run.id}"):
        store.add(msgspec.structs.replace(run, artifacts=(broken,)))
    assert store.count() == 0
    assert store.add(run)


@pytest.mark.long
def test_a_character_that_a_database_cannot_hold_costs_no_run(store: Store) -> None:
    failure = Failure(kind="page", message="a\0b")
    assert store.add(msgspec.structs.replace(result(), failure=failure, notes=("c\0d",)))


def test_a_database_without_a_locale_gives_texts(postgres_server: str) -> None:
    engine = create_engine(f"{postgres_server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE plain TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'"))
    engine.dispose()
    with Store(f"{postgres_server}/plain") as store:
        assert store.add(result("käufe"))
    with connected(f"{postgres_server}/plain?client_encoding=utf8") as connection:
        assert connection.execute(text("SELECT journey FROM runs")).scalar_one() == "käufe"


def test_a_run_that_was_started_by_hand_does_not_count_for_alerts(store: Store) -> None:
    store.add(msgspec.structs.replace(result(identity="by-hand"), slot_at=None, status="failed"))
    store.add(result(identity="on-schedule"))
    (past,) = store.alerts.past_runs("buy", result().location, 10)
    assert past.status == result().status


def test_a_slot_is_claimed_once_whoever_asks(store: Store, url: str) -> None:
    with ThreadPoolExecutor(8) as pool, Store(url) as other:
        stores = [store, other] * 8
        claims = list(pool.map(lambda one: one[1].slots.claim("buy", "local", SLOT, str(one[0]), "me", NOW), enumerate(stores)))
    assert sum(claims) == 1
    assert store.slots.claim("buy", "elsewhere", SLOT, "x", "me", NOW)
    assert not store.slots.record("buy", "local", SLOT, "missed", "late", "me", NOW)
    assert store.slots.count_by_state("buy") == {"claimed": 2}


def test_missed_slots_are_recorded_together_and_replace_nothing(store: Store) -> None:
    slots = [SLOT + timedelta(seconds=second) for second in range(4)]
    store.slots.claim("buy", "local", slots[1], "run", "me", NOW)
    store.slots.record_missed("buy", "local", slots, "late", "me", NOW)
    assert store.slots.count_by_state("buy") == {"claimed": 1, "missed": 3}
    store.slots.record_missed("buy", "local", slots, "late", "me", NOW)
    store.slots.record_missed("buy", "local", [], "late", "me", NOW)
    assert store.slots.count_by_state("buy") == {"claimed": 1, "missed": 3}


def test_storing_a_run_closes_its_slot(store: Store) -> None:
    run = result()
    store.slots.claim("buy", "local", SLOT, run.id, "me", NOW)
    store.add(run)
    assert store.slots.count_by_state("buy") == {"done": 1}
    assert store.slots.newest("buy", "local") == SLOT


def test_a_slot_may_be_run_again_when_the_clock_was_set_back_over_it(store: Store) -> None:
    run = result()
    store.slots.claim("buy", "local", SLOT, run.id, "me", NOW + timedelta(hours=1))
    assert not store.slots.claim("buy", "local", SLOT, "again", "me", NOW)
    store.add(run)
    assert store.slots.claim("buy", "local", SLOT, "again", "me", NOW)
    assert not store.slots.claim("buy", "local", SLOT, "and again", "me", NOW + timedelta(seconds=30))


def test_the_open_slots_of_a_dead_scheduler_are_taken_over_once(store: Store) -> None:
    for name, seen in (("dead", NOW - timedelta(minutes=2)), ("alive", NOW), ("mine", NOW)):
        store.schedulers.register(name, "host", 1, "local", seen)
        store.slots.claim(f"of-{name}", "local", SLOT, f"run-{name}", name, NOW)
    (orphan,) = store.schedulers.adopt_orphans("mine", NOW, alone=False)
    assert (orphan.journey, orphan.run, orphan.slot_at) == ("of-dead", "run-dead", SLOT)
    assert store.schedulers.adopt_orphans("mine", NOW, alone=False) == []
    assert [one.journey for one in store.schedulers.adopt_orphans("mine", NOW, alone=True)] == ["of-alive"]


def test_a_pause_holds_until_its_time_or_until_it_is_resumed(store: Store) -> None:
    store.pauses.pause("check*", NOW + timedelta(hours=1), "provider moves", NOW)
    store.pauses.pause("buy", None, "broken", NOW)
    assert {one.pattern for one in store.pauses.active(NOW)} == {"check*", "buy"}
    assert {one.pattern for one in store.pauses.active(NOW + timedelta(hours=2))} == {"buy"}
    assert store.pauses.resume("checkout") == ["check*"]
    assert store.pauses.resume("checkout") == []
    assert [one.pattern for one in store.pauses.active(NOW)] == ["buy"]


@pytest.mark.long
def test_the_migrations_make_what_the_schema_says(store: Store, url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    known = {*page_views.metadata.tables, "alembic_version"}
    # Partitions are not in the schema: each is what its table is.
    options = {"include_name": lambda name, kind, _: kind != "table" or name in known}
    with connected(url) as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), error_states.metadata)
        tables = set(inspect(connection).get_table_names())
    parts = {
        one for one in tables if re.fullmatch(r"(beacons|interactions|page_errors|page_views|slow_requests|vitals)_\d{8}", one)
    }
    assert tables == known | parts
    # In PostgreSQL an id is unique within its day: a unique index of a partitioned table must have its key.
    within_days = [("add_constraint", "beacons"), ("add_constraint", "page_views")]
    assert sorted((one[0], one[1].table.name) for one in found) == (within_days if url.startswith("postgresql") else [])
    assert bool(parts) == url.startswith("postgresql")


def test_a_database_of_a_newer_version_is_refused_and_left_alone(store: Store, url: str) -> None:
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="newer version of journey-runner"):
        Store(url)


def test_a_locked_database_is_said_and_works_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.store.database.PATIENCE", 0.1)
    with Store(f"sqlite:///{tmp_path / 'journeys.db'}") as store:
        holder = sqlite3.connect(tmp_path / "journeys.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreDown, match=r"journeys\.db cannot be used: database is locked"):
            store.add(result())
        holder.execute("ROLLBACK")
        holder.close()
        assert store.add(result())


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "journeys.db").write_text("this is no database, " * 100)
    with pytest.raises(StoreDown, match=r"journeys\.db cannot be used: file is not a database"):
        Store(f"sqlite:///{tmp_path / 'journeys.db'}")


def test_a_database_that_is_away_is_said_without_its_password() -> None:
    with pytest.raises(StoreDown, match="cannot be used") as caught:
        Store("postgresql+psycopg://me:geheim@127.0.0.1:9/journeys")
    assert "geheim" not in str(caught.value)


def test_the_log_of_a_large_transaction_gives_its_space_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.store.engines.file.LOG", 100_000)
    log = tmp_path / "journeys.db-wal"
    engine = make_file_engine(f"sqlite:///{tmp_path / 'journeys.db'}", 10.0)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE large (text)")
        connection.exec_driver_sql("INSERT INTO large VALUES (zeroblob(6000000))")
        connection.commit()
        assert log.stat().st_size > 6_000_000
        connection.exec_driver_sql("INSERT INTO large VALUES ('small')")
        connection.commit()
        assert log.stat().st_size <= 100_000
    engine.dispose()
