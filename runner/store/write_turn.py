"""One transaction at a time writes page views: the numbers of beacons and views are in the order in which they are committed.

In SQLite it is the one that holds the file; in PostgreSQL, on which there may be several collectors, the one that holds these marks.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from runner.store.bulk_insert import Link
from runner.store.tables.day_numbers import DAY, day_of, first_number

_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


def lock_marks(link: Link) -> tuple[int, int]:
    """The last numbers of views and of beacons. In PostgreSQL other writers wait here until the transaction ends."""
    marks = dict(
        link.select("SELECT name, value FROM marks WHERE name IN ('beacons', 'views') ORDER BY name" + link.for_update)
    )
    return marks["views"], marks["beacons"]


def take_turn(link: Link, received: float) -> tuple[int, int]:
    """The numbers after which those of new views and beacons begin; `received` is when the newest of them came.

    In PostgreSQL they are of that day, or of a later one that has begun already; its partitions are there.
    """
    views, beacons = lock_marks(link)
    if link.sqlite:
        return views, beacons
    # By the database's clock at most: a collector whose clock is a year ahead must not begin the days of that year for all.
    ((now,),) = link.select(_CLOCK)
    begun = first_number(int(min(received, now) // DAY)) - 1
    views, beacons = max(views, begun), max(beacons, begun)
    for day in {day_of(views + 1), day_of(beacons + 1)} - {None}:
        link.once(f"day {day}", "SELECT journey_make_day(?)", day)
    return views, beacons


@contextmanager
def write_turn(link: Link) -> Iterator[None]:
    """A transaction while which nobody stores beacons, in this process or another."""
    with link.transaction():
        if not link.sqlite:
            lock_marks(link)
        yield
