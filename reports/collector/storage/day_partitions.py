"""The partitions of PostgreSQL, one for each day (UTC) and table: made ahead, and dropped whole when their day has expired.

The role that collectors have may neither create nor drop tables: functions of the owner do it (migration 0020).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from runner.store.bulk_insert import Link
from runner.store.tables.day_numbers import DAY, PLAIN, first_number
from runner.store.write_turn import lock_marks

AHEAD = 2
"""Days whose partitions are there before they begin."""
OF_VIEWS = ("vitals", "interactions", "slow_requests", "page_errors")
SESSIONS_AT_ONCE = 500
_DAY = re.compile(r"_(\d{8})$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = CAST(? AS regclass)"


def make_days_ahead(link: Link, now: float) -> None:
    """Makes the partitions of the next days; those that are there stay."""
    today = int(now // DAY)
    for day in range(today, today + AHEAD + 1):
        with link.transaction():
            link.select("SELECT journey_make_day(?)", day)


def list_days(link: Link, table: str) -> list[int]:
    """The days that have a partition, in days since the epoch, in order. Rows from before there were partitions are in none of them."""
    names = [_DAY.search(name) for (name,) in link.select(_PARTS, table)]
    days = (datetime.strptime(found[1], "%Y%m%d").replace(tzinfo=UTC) - _EPOCH for found in names if found)
    return sorted(one.days for one in days)


def count_by_number(link: Link, table: str) -> tuple[int, int]:
    """How many rows a table has, by their numbers, which have gaps between days only; and the last number."""
    ranges = [(0, PLAIN), *((first_number(day), first_number(day + 1)) for day in list_days(link, table))]
    count = newest = 0
    for low, high in ranges:
        query = f"SELECT min(number), max(number) FROM {table} WHERE number >= ? AND number < ?"
        ((first, last),) = link.select(query, low, high)
        if last is not None:
            count += last - first + 1
            newest = last
    return count, newest


def drop_expired_days(link: Link, views_before: float, beacons_before: float) -> int:
    """Drops the partitions of days that ended before these moments; returns how many.

    The ids of beacons stay until the roll-ups have them.
    """
    with link.reading():
        ((rolled,),) = link.select("SELECT value FROM marks WHERE name = 'rolled'")
        expired = [
            (table, day) for table in (*OF_VIEWS, "page_views") for day in list_days(link, table) if _ends(day) <= views_before
        ]
        for day in list_days(link, "beacons"):
            ((last,),) = link.select(
                "SELECT max(number) FROM beacons WHERE number >= ? AND number < ?", first_number(day), first_number(day + 1)
            )
            if _ends(day) <= beacons_before and (last is None or last <= rolled):
                expired.append(("beacons", day))
    # A table at a time, those that belong to views first: no query can wait for one of ours while we wait for another of its.
    return sum(drop_day(link, table, day) for table, day in expired)


def drop_first(link: Link) -> int:
    """Drops the partitions of rows from before there were days, once they are empty; returns how many."""
    dropped = 0
    for table in (*OF_VIEWS, "page_views", "beacons"):
        part = f"{table}_first"
        with link.transaction():
            if link.select("SELECT 1 FROM pg_class WHERE oid = to_regclass(?)", part):
                lock_marks(link)
                if not link.select(f"SELECT 1 FROM {part} LIMIT 1"):
                    dropped += _drop(link, table, part)
    return dropped


def drop_day(link: Link, table: str, day: int) -> int:
    """Drops a partition; 0 if a query reads it for too long: the next time, then."""
    with link.transaction():
        # A batch adds to no view that goes meanwhile.
        lock_marks(link)
        return _drop(link, table, f"{table}_{_EPOCH + timedelta(days=day):%Y%m%d}")


def remove_ended_sessions(link: Link) -> int:
    """Removes some sessions that ended before the first day that is kept and have no view any more; returns how many."""
    with link.transaction():
        if link.select("SELECT 1 FROM page_views WHERE number < ? LIMIT 1", PLAIN):
            # Those are removed one by one, with their sessions.
            return 0
        days = list_days(link, "page_views")
        before = float(days[0] * DAY) if days else 0.0
        lock_marks(link)
        return sum(
            link.execute(
                "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions AS ended WHERE app = ? AND started_at < ? AND seen_at < ? "
                "AND NOT EXISTS (SELECT 1 FROM page_views WHERE session = ended.id) LIMIT ?)",
                *(app, before, before, SESSIONS_AT_ONCE),
            )
            for app in _apps(link)
        )


def _apps(link: Link) -> Iterator[str]:
    app = ""
    # One look into the index for each.
    while (found := link.select("SELECT min(app) FROM sessions WHERE app > ?", app)) != [(None,)]:
        app = found[0][0]
        yield app


def _drop(link: Link, table: str, part: str) -> int:
    return int(link.select("SELECT journey_drop_day(?, ?)", table, part) == [(True,)])


def _ends(day: int) -> float:
    return (day + 1.0) * DAY
