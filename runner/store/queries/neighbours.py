"""The runs around a run of the same journey and location: before and after it, the last that passed, and since when runs fail."""

from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from runner.store.queries.filters import ended
from runner.store.queries.runs import RunRow, read_run_rows
from runner.store.tables.runs import runs

NOT_PASSED = ("failed", "error")


class Neighbours(Struct, frozen=True, kw_only=True):
    """The runs around one; None where there is none."""

    previous: RunRow | None
    following: RunRow | None
    last_passed: RunRow | None
    """The newest run before it that passed."""
    failing_since: RunRow | None
    """For a run that did not pass: the first after the last passed one that did not pass either; the run itself if it is the first."""
    passed_again: RunRow | None
    """For a run that did not pass: the first after it that did."""


def read_neighbours(connection: Connection, run: RunRow) -> Neighbours:
    """The runs around a run. At most five looks into indices."""
    at, same = runs.c.started_at, (runs.c.journey == run.journey, runs.c.location == run.location)
    passed = runs.c.status == "passed"
    before = or_(at < run.started_at, and_(at == run.started_at, runs.c.id < run.id))
    after = or_(at > run.started_at, and_(at == run.started_at, runs.c.id > run.id))
    # The bound of the time alone, so that the index is entered there.
    earlier, later = (at <= run.started_at, before), (at >= run.started_at, after)
    bad = run.status in NOT_PASSED
    last_passed = next(iter(read_run_rows(connection, and_(*same, passed, *earlier), 1)), None)
    since: list[ColumnElement[bool]] = [at >= last_passed.started_at] if last_passed else []
    return Neighbours(
        previous=next(iter(read_run_rows(connection, and_(*same, *earlier), 1)), None),
        following=_first(connection, *same, *later),
        last_passed=last_passed,
        failing_since=_first(connection, *same, *ended(NOT_PASSED), at <= run.started_at, *since) if bad else None,
        passed_again=_first(connection, *same, passed, *later) if bad else None,
    )


def _first(connection: Connection, *where: Any) -> RunRow | None:
    columns = [runs.c[name] for name in RunRow.__struct_fields__]
    wanted = select(*columns).where(*where).order_by(runs.c.started_at, runs.c.id).limit(1)
    row = connection.execute(wanted).mappings().first()
    return RunRow(**row) if row else None
