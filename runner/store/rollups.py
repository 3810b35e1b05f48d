"""Roll-ups: runs summed up by the hour and by the day, so that a page over months need not read a million runs."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    Update,
    bindparam,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from runner.result import RunResult, StepResult
from runner.store.quantile_sketch import Sketch
from runner.store.tables.runs import NAME, UtcDateTime, metadata

STATUSES = ("passed", "failed", "error", "cancelled")


def _of_runs(name: str, at: str) -> Table:
    return Table(
        name,
        metadata,
        Column("journey", NAME, primary_key=True),
        Column("location", NAME, primary_key=True),
        Column(at, UtcDateTime, primary_key=True),
        *(Column(status, Integer, nullable=False, default=0) for status in STATUSES),
        Column("flaky", Integer, nullable=False, default=0),
        Column("over_budget", Integer, nullable=False, default=0),
        Column("contended", Integer, nullable=False, default=0),
        Column("durations", JSON, nullable=False),
        Index(f"{name}_by_time", at),
    )


def _of_steps(name: str, at: str) -> Table:
    return Table(
        name,
        metadata,
        Column("journey", NAME, primary_key=True),
        Column("location", NAME, primary_key=True),
        Column(at, UtcDateTime, primary_key=True),
        Column("step", Text, primary_key=True),
        Column("position", Integer, nullable=False),
        Column("seconds", Float, nullable=False, default=0.0),
        Column("bytes", BigInteger, nullable=False, default=0),
        Column("latencies", JSON, nullable=False),
    )


run_hours, run_days = _of_runs("run_hours", "hour"), _of_runs("run_days", "day")
"""The number of runs of a journey by status, per hour or day (UTC) in which they began, and a sketch of the durations of those that
passed."""

step_hours, step_days = _of_steps("step_hours", "hour"), _of_steps("step_days", "day")
"""A sketch of the latencies of a step in passed runs, their sum, and the sum of the bytes received."""

journeys = Table(
    "journeys",
    metadata,
    Column("journey", NAME, primary_key=True),
    Column("location", NAME, primary_key=True),
    Column("newest_run", String(36), nullable=False),
    Column("newest_at", UtcDateTime, nullable=False),
)
"""Which journeys have been run at which location, with the newest run of each, so that listing them reads no runs."""


def count(connection: Connection, result: RunResult) -> None:
    """Adds a run to its hour and its day, in the transaction that stores the run, so that it is counted once."""
    _note_newest(connection, result)
    here = {"journey": result.journey, "location": result.location}
    _count(connection, result, run_hours, step_hours, {**here, "hour": hour_of(result.started_at)})
    _count(connection, result, run_days, step_days, {**here, "day": day_of(result.started_at)})


def uncount(connection: Connection, journey: str, location: str, started_at: datetime, status: str) -> None:
    """Takes a run that was given up out of its hour and its day. It has no steps and no flags; it is one of its status, and no more."""
    here = {"journey": journey, "location": location}
    for table, key in ((run_hours, {**here, "hour": hour_of(started_at)}), (run_days, {**here, "day": day_of(started_at)})):
        row = _locked(connection, table, key, {"durations": {}})
        connection.execute(_change(table), {**_wanted(key), status: max(row[status] - 1, 0)})


def _count(connection: Connection, result: RunResult, of_runs: Table, of_steps: Table, key: dict[str, Any]) -> None:
    row = _locked(connection, of_runs, key, {"durations": {}})
    change: dict[str, Any] = {
        "flaky": row["flaky"] + result.flaky,
        "over_budget": row["over_budget"] + any(step.over_budget for step in result.steps),
        "contended": row["contended"] + result.contended,
    }
    if result.status in STATUSES:
        change[result.status] = row[result.status] + 1
    if result.status == "passed":
        change["durations"] = _with(row["durations"], result.duration_seconds)
    connection.execute(_change(of_runs), {**_wanted(key), **change})
    _count_steps(connection, result, of_steps, key)


def _count_steps(connection: Connection, result: RunResult, of_steps: Table, key: dict[str, Any]) -> None:
    taken: dict[str, list[StepResult]] = {}
    for step in result.steps:
        if step.status == "passed" and step.latency_seconds is not None:
            taken.setdefault(step.name, []).append(step)
    if not taken:
        return
    # In one order everywhere: two schedulers that lock the rows of the same steps do not wait for each other in a circle.
    names = sorted(taken)
    empty = [{**key, "step": name, "position": taken[name][-1].index, "latencies": {}} for name in names]
    connection.execute(_insert(connection.dialect.name, of_steps), empty)
    wanted = _wanted(key)
    rows = connection.execute(_select_steps(of_steps), {**wanted, "names": names}).mappings().all()
    changes = [{**wanted, "same_step": row["step"], **_with_steps(row, taken[row["step"]])} for row in rows]
    connection.execute(_change(of_steps), changes)


def _with_steps(row: RowMapping, taken: list[StepResult]) -> dict[str, Any]:
    return {
        "position": taken[-1].index,
        "seconds": row["seconds"] + sum(step.latency_seconds or 0.0 for step in taken),
        "bytes": row["bytes"] + sum(step.requests.transfer_bytes for step in taken),
        "latencies": _with(row["latencies"], *(step.latency_seconds or 0.0 for step in taken)),
    }


def _note_newest(connection: Connection, result: RunResult) -> None:
    key = {"journey": result.journey, "location": result.location}
    known = _locked(connection, journeys, key, {"newest_run": result.id, "newest_at": result.started_at})
    if known["newest_at"] <= result.started_at:
        newest = {"newest_run": result.id, "newest_at": result.started_at}
        connection.execute(_change(journeys), {**_wanted(key), **newest})


def hour_of(at: datetime) -> datetime:
    """The start of the hour of a time."""
    return at.replace(minute=0, second=0, microsecond=0)


def day_of(at: datetime) -> datetime:
    """The start of the day of a time in UTC."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _with(written: dict[str, int], *seconds: float) -> dict[str, int]:
    sketch = Sketch.read(written)
    for one in seconds:
        sketch.add(one)
    return sketch.written()


def _locked(connection: Connection, table: Table, key: dict[str, Any], empty: dict[str, Any]) -> dict[str, Any]:
    """The row of a key, created if necessary and locked until the transaction ends."""
    connection.execute(_insert(connection.dialect.name, table), [{**key, **empty}])
    return dict(connection.execute(_select(table), _wanted(key)).mappings().one())


# Each statement is made once: making it takes longer than the database does with it.


@cache
def _insert(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return insert.on_conflict_do_nothing()


@cache
def _select(table: Table) -> Select[Any]:
    return select(table).where(*_same(table)).with_for_update()


@cache
def _select_steps(table: Table) -> Select[Any]:
    named = table.c.step.in_(bindparam("names", expanding=True))
    return select(table).where(*_same(table, but="step"), named).order_by(table.c.step).with_for_update()


@cache
def _change(table: Table) -> Update:
    return update(table).where(*_same(table))


def _same(table: Table, but: str = "") -> list[ColumnElement[bool]]:
    """That a row has the key of `_wanted`, whatever its column `but` is."""
    return [column == bindparam(f"same_{column.name}") for column in table.primary_key if column.name != but]


def _wanted(key: dict[str, Any]) -> dict[str, Any]:
    return {f"same_{name}": value for name, value in key.items()}
