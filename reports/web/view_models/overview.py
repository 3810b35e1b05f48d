"""The overview: the state of every journey, and recent changes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from reports.web.query.time_range import TimeRange
from reports.web.render.svg import Spark, draw_sparkline
from runner.result import Status
from runner.store.alerts.mutes import AlertState, Mute, read_alert_states
from runner.store.queries.runs import History, JourneyRow, RunRow

CHANGES = 12
"""That are listed."""


class JourneyState(Struct, frozen=True, kw_only=True):
    """A journey at a location, over the span."""

    journey: str
    location: str
    status: Status | None
    """Of its newest run, in the span or before."""
    newest_run: str | None
    newest_at: datetime | None
    runs: int
    passed: int
    failed: int
    errors: int
    availability: float | None
    """Share of passed among the runs that passed or failed; what the monitor failed in says nothing of the site."""
    flaky_rate: float | None
    p50_seconds: float | None
    p95_seconds: float | None
    """Of the time of passed runs, within 3 %."""
    over_budget: int
    contended: int
    budget_seconds: float | None
    """Of the run's duration, where the settings have one."""
    last_failure: str | None
    last_failure_at: datetime | None
    last_failure_run: str | None
    declared: bool = True
    """Whether the files of journeys still have it; if not, it does not count for the overall state."""
    muted: str = ""
    """That an alert of it is acknowledged or muted, by whom, until when, and why."""
    series: tuple[tuple[datetime, float | None, int], ...]
    """Moment, median seconds of passed runs, and how many did not pass."""


class Change(Struct, frozen=True, kw_only=True):
    """Something that happened: a run that ended otherwise than the one before, a new release, an alert, slots that were missed."""

    at: datetime
    kind: str
    """`failing`, `recovered`, `error`, `release`, `alert` or `missed`."""
    journey: str
    location: str
    text: str
    run: str | None = None


class Overview(Struct, frozen=True, kw_only=True):
    """All journeys over a span."""

    start: datetime
    end: datetime
    journeys: tuple[JourneyState, ...]
    alerts: tuple[AlertState, ...]
    """Those that are open or muted and belong to no journey: that files of journeys cannot be read."""
    changes: tuple[Change, ...]


def read_overview(
    connection: Connection,
    time_range: TimeRange,
    location: str | None = None,
    budgets: Mapping[str, float] | None = None,
    declared: frozenset[str] | None = None,
) -> Overview:
    """The data of the page. `budgets` are those of a run's duration, by journey; `declared` the journeys in files, None if unknown.

    Journeys that are no longer declared come last.
    """
    history = History(connection)
    alerts = read_alert_states(connection, datetime.now(UTC))
    rows = history.journeys(time_range.range, location)
    bad = history.runs(time_range.range, location=location, statuses=("failed", "error"), most=500)
    newest_bad: dict[tuple[str, str], RunRow] = {}
    for run in bad:
        newest_bad.setdefault((run.journey, run.location), run)
    states = [
        _state(
            row,
            newest_bad.get((row.journey, row.location)),
            (budgets or {}).get(row.journey),
            declared is None or row.journey in declared,
            [one.mute for one in alerts if one.mute and (one.journey, one.location) == (row.journey, row.location)],
        )
        for row in rows
    ]
    states.sort(key=lambda one: not one.declared)
    return Overview(
        start=time_range.start,
        end=time_range.end,
        journeys=tuple(states),
        alerts=tuple(one for one in alerts if not one.journey and location in {None, one.location}),
        changes=tuple(_changes(history, alerts, time_range, location, declared)),
    )


def _state(
    row: JourneyRow, failure: RunRow | None, budget: float | None, declared: bool, mutes: Sequence[Mute]
) -> JourneyState:
    tally, newest = row.tally, row.newest
    return JourneyState(
        journey=row.journey,
        location=row.location,
        status=newest.status if newest else None,
        newest_run=newest.id if newest else None,
        newest_at=newest.started_at if newest else None,
        runs=tally.total,
        passed=tally.passed,
        failed=tally.failed,
        errors=tally.error,
        availability=tally.availability,
        flaky_rate=tally.flaky_rate,
        p50_seconds=tally.durations.quantile(0.5),
        p95_seconds=tally.durations.quantile(0.95),
        over_budget=tally.over_budget,
        contended=tally.contended,
        budget_seconds=budget,
        last_failure=failure_in_a_line(failure) if failure else None,
        last_failure_at=failure.started_at if failure else None,
        last_failure_run=failure.id if failure else None,
        declared=declared,
        muted="; ".join(one.describe() for one in mutes),
        series=tuple((at, one.durations.quantile(0.5), one.failed + one.error) for at, one in row.series),
    )


