"""Documents that journeys loaded, over a span of any length at a bounded cost: only the newest runs of each part are read."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, and_, select

from runner.store.queries.time_range import Range
from runner.store.tables.runs import navigations, runs, steps

PARTS = 24
EACH = 60
"""The number of runs per part whose documents are read: at most 1,440 per span."""


class StoredLoad(Struct, frozen=True, kw_only=True):
    """A document that a journey loaded."""

    run: str
    journey: str
    url: str
    started_at: datetime
    total_seconds: float | None
    passed: bool
    """Whether the run passed; the times of a failed run are not comparable."""


def loads(connection: Connection, span: Range, parts: int = PARTS, each: int = EACH) -> list[StoredLoad]:
    """The documents of the newest `each` runs of each part of the span, passed and failed, oldest first.

    Each part is read along the index of runs by time, then run by run.
    """
    found = []
    for part in range(parts):
        start = span.start + span.length * part / parts
        end = span.start + span.length * (part + 1) / parts
        newest = (
            select(runs.c.id, runs.c.journey, runs.c.status, runs.c.attempts)
            .where(runs.c.started_at >= start, runs.c.started_at < end, runs.c.status.in_(("passed", "failed")))
            .order_by(runs.c.started_at.desc())
            .limit(each)
            .subquery()
        )
        wanted = (
            select(
                newest.c.id,
                newest.c.journey,
                newest.c.status,
                navigations.c.url,
                navigations.c.started_at,
                navigations.c.total,
            )
            .join(steps, and_(steps.c.run_id == newest.c.id, steps.c.attempt == newest.c.attempts))
            .join(navigations, navigations.c.step_id == steps.c.id)
            .order_by(navigations.c.started_at)
        )
        found += [
            StoredLoad(
                run=row.id,
                journey=row.journey,
                url=row.url,
                started_at=row.started_at,
                total_seconds=row.total,
                passed=row.status == "passed",
            )
            for row in connection.execute(wanted)
        ]
    return found
