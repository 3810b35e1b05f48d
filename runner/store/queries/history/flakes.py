"""How often each journey is flaky, and in which step, from the newest runs."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from math import sqrt

from msgspec import Struct
from sqlalchemy import Connection, Row, select

from runner.result import MONITOR_ITSELF
from runner.store.queries.runs import History
from runner.store.tables.runs import attempts, runs

CONFIDENT = 1.96
"""Standard deviations on both sides of an interval of 95 %."""


class FlakeRate(Struct, frozen=True, kw_only=True):
    """A journey, over the runs that were looked at."""

    journey: str
    runs: int
    """That passed or failed; those in which the monitor itself has failed do not count."""
    retried: int
    """Passed, but only at a later attempt."""
    alone: int
    """Failed, although the runs before and after it at the same location, of the same release, passed."""
    steps: dict[str, int]
    """How many of these went wrong in each step; an empty name for outside of steps. The most frequent first."""
    first_at: datetime
    last_at: datetime

    @property
    def flakes(self) -> int:
        """All runs that were flaky."""
        return self.retried + self.alone

    @property
    def rate(self) -> float:
        """The share of flaky runs."""
        return self.flakes / self.runs

    @property
    def interval(self) -> tuple[float, float]:
        """Where the rate lies with a confidence of 95 % (Wilson's score interval)."""
        square = CONFIDENT**2
        middle = (self.flakes + square / 2) / (self.runs + square)
        half = CONFIDENT / (self.runs + square) * sqrt(self.flakes * (self.runs - self.flakes) / self.runs + square / 4)
        return max(0.0, middle - half), min(1.0, middle + half)


def read_flake_rates(connection: Connection, since: datetime, most: int) -> list[FlakeRate]:
    """Every journey with runs since then, at most the newest `most` of each location; the flakiest first."""
    found: dict[str, list[tuple[list[Row[tuple[object, ...]]], dict[str, str]]]] = {}
    for journey, location in History(connection).places():
        rows = _read_runs(connection, journey, location, since, most)
        if rows:
            found.setdefault(journey, []).append((rows, _read_failed_steps(connection, rows)))
    rates = [_count(journey, places) for journey, places in found.items()]
    return sorted(rates, key=lambda one: (-one.rate, one.journey))


def _read_runs(
    connection: Connection, journey: str, location: str, since: datetime, most: int
) -> list[Row[tuple[object, ...]]]:
    """The newest runs of a journey at a location, the oldest first."""
    columns = ("id", "started_at", "status", "flaky", "release", "failure_kind", "failure_step")
    wanted = (
        select(*(runs.c[name] for name in columns))
        .where(
            runs.c.journey == journey,
            runs.c.location == location,
            runs.c.started_at >= since,
            runs.c.status.in_(("passed", "failed", "error")),
        )
        .order_by(runs.c.started_at.desc())
        .limit(most)
    )
    read = [row for row in connection.execute(wanted) if row.failure_kind not in MONITOR_ITSELF]
    return list(reversed(read))


def _read_failed_steps(connection: Connection, rows: Sequence[Row[tuple[object, ...]]]) -> dict[str, str]:
    """The step in which the first attempt of each flaky run failed."""
    flaky = [row.id for row in rows if row.flaky]
    wanted = select(attempts.c.run_id, attempts.c.failure_step).where(attempts.c.run_id.in_(flaky), attempts.c.number == 1)
    return {row.run_id: row.failure_step or "" for row in connection.execute(wanted)} if flaky else {}


def _count(journey: str, places: Sequence[tuple[list[Row[tuple[object, ...]]], dict[str, str]]]) -> FlakeRate:
    steps: Counter[str] = Counter()
    retried = alone = 0
    for rows, failed_steps in places:
        for index, row in enumerate(rows):
            if row.flaky:
                retried += 1
                steps[failed_steps.get(row.id, "")] += 1
            elif row.status != "passed" and _is_alone(rows, index):
                alone += 1
                steps[row.failure_step or ""] += 1
    everything = [row for rows, _ in places for row in rows]
    return FlakeRate(
        journey=journey,
        runs=len(everything),
        retried=retried,
        alone=alone,
        steps=dict(steps.most_common()),
        first_at=min(row.started_at for row in everything),
        last_at=max(row.started_at for row in everything),
    )


def _is_alone(rows: Sequence[Row[tuple[object, ...]]], index: int) -> bool:
    """Whether the run failed between two of the same release that passed; several in a row are an outage."""
    if index in {0, len(rows) - 1}:
        return False
    return all(rows[one].status == "passed" and rows[one].release == rows[index].release for one in (index - 1, index + 1))
