"""Retention of page views: removes those that are too old, and the oldest when there are too many; in small steps.

Rows leave in the order in which they came, so what is removed is always a range of numbers; in PostgreSQL whole days at a time, by
dropping their partitions. Roll-ups stay longer.
"""

from msgspec import Struct

from reports.collector.storage.day_partitions import (
    OF_VIEWS,
    count_by_number,
    drop_day,
    drop_expired_days,
    list_days,
    remove_ended_sessions,
)
from reports.collector.storage.rollup_retention import remove_oldest
from reports.collector.storage.series import DAY
from runner.store.bulk_insert import Link, larger
from runner.store.tables.day_numbers import PLAIN, first_number
from runner.store.tables.page_views import STEPS
from runner.store.tables.runs import metadata
from runner.store.write_turn import write_turn

AT_ONCE = 500
"""Views, or beacons, that are removed in one transaction: beacons that arrive meanwhile wait for it."""
MINUTES = 3 * DAY
"""Seconds that roll-ups of minutes are kept."""
SAMPLE = 1_000
"""Views in the sample that estimates the size of one."""
REASONS = 40_000
"""Reasons that are kept of one app: more than can be new within `keep_views`, so that every error that is kept has its reason."""
LAST_DAY = 100_000_000
IDS = 10
"""The ids of beacons may take one part in so many of what views may take."""
_NOTE_LAST_SERIES = (
    "INSERT INTO marks (name, value) SELECT 'series', coalesce(max(id), 0) FROM series WHERE id >= 0 "
    f"ON CONFLICT (name) DO UPDATE SET value = {larger('marks', 'value')}"
)
LARGE_DAY = 8
"""Over the size, a day goes whole if it has at most one part in so many of all views; of a larger one, the oldest views go."""
SHORT = 2 * DAY
"""Views that are kept for less than this are removed one by one, as their days would keep them for much longer."""


class RetentionPolicy(Struct, frozen=True, kw_only=True):
    """How long in seconds, and how much in bytes; docs/views.md says what each holds."""

    views: float = 30 * DAY
    rollups: float = 400 * DAY
    size: int = 20_000_000_000
    rollups_size: int = 5_000_000_000


def prune_by_age(link: Link, keep: RetentionPolicy, now: float) -> int:
    """Removes the next expired rows, or days of them; returns how many, 0 when nothing has expired."""
    whole_days = not link.sqlite
    gone = drop_expired_days(link, now - keep.views, now - DAY) + remove_ended_sessions(link) if whole_days else 0
    with write_turn(link):
        # What came before there were partitions goes one by one.
        gone += _beacons(link, now - DAY, plain=whole_days)
        gone += _views(link, now - keep.views, plain=whole_days and keep.views >= SHORT)
        for step in STEPS:
            gone += remove_oldest(link, step, now - (min(MINUTES, keep.rollups) if step == STEPS[0] else keep.rollups))
        return gone


