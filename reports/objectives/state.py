"""The state of an objective from the store: budget left, how fast it burns, what used it up, and whether the runs suffice to decide."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from reports.objectives.burn_alerts import LEAST_BAD, BurnAlert, choose_alerts
from reports.objectives.verdict import Verdict, judge_objective, runs_needed
from runner.settings.sections.objectives import DAY, Objective
from runner.store.queries.filters import ended
from runner.store.queries.history.status_counts import Places, count_statuses
from runner.store.queries.runs import History, group_reasons, read_failures
from runner.store.queries.time_range import Range
from runner.store.tables.runs import runs, slots, steps

CAUSES = 5
"""The most causes that are listed."""


class Count(Struct, frozen=True):
    """Runs that count, and the bad ones among them."""

    runs: int
    bad: int

    @property
    def ratio(self) -> float | None:
        """The share of bad runs; None without runs."""
        return self.bad / self.runs if self.runs else None


class Burn(Struct, frozen=True, kw_only=True):
    """How fast the budget burns, over the two windows of an alert, and whether it fires."""

    alert: BurnAlert
    long: Count
    short: Count
    rate: float | None
    """In the long window; 1 uses up exactly the budget in the objective's window."""
    fires: bool


class Cause(Struct, frozen=True, kw_only=True):
    """What used up a part of the budget."""

    journey: str
    reason: str
    bad: int
    share: float
    """Of the whole budget; above 1 if more than all of it."""
    first_at: datetime
    last_at: datetime
    last_run: str


class ObjectiveState(Struct, frozen=True, kw_only=True):
    """An objective at a time."""

    objective: Objective
    journeys: tuple[str, ...]
    """Those with runs in the window."""
    since: datetime | None
    """When the first run of the window that counts began."""
    count: Count
    monitor_errors: int
    """Runs that do not count, as the monitor itself failed."""
    paused_slots: int
    """Slots that were not run because of a pause or a maintenance window."""
    budget_left: float | None
    """The share of the budget that is left; negative when more is used up than there is, None without runs."""
    burns: tuple[Burn, ...]
    verdict: Verdict
    runs_per_day: float
    runs_needed: int
    """All good, to show that the objective is kept."""
    causes: tuple[Cause, ...]

    @property
    def too_few(self) -> bool:
        """Whether a whole window of runs, as many a day as now, could not decide the objective even if all were good."""
        return self.runs_per_day * self.objective.window / DAY < self.runs_needed


def read_objective(connection: Connection, objective: Objective, now: datetime) -> ObjectiveState:
    """The state of an objective now, from runs of the schedule; from all runs where no journey of it was run by a schedule."""
    span = Range(now - timedelta(seconds=objective.window), now)
    places = [(name, place) for name, place in History(connection).places() if objective.applies_to(name)]
    names = sorted({name for name, _ in places})
    counting = _Counting(connection, objective, places, _exists(connection, names, span))
    by_status = counting.count_statuses(span)
    whole = _judge(by_status) if objective.step is None else counting.count(span)
    since, last = counting.ends(span)
    days = max((last - since).total_seconds() / DAY, 0.0) if since and last else 0.0
    # Of n runs there are n - 1 gaps; of less than a day, what there is.
    per_day = (whole.runs - 1) / days if days > 0 and whole.runs > 1 else float(whole.runs)
    interval = DAY / per_day if per_day else objective.window
    budget = whole.runs * objective.allowed
    return ObjectiveState(
        objective=objective,
        journeys=tuple(names),
        since=since,
        count=whole,
        monitor_errors=by_status["error"],
        paused_slots=_count_paused(connection, names, span),
        budget_left=1 - whole.bad / budget if budget else None,
        burns=tuple(_burn(counting, objective, one, now) for one in choose_alerts(objective, interval)[0]),
        verdict=judge_objective(whole.runs, whole.bad, objective.allowed),
        runs_per_day=per_day,
        runs_needed=runs_needed(objective.allowed),
        causes=counting.causes(span, budget) if budget else (),
    )


def _burn(counting: "_Counting", objective: Objective, alert: BurnAlert, now: datetime) -> Burn:
    long, short = (counting.count(Range(now - timedelta(seconds=seconds), now)) for seconds in (alert.long, alert.short))
    bound = alert.factor * objective.allowed
    fires = (long.ratio or 0) > bound and (short.ratio or 0) > bound and long.bad >= LEAST_BAD
    rate = None if long.ratio is None else long.ratio / objective.allowed
    return Burn(alert=alert, long=long, short=short, rate=rate, fires=fires)


def _judge(by_status: Counter[str]) -> Count:
    """The runs that count, where a failed one is bad."""
    return Count(by_status["passed"] + by_status["failed"], by_status["failed"])


