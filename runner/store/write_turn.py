"""One transaction at a time writes page views: the numbers of beacons and views are in the order in which they are committed.

In SQLite it is the one that holds the file; in PostgreSQL, on which there may be several collectors, the one that holds these marks.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from runner.store.bulk_insert import Link
from runner.store.tables.day_numbers import DAY, PLAIN, day_of, earliest_number, first_number

OLDEST = 32
"""Days; for rows that may be older, all are asked."""


def lock_marks(link: Link) -> tuple[int, int, float]:
    """The last numbers of views and of beacons, and PostgreSQL's time. Other writers wait there until the transaction ends."""
    clock = "0.0" if link.sqlite else "extract(epoch FROM clock_timestamp())::float8"
    rows = link.select(
        f"SELECT name, value, {clock} FROM marks WHERE name IN ('beacons', 'views') ORDER BY name" + link.for_update
    )
    marks = {name: value for name, value, _ in rows}
    return marks["views"], marks["beacons"], rows[0][2]


def take_turn(link: Link, received: float) -> tuple[int, int]:
    """The numbers after which those of new views and beacons begin; `received` is when the newest of them came.

    In PostgreSQL they are of that day, or of a later one that has begun already; its partitions are there.
    """
    views, beacons, now = lock_marks(link)
    if link.sqlite:
        return views, beacons
    # By the database's clock at most: a collector whose clock is a year ahead must not begin the days of that year for all.
    begun = first_number(int(min(received, now) // DAY)) - 1
    views, beacons = max(views, begun), max(beacons, begun)
    for day in {day_of(views + 1), day_of(beacons + 1)} - {None}:
        link.once(f"day {day}", "SELECT journey_make_day(?)", day)
    return views, beacons


def in_days(number: int, since: float) -> str:
    """The beginning of a condition for rows that came from a moment on, before a row with `number`; empty where numbers have no days.

    In PostgreSQL each partition has an index of its own, of which few are asked then.
    """
    day = day_of(number)
    if day is None:
        return ""
    # What a page says of its age makes few different statements.
    first = earliest_number(since) if since > (day - OLDEST) * DAY else 0
    return f"(number < {PLAIN} OR number >= {first}) AND number < {first_number(day + 1)} AND "


@contextmanager
def write_turn(link: Link) -> Iterator[None]:
    """A transaction while which nobody stores beacons, in this process or another."""
    with link.transaction():
        if not link.sqlite:
            lock_marks(link)
        yield