def failure_in_a_line(run: RunRow) -> str:
    """Why a run did not pass, in one line."""
    first = (run.failure_message or "no reason is known").partition("\n")[0]
    return f"{run.failure_step}: {first}" if run.failure_step else first


def _changes(
    history: History,
    alerts: Sequence[AlertState],
    time_range: TimeRange,
    location: str | None,
    declared: frozenset[str] | None,
) -> list[Change]:
    found = [
        Change(at=one.opened_at, kind="alert", journey=one.journey, location=one.location, text=one.title, run=one.run_id)
        for one in alerts
        if one.opened_at and location in {None, one.location} and (declared is None or one.journey in {"", *declared})
    ]
    # The newest runs show where a journey's state changed.
    last: dict[tuple[str, str], RunRow] = {}
    known: list[str] = []
    for run in reversed(history.runs(time_range.range, location=location, most=400)):
        if run.status not in {"passed", "failed", "error"}:
            continue
        # Once, where it was first seen: a release belongs to the site, not to each journey.
        if run.release and run.release not in known:
            if known:
                text = f"{run.release} is out, before it was {known[-1]}"
                found.append(
                    Change(at=run.started_at, kind="release", journey=run.journey, location=run.location, text=text, run=run.id)
                )
            known.append(run.release)
        before = last.get((run.journey, run.location))
        if before is not None and before.status != run.status:
            kind = {"passed": "recovered", "failed": "failing"}.get(run.status, "error")
            text = "passes again" if run.status == "passed" else failure_in_a_line(run)
            found.append(
                Change(at=run.started_at, kind=kind, journey=run.journey, location=run.location, text=text, run=run.id)
            )
        last[run.journey, run.location] = run
    missed: dict[tuple[str, str, str], list[Any]] = {}
    for slot in history.missed(time_range.range):
        if slot["state"] == "missed" and location in {None, slot["location"]}:
            missed.setdefault((slot["journey"], slot["location"], slot["reason"]), []).append(slot["slot_at"])
    found += [
        Change(
            at=max(times),
            kind="missed",
            journey=journey,
            location=place,
            text=f"{len(times)} {'slot' if len(times) == 1 else 'slots'} not run: {why}",
        )
        for (journey, place, why), times in missed.items()
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:CHANGES]


def draw_state(state: JourneyState, start: datetime, end: datetime) -> Spark:
    """The sparkline of a journey's row."""
    length = (end - start).total_seconds() or 1.0

    def place(at: datetime) -> float:
        return min(max((at - start).total_seconds() / length, 0.0), 1.0)

    return draw_sparkline(
        [(place(at), value) for at, value, _ in state.series],
        [place(at) for at, _, bad in state.series if bad],
        state.budget_seconds,
    )


def state_headline(data: Overview) -> tuple[str, str]:
    """The overall state in one sentence, and the status for its colour."""
    known = [one for one in data.journeys if one.status is not None and one.declared]
    failing = [one.journey for one in known if one.status == "failed"]
    broken = [one.journey for one in known if one.status == "error"]
    if not known:
        return ("No journey that is declared has been run yet" if data.journeys else "Nothing has been run yet"), "skipped"
    if failing:
        others = f", and the monitor does not know the state of {_names(broken)}" if broken else ""
        return f"{_names(failing)} {'fails' if len(failing) == 1 else 'fail'}{others}", "failed"
    if broken:
        return f"The monitor does not know the state of {_names(broken)}", "error"
    return (f"All {len(known)} journeys pass" if len(known) > 1 else f"{known[0].journey} passes"), "passed"


def _names(names: list[str]) -> str:
    if len(names) > 3:
        return f"{', '.join(names[:2])} and {len(names) - 2} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