class _Counting:
    """The queries of one objective."""

    def __init__(self, connection: Connection, objective: Objective, places: Places, scheduled: bool) -> None:
        self._connection = connection
        self._objective = objective
        self._places = places
        self._names = {name for name, _ in places}
        self._scheduled = scheduled

    def _where(self, span: Range, *statuses: str) -> ColumnElement[bool]:
        found = [runs.c.journey.in_(self._names), runs.c.started_at >= span.start, runs.c.started_at < span.end]
        if statuses:
            found.append(runs.c.status.in_(statuses))
        if self._scheduled:
            found.append(runs.c.slot_at.is_not(None))
        return and_(*found)

    def _steps(self, span: Range) -> ColumnElement[bool]:
        return and_(
            self._where(span, "passed", "failed"),
            steps.c.run_id == runs.c.id,
            steps.c.attempt == runs.c.attempts,
            steps.c.name == self._objective.step,
            steps.c.status == "passed",
            steps.c.latency_seconds.is_not(None),
        )

    def count(self, span: Range) -> Count:
        """The runs of a span that count, and the bad ones."""
        if self._objective.step is None:
            return _judge(self.count_statuses(span))
        slow = case((steps.c.latency_seconds > self._objective.under, 1), else_=0)
        wanted = select(func.count(), func.coalesce(func.sum(slow), 0)).select_from(runs, steps).where(self._steps(span))
        row = self._connection.execute(wanted).one()
        return Count(int(row[0]), int(row[1]))

    def count_statuses(self, span: Range) -> Counter[str]:
        """The runs of a span by how they ended."""
        return count_statuses(self._connection, self._places, span, self._scheduled)

    def ends(self, span: Range) -> tuple[datetime | None, datetime | None]:
        """When the first and the last run of a span that count began."""
        first, last = (
            self._connection.execute(
                select(runs.c.started_at).where(self._where(span, "passed", "failed")).order_by(order).limit(1)
            ).scalar()
            for order in (runs.c.started_at, runs.c.started_at.desc())
        )
        return first, last

    def causes(self, span: Range, budget: float) -> tuple[Cause, ...]:
        """What used up the budget, the most first."""
        found = self._slow(span, budget) if self._objective.step is not None else self._failures(span, budget)
        return tuple(sorted(found, key=lambda one: (-one.bad, one.first_at))[:CAUSES])

    def _failures(self, span: Range, budget: float) -> list[Cause]:
        failures, by_journey = read_failures(self._connection, self._where(span), *ended(("failed",))), attrgetter("journey")
        return [
            Cause(
                journey=journey,
                reason=f"{one.step}: {one.message}" if one.step else one.message,
                bad=one.count,
                share=one.count / budget,
                first_at=one.first_at,
                last_at=one.last_at,
                last_run=one.last_run,
            )
            for journey, some in groupby(sorted(failures, key=by_journey), by_journey)
            for one in group_reasons(some)
        ]

    def _slow(self, span: Range, budget: float) -> list[Cause]:
        """The slow runs of each journey, day by day."""
        wanted = (
            select(runs.c.id, runs.c.journey, runs.c.started_at, steps.c.latency_seconds)
            .select_from(runs, steps)
            .where(self._steps(span), steps.c.latency_seconds > self._objective.under)
            .order_by(runs.c.started_at)
        )
        days: dict[tuple[str, str], list[tuple[str, datetime, float]]] = {}
        for identity, journey, at, seconds in self._connection.execute(wanted):
            days.setdefault((journey, f"{at:%Y-%m-%d}"), []).append((identity, at, seconds))
        return [
            Cause(
                journey=journey,
                reason=f"{self._objective.step}: up to {max(seconds for *_, seconds in slow):.3f} s on {day}",
                bad=len(slow),
                share=len(slow) / budget,
                first_at=slow[0][1],
                last_at=slow[-1][1],
                last_run=slow[-1][0],
            )
            for (journey, day), slow in days.items()
        ]


def _exists(connection: Connection, names: Sequence[str], span: Range) -> bool:
    """Whether a schedule has made any run of these journeys in the span."""
    within = and_(runs.c.journey.in_(names), runs.c.started_at >= span.start, runs.c.started_at < span.end)
    return connection.execute(select(runs.c.id).where(within, runs.c.slot_at.is_not(None)).limit(1)).first() is not None


def _count_paused(connection: Connection, names: Sequence[str], span: Range) -> int:
    within = and_(slots.c.journey.in_(names), slots.c.slot_at >= span.start, slots.c.slot_at < span.end)
    return connection.execute(select(func.count()).where(within, slots.c.state == "paused")).scalar_one()
