"""One journey over a time range: its steps, failures and days."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from reports.compare import Rule
from reports.web.query.comparison import ComparedSides
from reports.web.query.time_range import TimeRange
from reports.web.render.uptime import first_day
from reports.web.services.budget_lines import step_budget
from reports.web.view_models.comparison import ComparisonData, read_comparison
from reports.web.view_models.locations import PlaceFigures, read_places
from runner.dsl.protocols.registry import PROTOCOLS
from runner.settings.sections.budgets import Budget
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.store.alerts.mutes import AlertState, read_alert_states
from runner.store.queries.history.days import DayCount, read_day_counts, sum_day_counts
from runner.store.queries.history.outages import Outage, mean_recovery_seconds, read_failure_times, read_outages
from runner.store.queries.history.releases import Release, releases
from runner.store.queries.runs import History, Reason, RunRow, TroubleMark, marks_over_time, sum_by_day
from runner.store.queries.step_series import POINTS, StepLine, call_phase_series, phase_series, step_budgets, step_series
from runner.store.queries.tallies import TalliesByPlace, Tally, long_enough_for_hours, merge_places, tallies, total
from runner.store.scheduling.pauses import Pause, read_active_pauses


class Day(Struct, frozen=True, kw_only=True):
    """A day (UTC) of the availability calendar."""

    day: datetime
    runs: int
    passed: int
    failed: int
    errors: int
    availability: float | None


class PhaseMean(Struct, frozen=True, kw_only=True):
    """The phases of a step's documents, or of a check's call, in one run, in seconds."""

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
    """Whether each point is a run; else a time range with p50 and p95."""
    marks: tuple[TroubleMark, ...]
    """Where runs did not pass or were crowded."""
    releases: tuple[Release, ...]
    days: tuple[Day, ...]
    reasons: tuple[Reason, ...]
    newest: tuple[RunRow, ...]


class JourneyPage(Struct, frozen=True, kw_only=True):
    """All that the page of a journey shows."""

    data: JourneyData
    phases: tuple[PhaseMean, ...]
    compared: ComparisonData | None
    """None if nothing is compared."""
    paused: tuple[Pause, ...]
    """The pauses that hold for it."""
    alerts: tuple[AlertState, ...]
    """Its alerts that are open or muted, wherever it runs."""
    outages: tuple[Outage, ...]
    """In the span, the newest first."""
    in_maintenance: int
    """Failed runs of the span that began in a maintenance window."""
    days: tuple[DayCount, ...]
    """The last days with runs, whatever the span."""
    places: tuple[PlaceFigures, ...]
    """Its places side by side; empty for one place."""

    @property
    def recovery_seconds(self) -> float | None:
        """The mean time to recover."""
        return mean_recovery_seconds(self.outages)

    @property
    def availability_without_maintenance(self) -> float | None:
        """The availability as if the runs that failed in a maintenance window had not been."""
        judged = self.data.passed + self.data.failed - self.in_maintenance
        return self.data.passed / judged if judged else None


CALL_PHASES = tuple(dict.fromkeys(phase for one in PROTOCOLS.values() for phase in one.phases))
"""Of the calls of checks."""
PHASES = ("redirect", "dns", "connect", "tls", "request", "response", "dom", "load")
NEWEST = 25
"""Runs that are listed."""


def read_journey_page(
    connection: Connection,
    name: str,
    location: str | None,
    time_range: TimeRange,
    bounds: Sequence[Budget],
    sides: ComparedSides | None,
    rule: Rule,
    now: datetime,
    windows: Sequence[MaintenanceWindow] = (),
) -> JourneyPage | None:
    """The whole page; None for an unknown journey. `sides` are compared by `rule`; pauses are those at `now`; `windows` of maintenance."""
    by_place = tallies(connection, time_range.range, name)
    data = read_journey(connection, name, location, time_range, bounds, by_place)
    if data is None:
        return None
    return JourneyPage(
        data=data,
        phases=tuple(read_phases(connection, name, location, time_range)),
        compared=read_comparison(connection, name, location, sides, rule) if sides else None,
        paused=tuple(one for one in read_active_pauses(connection, now) if one.applies_to(name)),
        alerts=tuple(read_alert_states(connection, now, name)),
        outages=tuple(read_outages(connection, name, location, time_range.range)),
        in_maintenance=_count_in_windows(connection, name, location, time_range, windows),
        places=read_places(connection, name, by_place),
        days=tuple(sum_day_counts(read_day_counts(connection, first_day(now), name, location))),
    )


def _count_in_windows(
    connection: Connection, name: str, location: str | None, time_range: TimeRange, windows: Sequence[MaintenanceWindow]
) -> int:
    if not windows:
        return 0
    times = read_failure_times(connection, name, location, time_range.range)
    return sum(any(window.ends(name, at) for window in windows) for at in times)


def read_journey(
    connection: Connection,
    name: str,
    location: str | None,
    time_range: TimeRange,
    bounds: Sequence[Budget] = (),
    by_place: TalliesByPlace | None = None,
) -> JourneyData | None:
    """The data of the page; None for an unknown journey. `bounds` are the budgets of the settings.

    `by_place` are its tallies, if they are known already.
    """
    history = History(connection)
    if not history.knows(name, location):
        return None
    by_time = (
        history.tally_over_time(name, location, time_range.range) if by_place is None else merge_places(by_place, location)
    )
    tally = total(by_time.values())
    hourly = long_enough_for_hours(time_range.range)
    by_hour = by_time if hourly == time_range.range else history.tally_over_time(name, location, hourly)
    series = step_series(connection, name, location, time_range.range)
    points = [point for line in series for point in line.points]
    by_run = all(point.run is not None for point in points) if points else tally.total <= POINTS
    own = step_budgets(connection, name, location)
    budgeted = [
        msgspec.structs.replace(line, budget_seconds=step_budget(bounds, name, line.step, own.get(line.step)))
        for line in series
    ]
    return JourneyData(
        journey=name,
        location=location,
        start=time_range.start,
        end=time_range.end,
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
        steps=tuple(budgeted),
        by_run=by_run,
        marks=tuple(
            history.run_marks(name, location, time_range.range) if by_run else marks_over_time(by_time, time_range.range)
        ),
        releases=tuple(releases(connection, name, location, time_range.range)),
        days=tuple(_day(day, one) for day, one in sum_by_day(by_hour)),
        reasons=tuple(history.reasons(name, location, time_range.range)),
        newest=tuple(history.runs(time_range.range, name, location, most=NEWEST)),
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


def read_phases(connection: Connection, name: str, location: str | None, time_range: TimeRange) -> list[PhaseMean]:
    """The phases of each step's last document, or of each call of a check, run by run."""
    found: dict[tuple[str, str], PhaseMean] = {}
    rows: list[dict[str, Any]] = phase_series(connection, name, location, time_range.range)
    for row in rows:
        found[row["run"], row["name"]] = PhaseMean(
            at=row["started_at"],
            run=row["run"],
            step=row["name"],
            phases={phase: row[phase] for phase in PHASES if row[phase]},
        )
    if found:
        return list(found.values())
    calls = call_phase_series(connection, name, location, time_range.range)
    return [PhaseMean(at=row["started_at"], run=row["run"], step=row["name"], phases=row["phases"]) for row in calls]


def read_phase_list(connection: Connection, name: str, location: str | None, time_range: TimeRange) -> PhaseList | None:
    """The same as a struct; None for an unknown journey."""
    return (
        PhaseList(phases=tuple(read_phases(connection, name, location, time_range)))
        if History(connection).knows(name)
        else None
    )
