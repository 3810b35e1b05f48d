"""Errors of page views in their groups. The cost of each list is that of the rows it reads."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, and_, desc, func, select

from reports.collector.beacon import SCRIPT_KINDS
from reports.source_maps.frames import describe_place, read_frames
from reports.users.rollup_queries import Filter
from reports.users.row_filters import make_struct, newest_views
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import page_errors, page_views, reason_tallies, reasons


class Reason(Struct, frozen=True, kw_only=True):
    """A group of errors (`reasons.error_group`): how often in the range, in how many views; first and last seen ever.

    `kind` to `source` are those of its newest errors. A view that met errors of two messages of a group counts twice.
    """

    id: str
    kind: str
    type: str
    message: str
    source: str
    place: str
    """The file and line of the original code, if a source map says so."""
    first_at: datetime
    last_at: datetime
    first_release: str
    last_release: str
    count: int
    views: int


def read_reasons(
    connection: Connection, app: str, when: Range, limit: int = 100, kinds: Iterable[str] = tuple(sorted(SCRIPT_KINDS))
) -> list[Reason]:
    """The groups of errors in a range of whole hours, most views first; `kinds` are those of a beacon's errors.

    Reads a row for each hour and reason.
    """
    start, end = int(when.start.timestamp() // 3600) * 3600, when.end.timestamp()
    views, errors = func.sum(reason_tallies.c.views).label("views"), func.sum(reason_tallies.c.count).label("errors")
    counted = (
        select(reasons.c.error_group, errors, views)
        .join(reasons, reasons.c.id == reason_tallies.c.reason)
        .where(reasons.c.app == app, reasons.c.last_at >= start, reasons.c.kind.in_(list(kinds)))
        .where(reason_tallies.c.at >= start, reason_tallies.c.at < end)
        .group_by(reasons.c.error_group)
        .order_by(desc("views"), desc("errors"), reasons.c.error_group)
        .limit(limit)
    )
    return _reasons(connection, [(row.error_group, int(row.errors), int(row.views)) for row in connection.execute(counted)])


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
            func.count(func.distinct(some.c.number)).label("views"),
            func.max(some.c.number).label("newest"),
            reasons.c.error_group,
        )
        .join(page_errors, page_errors.c.view == some.c.number)
        .join(reasons, reasons.c.id == page_errors.c.reason)
        .where(some.c.errors > 0, reasons.c.kind.in_(list(kinds)))
        .group_by(reasons.c.error_group)
        .order_by(desc("views"), desc("errors"), reasons.c.error_group)
        .limit(limit)
    )
    rows = connection.execute(counted).all()
    found = _reasons(connection, [(row.error_group, int(row.errors), int(row.views)) for row in rows])
    wanted = select(page_views.c.number, page_views.c.id).where(page_views.c.number.in_([row.newest for row in rows]))
    newest = {row.number: row.id for row in connection.execute(wanted)}
    of_group = {row.error_group: newest[row.newest] for row in rows}
    return [(one, of_group[one.id]) for one in found]


def _reasons(connection: Connection, counted: Sequence[tuple[str, int, int]]) -> list[Reason]:
    """The groups in the order given, each with the words of its newest errors."""
    groups = [group for group, *_ in counted]
    spans = (
        select(
            reasons.c.error_group, func.min(reasons.c.first_at).label("first_at"), func.max(reasons.c.last_at).label("last_at")
        )
        .where(reasons.c.error_group.in_(groups))
        .group_by(reasons.c.error_group)
        .subquery()
    )
    of_group = reasons.c.error_group == spans.c.error_group
    words = [reasons.c[name] for name in ("kind", "type", "message", "source", "release", "original")]
    newest = select(spans, *words).join(reasons, and_(of_group, reasons.c.last_at == spans.c.last_at)).order_by(reasons.c.id)
    found = {row["error_group"]: dict(row) for row in connection.execute(newest).mappings()}
    oldest = select(spans.c.error_group, reasons.c.release)
    in_first = connection.execute(oldest.join(reasons, and_(of_group, reasons.c.first_at == spans.c.first_at)))
    first = {row.error_group: row.release for row in in_first}
    made = []
    for group, errors, views in counted:
        row = found[group]
        same = {"id": group, "count": errors, "views": views, "place": describe_place(read_frames(row["original"]))}
        made.append(make_struct(Reason, row | same | {"first_release": first[group], "last_release": row["release"]}))
    return made
