"""Outages: runs of a journey that failed, one after the other, until one passed."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from runner.store.queries.filters import here
from runner.store.queries.time_range import Range
from runner.store.tables.runs import runs

MOST = 2_000
"""Failed runs that are looked at, the newest: each costs one look into an index."""


class Outage(Struct, frozen=True, kw_only=True):
    """Failed runs of a journey at a location that no passed run separates."""

    location: str
    started_at: datetime
    """When the first of them began, in the span."""
    ended_at: datetime | None
    """When the first run after them that passed began; None while it lasts."""
    runs: int
    first_run: str
    step: str | None
    message: str
    """Of the first one."""

    @property
    def seconds(self) -> float | None:
        """How long it lasted; None while it does."""
        return (self.ended_at - self.started_at).total_seconds() if self.ended_at else None


def read_outages(connection: Connection, journey: str, location: str | None, span: Range) -> list[Outage]:
    """The outages of a journey in the span, the newest first. Runs in which the monitor itself failed neither begin nor end one."""
    later = runs.alias("later")
    recovered = (
        select(func.min(later.c.started_at))
        .where(
            and_(
                later.c.journey == runs.c.journey,
                later.c.location == runs.c.location,
                later.c.status == "passed",
                later.c.started_at > runs.c.started_at,
            )
        )
        .scalar_subquery()
        .label("recovered_at")
    )
    columns = [runs.c[name] for name in ("id", "location", "started_at", "failure_step", "failure_message")]
    wanted = (
        # As its partial index says it.
        select(*columns, recovered)
        .where(*here(span, journey, location), runs.c.status == "failed", runs.c.status != "passed")
        .order_by(runs.c.started_at.desc())
        .limit(MOST)
    )
    groups: dict[tuple[str, datetime | None], list[tuple[str, datetime, str | None, str]]] = {}
    for row in connection.execute(wanted):
        text = (row.failure_message or "no reason is known").partition("\n")[0]
        groups.setdefault((row.location, row.recovered_at), []).append((row.id, row.started_at, row.failure_step, text))
    return [
        Outage(
            location=place,
            started_at=failed[-1][1],
            ended_at=recovered_at,
            runs=len(failed),
            first_run=failed[-1][0],
            step=failed[-1][2],
            message=failed[-1][3],
        )
        for (place, recovered_at), failed in groups.items()
    ]


def read_failure_times(connection: Connection, journey: str, location: str | None, span: Range) -> list[datetime]:
    """When the newest failed runs of the span began."""
    wanted = (
        select(runs.c.started_at)
        .where(*here(span, journey, location), runs.c.status == "failed", runs.c.status != "passed")
        .order_by(runs.c.started_at.desc())
        .limit(MOST)
    )
    return list(connection.execute(wanted).scalars())


def mean_recovery_seconds(outages: Sequence[Outage]) -> float | None:
    """The mean time to recover, of the outages that have ended; None without any."""
    lasted = [one.seconds for one in outages if one.seconds is not None]
    return sum(lasted) / len(lasted) if lasted else None
