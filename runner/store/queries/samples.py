"""The latencies of each step in the passed runs of a journey: one side of a comparison."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, and_, func, select

from runner.store.queries.filters import at_place, named
from runner.store.queries.time_range import Range
from runner.store.tables.runs import runs, steps

MOST = 200
"""The maximum number of runs per side; of more runs, this many are chosen, evenly spread."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which runs to compare."""

    journey: str
    location: str | None
    span: Range
    release: str | None = None
    """None for runs of any release."""


class Sample(Struct, frozen=True, kw_only=True):
    """The runs of one side."""

    passed: int
    failed: int
    errors: int
    taken: int
    """The number of runs that passed."""
    contended: int
    """The number of chosen runs that were measured on a busy machine."""
    locations: int
    first_at: datetime | None
    last_at: datetime | None
    """When the first and the last of the chosen runs began."""
    latencies: dict[str, tuple[float, ...]]
    """The latencies of each step in seconds, in the order of the steps."""


def sample(connection: Connection, wanted: Wanted, most: int = MOST) -> Sample:
    """The latencies of the passed runs; reads one index row per run, and the steps of at most `most` runs."""
    where = [
        *at_place(wanted.journey, wanted.location),
        runs.c.started_at >= wanted.span.start,
        runs.c.started_at < wanted.span.end,
        *([runs.c.release == wanted.release, named()] if wanted.release is not None else []),
    ]
    ended = runs.c.status.in_(("passed", "failed", "error"))
    counted = select(runs.c.status, runs.c.location, func.count()).where(*where, ended)
    counts = connection.execute(counted.group_by(runs.c.status, runs.c.location)).all()
    total = {status: sum(count for one, _, count in counts if one == status) for status in ("passed", "failed", "error")}
    place = func.row_number().over(order_by=(runs.c.started_at, runs.c.id)).label("place")
    columns = [runs.c[name] for name in ("id", "started_at", "contended", "attempts")]
    passed = select(*columns, place).where(*where, runs.c.status == "passed").subquery()
    # Each run at which `place * most / total` reaches the next whole number: `most` runs, evenly spread.
    number = max(total["passed"], 1)
    spread = (passed.c.place * most) // number != ((passed.c.place - 1) * most) // number
    found = connection.execute(
        select(passed.c.id, passed.c.started_at, passed.c.contended, steps.c.name, steps.c.index, steps.c.latency_seconds)
        .outerjoin(
            steps,
            and_(
                steps.c.run_id == passed.c.id,
                steps.c.attempt == passed.c.attempts,
                steps.c.status == "passed",
                steps.c.latency_seconds.is_not(None),
            ),
        )
        .where(spread)
        .order_by(passed.c.place)
    ).all()
    latencies: dict[str, list[float]] = {}
    order: dict[str, int] = {}
    for row in found:
        if row.name is not None:
            order[row.name] = row[4]
            latencies.setdefault(row.name, []).append(row.latency_seconds)
    began = {row.id: row.started_at for row in found}
    return Sample(
        passed=total["passed"],
        failed=total["failed"],
        errors=total["error"],
        taken=len(began),
        contended=len({row.id for row in found if row.contended}),
        locations=len({place for status, place, _ in counts if status == "passed"}),
        first_at=min(began.values(), default=None),
        last_at=max(began.values(), default=None),
        latencies={name: tuple(latencies[name]) for name in sorted(latencies, key=lambda one: order[one])},
    )
