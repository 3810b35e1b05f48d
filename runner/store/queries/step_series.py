"""The latencies of a journey's steps over time, and the phases of the documents that they loaded."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Subquery, Text, and_, cast, func, select

from runner.result import Status
from runner.store.quantile_sketch import Sketch
from runner.store.queries.filters import here, of
from runner.store.queries.tallies import SPANS, floor, pieces, width_of
from runner.store.queries.time_range import Range
from runner.store.rollups import journeys, step_days, step_hours
from runner.store.tables.runs import navigations, runs, steps

HOURS = timedelta(days=32)
"""Spans up to this length are drawn from roll-ups by the hour, longer ones from those by the day."""
POINTS = 1_500
"""The maximum number of runs that are drawn one by one; with more, parts of the span are drawn."""


class Point(Struct, frozen=True, kw_only=True):
    """A step at a time: in one run, or in the runs of a part of the span."""

    at: datetime
    p50: float | None
    p95: float | None = None
    count: int = 1
    run: str | None = None
    status: Status | None = None
    contended: bool = False


class StepLine(Struct, frozen=True, kw_only=True):
    """A step over a time range."""

    step: str
    points: tuple[Point, ...]
    p50: float | None
    p95: float | None
    """Over the whole span, in the runs in which the step passed; within 3 %."""
    budget_seconds: float | None = None


def step_series(connection: Connection, journey: str, location: str | None, span: Range) -> list[StepLine]:
    """The latencies of each step over time, in the order of the steps: run by run, or p50 and p95 of up to SPANS spans.

    With runs one by one, there is a point for each step that passed.
    """
    wanted_runs = here(span, journey, location)
    number = connection.execute(
        select(func.count()).select_from(select(runs.c.id).where(*wanted_runs).limit(POINTS + 1).subquery())
    ).scalar_one()
    if number > POINTS:
        return _long_series(connection, journey, location, span)
    columns = [steps.c.index.label("position"), *(steps.c[name] for name in ("name", "latency_seconds", "status"))]
    wanted = (
        select(runs.c.id, runs.c.started_at, runs.c.contended, *columns)
        .join(steps, and_(steps.c.run_id == runs.c.id, steps.c.attempt == runs.c.attempts))
        .where(*wanted_runs)
        .order_by(runs.c.started_at)
    )
    found: dict[str, list[Point]] = {}
    order: dict[str, int] = {}
    for row in connection.execute(wanted):
        order[row.name] = row.position
        points = found.setdefault(row.name, [])
        if row.status != "skipped":
            latency = row.latency_seconds if row.status == "passed" else None
            points.append(Point(at=row.started_at, p50=latency, run=row.id, status=row.status, contended=row.contended))
    return [_line(name, found[name]) for name in sorted(found, key=lambda one: order[one])]


def _long_series(connection: Connection, journey: str, location: str | None, span: Range) -> list[StepLine]:
    width = width_of(span, SPANS, HOURS)
    merged: dict[str, dict[datetime, Sketch]] = defaultdict(dict)
    order: dict[str, int] = {}
    for table, at, start, end in pieces(step_hours, step_days, span, HOURS):
        where = [at >= start, at < end, *of(table, journey, location)]
        wanted = select(table.c.step, table.c.position, at, cast(table.c.latencies, Text)).where(*where)
        for step, position, moment, latencies in connection.execute(wanted):
            order[step] = position
            merged[step].setdefault(floor(moment, width), Sketch()).merge(Sketch.parse(latencies))
    lines = []
    for name in sorted(merged, key=lambda one: order[one]):
        total = Sketch()
        for one in merged[name].values():
            total.merge(one)
        points = tuple(
            Point(at=at, p50=one.quantile(0.5), p95=one.quantile(0.95), count=one.count)
            for at, one in sorted(merged[name].items())
        )
        lines.append(StepLine(step=name, points=points, p50=total.quantile(0.5), p95=total.quantile(0.95)))
    return lines


def _line(name: str, points: Sequence[Point]) -> StepLine:
    total = Sketch.of(point.p50 for point in points if point.p50 is not None)
    return StepLine(step=name, points=tuple(points), p50=total.quantile(0.5), p95=total.quantile(0.95))


def step_budgets(connection: Connection, journey: str, location: str | None) -> dict[str, float]:
    """The budgets of a journey's steps, as of its newest runs."""
    places = select(journeys.c.location, journeys.c.newest_run).where(journeys.c.journey == journey)
    newest: list[str] = []
    for place, run in connection.execute(places).all():
        if location in {None, place}:
            # A run that failed early has not reached all its steps.
            same = (runs.c.journey == journey, runs.c.location == place, runs.c.status == "passed")
            passed = select(runs.c.id).where(*same).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1)
            newest += [run, *connection.execute(passed).scalars()]
    wanted = (
        select(steps.c.name, steps.c.budget_seconds)
        .join(runs, runs.c.id == steps.c.run_id)
        .where(steps.c.run_id.in_(newest), steps.c.budget_seconds.is_not(None))
        .order_by(runs.c.started_at)
    )
    return {row.name: row.budget_seconds for row in connection.execute(wanted)}


def phase_series(
    connection: Connection, journey: str, location: str | None, span: Range, most: int = 300
) -> list[dict[str, Any]]:
    """The phases of each step's documents in the newest passed runs, oldest first."""
    newest = _newest_passed(journey, location, span, most)
    wanted = (
        select(newest.c.id.label("run"), newest.c.started_at, steps.c.name, navigations)
        .join(steps, and_(steps.c.run_id == newest.c.id, steps.c.attempt == newest.c.attempts))
        .join(navigations, navigations.c.step_id == steps.c.id)
        .order_by(newest.c.started_at, steps.c.index)
    )
    return [dict(row) for row in connection.execute(wanted).mappings()]


def call_phase_series(
    connection: Connection, journey: str, location: str | None, span: Range, most: int = 300
) -> list[dict[str, Any]]:
    """The phases of each call of a check in its newest passed runs, oldest first."""
    newest = _newest_passed(journey, location, span, most)
    wanted = (
        select(newest.c.id.label("run"), newest.c.started_at, steps.c.name, steps.c.phases)
        .join(steps, and_(steps.c.run_id == newest.c.id, steps.c.attempt == newest.c.attempts))
        .where(steps.c.phases.is_not(None))
        .order_by(newest.c.started_at, steps.c.index)
    )
    return [dict(row) for row in connection.execute(wanted).mappings()]


def _newest_passed(journey: str, location: str | None, span: Range, most: int) -> Subquery:
    return (
        select(runs.c.id, runs.c.started_at, runs.c.attempts)
        .where(*here(span, journey, location), runs.c.status == "passed")
        .order_by(runs.c.started_at.desc())
        .limit(most)
        .subquery()
    )
