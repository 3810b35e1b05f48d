"""One group of errors: its newest form, the releases that had it, and how often it came."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, desc, func, select

from reports.source_maps.frames import OriginalFrame, read_frames
from reports.users.row_filters import from_epoch
from runner.store.queries.time_range import Range
from runner.store.tables.page_views import reason_tallies, reasons

MESSAGES = 10
"""Different messages of a group that are listed."""
MOST_RELEASES = 50


class ErrorRelease(Struct, frozen=True, kw_only=True):
    """A release that had the error; empty if the pages report none."""

    release: str
    first_at: datetime
    last_at: datetime
    count: int
    views: int


class OneError(Struct, frozen=True, kw_only=True):
    """A group of errors. `type` to `frames` are of the newest of them."""

    id: str
    app: str
    kind: str
    type: str
    message: str
    source: str
    stack: str
    """As the browser reported it."""
    frames: tuple[OriginalFrame, ...]
    """In the original code; empty if there is no source map for it."""
    messages: tuple[str, ...]
    """The different messages, those of most page views first."""
    releases: tuple[ErrorRelease, ...]
    """The newest last seen first."""
    first_at: datetime
    last_at: datetime
    count: int
    views: int
    """A view that met errors of two messages counts twice."""


class ErrorCount(Struct, frozen=True, kw_only=True):
    """Errors from an hour on."""

    at: datetime
    count: int
    views: int


def read_error(connection: Connection, group: str) -> OneError | None:
    """The group; None for one that is not stored (any more). Reads its reasons: one for each release and browser's way to name it."""
    same = reasons.c.error_group == group
    newest = connection.execute(select(reasons).where(same).order_by(reasons.c.last_at.desc()).limit(1)).mappings().first()
    if newest is None:
        return None
    sums = func.min(reasons.c.first_at), func.max(reasons.c.last_at), func.sum(reasons.c.count), func.sum(reasons.c.views)
    of_release = select(reasons.c.release, *sums).where(same).group_by(reasons.c.release)
    rows = connection.execute(of_release.order_by(func.max(reasons.c.last_at).desc())).all()
    releases = [
        ErrorRelease(release=name, first_at=from_epoch(first), last_at=from_epoch(last), count=int(count), views=int(views))
        for name, first, last, count, views in rows
    ]
    of_message = select(reasons.c.message).where(same).group_by(reasons.c.message).order_by(desc(func.sum(reasons.c.views)))
    return OneError(
        **{name: newest[name] for name in ("app", "kind", "type", "message", "source", "stack")},
        id=group,
        frames=read_frames(newest["original"]),
        messages=tuple(connection.execute(of_message.limit(MESSAGES)).scalars()),
        releases=tuple(releases[:MOST_RELEASES]),
        first_at=min(one.first_at for one in releases),
        last_at=max(one.last_at for one in releases),
        count=sum(one.count for one in releases),
        views=sum(one.views for one in releases),
    )


def read_error_counts(connection: Connection, group: str, when: Range) -> Sequence[ErrorCount]:
    """How often it came in each hour of a range that has any. Reads a row for each reason and hour."""
    start, end = int(when.start.timestamp() // 3600) * 3600, when.end.timestamp()
    wanted = (
        select(reason_tallies.c.at, func.sum(reason_tallies.c.count), func.sum(reason_tallies.c.views))
        .join(reasons, reasons.c.id == reason_tallies.c.reason)
        .where(reasons.c.error_group == group, reason_tallies.c.at >= start, reason_tallies.c.at < end)
        .group_by(reason_tallies.c.at)
        .order_by(reason_tallies.c.at)
    )
    return [
        ErrorCount(at=from_epoch(at), count=int(count), views=int(views)) for at, count, views in connection.execute(wanted)
    ]
