"""One journey over a span of time: its steps, its failures, its days."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from reports.web.span import Span
from runner.store.history import History, Reason, RunRow, StepLine, Tally


class Day(Struct, frozen=True, kw_only=True):
    """A day (UTC) of the availability calendar."""

    day: datetime
    runs: int
    passed: int
    failed: int
    errors: int
    availability: float | None


class PhaseMean(Struct, frozen=True, kw_only=True):
    """The phases of a step's documents in one run, in seconds."""

    at: datetime
    run: str
    step: str
    phases: dict[str, float]


class JourneyData(Struct, frozen=True, kw_only=True):
    """A journey over a span."""

    journey: str
    location: str | None
    start: datetime
    end: datetime
    runs: int
    passed: int
    failed: int
    errors: int
    cancelled: int
    availability: float | None
    flaky_rate: float | None
    over_budget: int
    contended: int
    p50_seconds: float | None
    p95_seconds: float | None
    steps: tuple[StepLine, ...]
    by_run: bool
    """Whether each point is a run; else a span of time with p50 and p95."""
    days: tuple[Day, ...]
    reasons: tuple[Reason, ...]
    newest: tuple[RunRow, ...]


PHASES = ("redirect", "dns", "connect", "tls", "request", "response", "dom", "load")
NEWEST = 25
"""Runs that are listed."""


def journey(history: History, name: str, location: str | None, span: Span) -> JourneyData | None:
    """The figures of the page; None when nothing is known of such a journey."""
    if not history.knows(name, location):
        return None
    tally = history.tally(name, location, span.range)
    series = history.step_series(name, location, span.range)
    return JourneyData(
        journey=name,
        location=location,
        start=span.start,
        end=span.end,
        runs=tally.total,
        passed=tally.passed,
        failed=tally.failed,
        errors=tally.error,
        cancelled=tally.cancelled,
        availability=tally.availability,
        flaky_rate=tally.flaky_rate,
        over_budget=tally.over_budget,
        contended=tally.contended,
        p50_seconds=tally.durations.quantile(0.5),
        p95_seconds=tally.durations.quantile(0.95),
        steps=tuple(series),
        by_run=all(point.run is not None for line in series for point in line.points),
        days=tuple(_day(day, one) for day, one in history.days(name, location, span.range)),
        reasons=tuple(history.reasons(name, location, span.range)),
        newest=tuple(history.runs(span.range, name, location, most=NEWEST)),
    )


def _day(day: datetime, tally: Tally) -> Day:
    return Day(
        day=day,
        runs=tally.total,
        passed=tally.passed,
        failed=tally.failed,
        errors=tally.error,
        availability=tally.availability,
    )


class PhaseList(Struct, frozen=True, kw_only=True):
    """The phases of a journey's runs that passed, the oldest first."""

    phases: tuple[PhaseMean, ...]


def phases(history: History, name: str, location: str | None, span: Span) -> list[PhaseMean]:
    """The phases of each step's last document, run by run."""
    found: dict[tuple[str, str], PhaseMean] = {}
    rows: list[dict[str, Any]] = history.phase_series(name, location, span.range)
    for row in rows:
        found[row["run"], row["name"]] = PhaseMean(
            at=row["started_at"],
            run=row["run"],
            step=row["name"],
            phases={phase: row[phase] for phase in PHASES if row[phase]},
        )
    return list(found.values())


def phase_list(history: History, name: str, location: str | None, span: Span) -> PhaseList | None:
    """The same as a struct; None when nothing is known of such a journey."""
    return PhaseList(phases=tuple(phases(history, name, location, span))) if history.knows(name) else None
