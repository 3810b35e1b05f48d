"""Retention of page views: removes those that are too old, and the oldest when there are too many; in small steps.

Rows leave in the order in which they came, so what is removed is always a range of numbers. Roll-ups stay longer.
"""

from msgspec import Struct

from reports.collector.storage.rollup_retention import remove_oldest
from reports.collector.storage.series import DAY
from runner.store.bulk_insert import Link, larger
from runner.store.tables.page_views import STEPS
from runner.store.tables.runs import metadata

AT_ONCE = 500
"""Views, or beacons, that are removed in one transaction: beacons that arrive meanwhile wait for it."""
MINUTES = 3 * DAY
"""Seconds that roll-ups of minutes are kept."""
SAMPLE = 1_000
"""Views in the sample that estimates the size of one."""
REASONS = 40_000
"""Reasons that are kept of one app: more than can be new within `keep_views`, so that every error that is kept has its reason."""
IDS = 10
"""The ids of beacons may take one part in so many of what views may take."""
_NOTE_LAST_SERIES = (
    "INSERT INTO marks (name, value) SELECT 'series', coalesce(max(id), 0) FROM series WHERE id >= 0 "
    f"ON CONFLICT (name) DO UPDATE SET value = {larger('marks', 'value')}"
)
_OF_VIEWS = ("vitals", "interactions", "slow_requests", "page_errors")


class RetentionPolicy(Struct, frozen=True, kw_only=True):
    """How long in seconds, and how much in bytes; docs/views.md says what each holds."""

    views: float = 30 * DAY
    rollups: float = 400 * DAY
    size: int = 20_000_000_000
    rollups_size: int = 5_000_000_000


def prune_by_age(link: Link, keep: RetentionPolicy, now: float) -> int:
    """Removes the next expired rows; returns how many, 0 when nothing has expired."""
    with link.transaction():
        gone = _beacons(link, now - DAY) + _views(link, now - keep.views)
        for step in STEPS:
            gone += remove_oldest(link, step, now - (min(MINUTES, keep.rollups) if step == STEPS[0] else keep.rollups))
        return gone


def prune_to_size(link: Link, keep: RetentionPolicy) -> int:
    """Removes the oldest views when all of them take more than `keep.size`, and the oldest ids of beacons; returns how many.

    It returns 0 when neither take too much.
    """
    with link.transaction():
        _, taken = measure_usage(link)
        gone = _views(link, float("inf")) if taken > keep.size else 0
        return gone + (_beacons(link, float("inf")) if _measure_ids(link) > keep.size // IDS else 0)


def prune_labels(link: Link, keep: RetentionPolicy, now: float) -> None:
    """Removes series and reasons of which there are no roll-ups any more, and of each app the oldest of too many reasons."""
    before = now - keep.rollups
    with link.transaction():
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
    ((first, last),) = link.select("SELECT min(number), max(number) FROM page_views")
    views = last - first + 1 if last else 0
    total = 0.0
    for table, key in (("page_views", "number > ?"), *((name, "view > ?") for name in _OF_VIEWS), ("sessions", _BY_SAMPLE)):
        ((part,),) = link.select(_SIZE_IN_SQLITE[table] if link.sqlite else _size_in_postgres(table, key), (last or 0) - SAMPLE)
        total += float(part)
    return views, int(total * views / max(min(views, SAMPLE), 1))


def _measure_ids(link: Link) -> int:
    """About how many bytes the ids of beacons take."""
    ((first, last),) = link.select("SELECT min(number), max(number) FROM beacons")
    if not last:
        return 0
    size = "length(changes) + length(id) * 2 + 70"
    ((of_one,),) = link.select(f"SELECT avg({size}) FROM beacons WHERE number > ?", last - SAMPLE)
    return int((last - first + 1) * float(of_one))


_BY_SAMPLE = "id IN (SELECT session FROM page_views WHERE number > ?)"


def _size_in_postgres(table: str, key: str) -> str:
    # 28 bytes are a row's header and its place in the page; indices take their share of the table.
    return (
        f"SELECT coalesce(sum(pg_column_size(t.*) + 28), 0) * "
        f"greatest(pg_total_relation_size('{table}'), 1) / greatest(pg_relation_size('{table}'), 1) "
        f"FROM {table} t WHERE {key}"
    )


def _size_in_sqlite(table: str, key: str, overhead: int) -> str:
    # What the values take, a tenth for pages that are not full, and `overhead` bytes a row for its header and its places in indices.
    values = " + ".join(f'coalesce(length(CAST("{one.name}" AS BLOB)), 0)' for one in metadata.tables[table].columns)
    return f"SELECT coalesce(sum(({values}) * 1.1 + {overhead}), 0) FROM {table} WHERE {key}"


_SIZE_IN_SQLITE = {
    "page_views": _size_in_sqlite("page_views", "number > ?", 180),
    "sessions": _size_in_sqlite("sessions", _BY_SAMPLE, 100),
    **{table: _size_in_sqlite(table, "view > ?", 20) for table in _OF_VIEWS},
}


def _beacons(link: Link, before: float) -> int:
    # Those that the roll-ups have not taken yet stay, however old they are.
    query = (
        "SELECT number, received_at FROM beacons WHERE number <= (SELECT value FROM marks WHERE name = 'rolled') "
        "ORDER BY number LIMIT ?"
    )
    last = _last(link, query, before)
    return link.execute("DELETE FROM beacons WHERE number <= ?", last) if last is not None else 0


def _views(link: Link, before: float) -> int:
    last = _last(link, "SELECT number, received_at FROM page_views ORDER BY number LIMIT ?", before)
    if last is None:
        return 0
    left = [id_ for (id_,) in link.select("SELECT DISTINCT session FROM page_views WHERE number <= ?", last)]
    for table in _OF_VIEWS:
        link.execute(f"DELETE FROM {table} WHERE view <= ?", last)
    gone = link.execute("DELETE FROM page_views WHERE number <= ?", last)
    going_on = {id_ for (id_,) in link.among("SELECT session FROM page_views WHERE session", left)}
    for session in left:
        if session not in going_on:
            link.execute("DELETE FROM sessions WHERE id = ?", session)
    return gone


def _last(link: Link, query: str, before: float) -> int | None:
    """The number of the last of the oldest rows that is from before a moment.

    Those before it go too, whatever they say: they came when the clock was wrong.
    """
    return max((number for number, at in link.select(query, AT_ONCE) if at < before), default=None)
