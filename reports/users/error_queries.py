"""Errors of page views, grouped by their reason. The cost of each list is that of the rows it reads."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, desc, func, select

from reports.collector.beacon import SCRIPT_KINDS
from reports.users.rollup_queries import Filter
from reports.users.row_filters import make_struct, newest_views
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import page_errors, page_views, reason_tallies, reasons


class Reason(Struct, frozen=True, kw_only=True):
    """Errors that are the same except for numbers and ids: how often in the range, in how many views; first and last seen ever."""

    id: str
    kind: str
    type: str
    message: str
    source: str
    stack: str
    first_at: datetime
    last_at: datetime
    count: int
    views: int


def read_reasons(
    connection: Connection, app: str, when: Range, limit: int = 100, kinds: Iterable[str] = tuple(sorted(SCRIPT_KINDS))
) -> list[Reason]:
    """The reasons of errors in a range of whole hours, most views first; `kinds` are those of a beacon's errors.

    Reads a row for each hour and reason.
    """
    start, end = int(when.start.timestamp() // 3600) * 3600, when.end.timestamp()
    counted = (
        select(func.sum(reason_tallies.c.count).label("errors"), func.sum(reason_tallies.c.views).label("views"), reasons.c.id)
        .join(reasons, reasons.c.id == reason_tallies.c.reason)
        .where(reasons.c.app == app, reasons.c.last_at >= start, reasons.c.kind.in_(list(kinds)))
        .where(reason_tallies.c.at >= start, reason_tallies.c.at < end)
        .group_by(reasons.c.id)
        .order_by(desc("views"), desc("errors"), reasons.c.id)
        .limit(limit)
    )
    rows = {row.id: row for row in connection.execute(counted)}
    found = connection.execute(select(reasons).where(reasons.c.id.in_(rows))).mappings()
    made = [
        make_struct(Reason, {**one, "count": int(rows[one["id"]].errors), "views": int(rows[one["id"]].views)}) for one in found
    ]
    return sorted(made, key=lambda one: (-one.views, -one.count, one.id))


def read_reasons_met(
    connection: Connection,
    which: Filter,
    when: Range,
    limit: int = 100,
    among: int = 20_000,
    kinds: Iterable[str] = tuple(sorted(SCRIPT_KINDS)),
) -> list[tuple[Reason, str]]:
    """As `read_reasons`, but only of matching page views, each with the newest view that has it. Reads the newest `among` of them."""
    some = newest_views(which, when, among, "number", "errors")
    counted = (
        select(
            func.sum(page_errors.c.count).label("errors"),
            func.count().label("views"),
            func.max(some.c.number).label("newest"),
            reasons.c.id,
        )
        .join(page_errors, page_errors.c.view == some.c.number)
        .join(reasons, reasons.c.id == page_errors.c.reason)
        .where(some.c.errors > 0, reasons.c.kind.in_(list(kinds)))
        .group_by(reasons.c.id)
        .order_by(desc("views"), desc("errors"), reasons.c.id)
        .limit(limit)
    )
    rows = connection.execute(counted).all()
    known = {
        one["id"]: one
        for one in connection.execute(select(reasons).where(reasons.c.id.in_([row.id for row in rows]))).mappings()
    }
    wanted = select(page_views.c.number, page_views.c.id).where(page_views.c.number.in_([row.newest for row in rows]))
    newest = {row.number: row.id for row in connection.execute(wanted)}
    return [
        (make_struct(Reason, {**known[row.id], "count": int(row.errors), "views": int(row.views)}), newest[row.newest])
        for row in rows
    ]
