"""Retention of page views: removes those that are too old, and the oldest when there are too many; in small steps.

Rows leave in the order in which they came, so what is removed is always a range of numbers. Roll-ups stay longer.
"""

from msgspec import Struct

from reports.collector.storage.series import DAY
from runner.store.bulk_insert import Link
from runner.store.tables.page_views import METRICS, STEPS
from runner.store.tables.runs import metadata

AT_ONCE = 500
"""Views, or beacons, that are removed in one transaction: beacons that arrive meanwhile wait for it."""
MINUTES = 3 * DAY
"""Seconds that roll-ups of minutes are kept."""
SAMPLE = 1_000
"""Views in the sample that estimates the size of one."""
_OF_VIEWS = ("vitals", "interactions", "slow_requests", "page_errors")


class RetentionPolicy(Struct, frozen=True, kw_only=True):
    """How long in seconds, and how much in bytes; docs/views.md says what each holds."""

    views: float = 30 * DAY
    rollups: float = 400 * DAY
    size: int = 20_000_000_000


def prune_by_age(link: Link, keep: RetentionPolicy, now: float) -> int:
    """Removes the next expired rows; returns how many, 0 when nothing has expired."""
    with link.transaction():
        gone = _beacons(link, now - DAY) + _views(link, now - keep.views)
        for step in STEPS:
            gone += _rollups(link, step, now - (min(MINUTES, keep.rollups) if step == STEPS[0] else keep.rollups))
        return gone


def prune_to_size(link: Link, keep: RetentionPolicy) -> int:
    """Removes the oldest views when all of them take more than `keep.size`; returns how many, 0 when they do not."""
    with link.transaction():
        _, taken = measure_usage(link)
        return _views(link, float("inf")) if taken > keep.size else 0


def prune_labels(link: Link, keep: RetentionPolicy, now: float) -> None:
    """Removes series and reasons of which there are no roll-ups any more."""
    before = now - keep.rollups
    with link.transaction():
        link.execute("DELETE FROM series WHERE seen_at < ?", before - DAY)
        link.execute("DELETE FROM reasons WHERE last_at < ?", before)
        link.execute("DELETE FROM reason_tallies WHERE at < ?", before)


def measure_usage(link: Link) -> tuple[int, int]:
    """How many page views there are, and about how many bytes they take with all that belongs to them.

    The bytes are the number of views times what the newest thousand take on average: files do not shrink when rows are deleted, and
    what other kinds of rows take in the same file must not be taken from views.
    """
    ((first, last),) = link.select("SELECT min(number), max(number) FROM page_views")
    views = last - first + 1 if last else 0
    total = 0.0
    for table, key in (("page_views", "number"), *((name, "view") for name in _OF_VIEWS)):
        ((part,),) = link.select(_SIZE_IN_SQLITE[table] if link.sqlite else _size_in_postgres(table, key), (last or 0) - SAMPLE)
        total += float(part)
    return views, int(total * views / max(min(views, SAMPLE), 1))


def _size_in_postgres(table: str, key: str) -> str:
    # 28 bytes are a row's header and its place in the page; indices take their share of the table.
    return (
        f"SELECT coalesce(sum(pg_column_size(t.*) + 28), 0) * "
        f"greatest(pg_total_relation_size('{table}'), 1) / greatest(pg_relation_size('{table}'), 1) "
        f"FROM {table} t WHERE {key} > ?"
    )


def _size_in_sqlite(table: str, key: str, overhead: int) -> str:
    # What the values take, a tenth for pages that are not full, and `overhead` bytes a row for its header and its places in indices.
    values = " + ".join(f'coalesce(length(CAST("{one.name}" AS BLOB)), 0)' for one in metadata.tables[table].columns)
    return f"SELECT coalesce(sum(({values}) * 1.1 + {overhead}), 0) FROM {table} WHERE {key} > ?"


_SIZE_IN_SQLITE = {
    "page_views": _size_in_sqlite("page_views", "number", 180),
    **{table: _size_in_sqlite(table, "view", 20) for table in _OF_VIEWS},
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


def _rollups(link: Link, step: int, before: float) -> int:
    """Removes the oldest few of what is too old of one step, of counts and of each metric."""
    gone = 0
    for table, condition in (
        ("tallies", "step = ?"),
        *(("histograms", f"metric = '{metric}' AND step = ?") for metric in METRICS),
    ):
        ((first,),) = link.select(f"SELECT min(at) FROM {table} WHERE {condition}", step)
        if first is not None and first + step <= before:
            until = min(before - step, first + 5 * step)
            gone += link.execute(f"DELETE FROM {table} WHERE {condition} AND at <= ?", step, until)
    return gone