def prune_to_size(link: Link, keep: RetentionPolicy) -> int:
    """Removes the oldest views when all of them take more than `keep.size`, and the oldest ids of beacons; returns how many.

    It returns 0 when neither take too much.
    """
    if not link.sqlite and (day := _find_small_day(link, keep.size)) is not None:
        # Their rows first: of a view that is left alone, nothing is to be left.
        return sum(drop_day(link, table, day) for table in (*OF_VIEWS, "page_views"))
    with write_turn(link):
        _, taken = measure_usage(link)
        gone = _views(link, float("inf")) if taken > keep.size else 0
        return gone + (_beacons(link, float("inf")) if _measure_ids(link) > keep.size // IDS else 0)


def prune_labels(link: Link, keep: RetentionPolicy, now: float) -> None:
    """Removes series and reasons of which there are no roll-ups any more, and of each app the oldest of too many reasons."""
    before = now - keep.rollups
    with write_turn(link):
        # A view that is kept for longer has the number of its series, which must not become that of another one.
        link.execute(_NOTE_LAST_SERIES)
        link.execute("DELETE FROM series WHERE seen_at < ?", before - DAY)
        link.execute("DELETE FROM reasons WHERE last_at < ?", before)
        for app, count in link.select("SELECT app, count(*) FROM reasons GROUP BY app"):
            if count > REASONS:
                oldest = "SELECT id FROM reasons WHERE app = ? ORDER BY last_at LIMIT ?"
                link.execute(f"DELETE FROM reasons WHERE id IN ({oldest})", app, count - REASONS)
        link.execute("DELETE FROM reason_tallies WHERE at < ? OR reason NOT IN (SELECT id FROM reasons)", before)
        link.execute("DELETE FROM error_states WHERE id NOT IN (SELECT error_group FROM reasons)")


def measure_usage(link: Link) -> tuple[int, int]:
    """How many page views there are, and about how many bytes they take with all that belongs to them.

    The bytes are the number of views times what the newest thousand take on average: files do not shrink when rows are deleted, and
    what other kinds of rows take in the same file must not be taken from views.
    """
    views, last = _count(link, "page_views")
    since = last - SAMPLE
    if not link.sqlite:
        # The newest day may just have begun.
        newest = [number for (number,) in link.select("SELECT number FROM page_views ORDER BY number DESC LIMIT ?", SAMPLE)]
        since = newest[-1] - 1 if newest else 0
    total = 0.0
    for table, key in (("page_views", "number > ?"), *((name, "view > ?") for name in OF_VIEWS), ("sessions", _BY_SAMPLE)):
        ((part,),) = link.select(_SIZE_IN_SQLITE[table] if link.sqlite else _size_in_postgres(table, key), since)
        total += float(part)
    return views, int(total * views / max(min(views, SAMPLE), 1))


def _measure_ids(link: Link) -> int:
    """About how many bytes the ids of beacons take."""
    beacons, last = _count(link, "beacons")
    if not last:
        return 0
    size = "length(changes) + length(id) * 2 + 70"
    ((of_one,),) = link.select(f"SELECT avg({size}) FROM beacons WHERE number > ?", last - SAMPLE)
    return int(beacons * float(of_one))


def _count(link: Link, table: str) -> tuple[int, int]:
    """How many rows there are, and the last number."""
    if not link.sqlite:
        return count_by_number(link, table)
    ((first, last),) = link.select(f"SELECT min(number), max(number) FROM {table}")
    return (last - first + 1, last) if last else (0, 0)


def _find_small_day(link: Link, size: int) -> int | None:
    """The oldest day, if all views take more than `size` and it has few of them; None if its views are to go one by one."""
    with link.reading():
        views, taken = measure_usage(link)
        days = list_days(link, "page_views")
        if taken <= size or not days or link.select("SELECT 1 FROM page_views WHERE number < ? LIMIT 1", PLAIN):
            return None
        number = "SELECT min(number), max(number) FROM page_views WHERE number >= ? AND number < ?"
        ((first, last),) = link.select(number, first_number(days[0]), first_number(days[0] + 1))
        return days[0] if last is not None and (last - first + 1) * LARGE_DAY <= views else None


_BY_SAMPLE = "id IN (SELECT session FROM page_views WHERE number > ?)"


def _size_in_postgres(table: str, key: str) -> str:
    # 28 bytes are a row's header and its place in the page; indices take their share of the table, of all partitions together.
    leaves = f"FROM pg_partition_tree('{table}') WHERE isleaf"
    return (
        f"SELECT coalesce(sum(pg_column_size(t.*) + 28), 0) * "
        f"greatest((SELECT sum(pg_total_relation_size(relid)) {leaves}), 1) / "
        f"greatest((SELECT sum(pg_relation_size(relid)) {leaves}), 1) "
        f"FROM {table} t WHERE {key}"
    )


def _size_in_sqlite(table: str, key: str, overhead: int) -> str:
    # What the values take, a tenth for pages that are not full, and `overhead` bytes a row for its header and its places in indices.
    values = " + ".join(f'coalesce(length(CAST("{one.name}" AS BLOB)), 0)' for one in metadata.tables[table].columns)
    return f"SELECT coalesce(sum(({values}) * 1.1 + {overhead}), 0) FROM {table} WHERE {key}"


_SIZE_IN_SQLITE = {
    "page_views": _size_in_sqlite("page_views", "number > ?", 180),
    "sessions": _size_in_sqlite("sessions", _BY_SAMPLE, 100),
    **{table: _size_in_sqlite(table, "view > ?", 20) for table in OF_VIEWS},
}


def _beacons(link: Link, before: float, plain: bool = False) -> int:
    # Those that the roll-ups have not taken yet stay, however old they are.
    query = (
        "SELECT number, received_at FROM beacons WHERE number <= (SELECT value FROM marks WHERE name = 'rolled') AND number < ? "
        "ORDER BY number LIMIT ?"
    )
    last = _last(link, query, before, plain)
    return link.execute("DELETE FROM beacons WHERE number <= ?", last) if last is not None else 0


def _views(link: Link, before: float, plain: bool = False) -> int:
    last = _last(link, "SELECT number, received_at FROM page_views WHERE number < ? ORDER BY number LIMIT ?", before, plain)
    if last is None:
        return 0
    left = [id_ for (id_,) in link.select("SELECT DISTINCT session FROM page_views WHERE number <= ?", last)]
    for table in OF_VIEWS:
        link.execute(f"DELETE FROM {table} WHERE view <= ?", last)
    gone = link.execute("DELETE FROM page_views WHERE number <= ?", last)
    going_on = {id_ for (id_,) in link.among("SELECT session FROM page_views WHERE session", left)}
    for session in left:
        if session not in going_on:
            link.execute("DELETE FROM sessions WHERE id = ?", session)
    return gone


def _last(link: Link, query: str, before: float, plain: bool) -> int | None:
    """The number of the last of the oldest rows that is from before a moment; of rows without a day alone, if `plain`.

    Those before it go too, whatever they say: they came when the clock was wrong.
    """
    most = PLAIN if plain else first_number(LAST_DAY)
    return max((number for number, at in link.select(query, most, AT_ONCE) if at < before), default=None)
