"""Numbers of page views and beacons in PostgreSQL: they say on which day a row came, and so in which partition it is.

The first row of a day has the number `PER_DAY` times the days since the epoch; the next ones count on. Rows from before there were
partitions, and all rows of SQLite, have plain numbers.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

DAY = 86_400
PER_DAY = 10_000_000_000
PLAIN = 10_000_000_000_000
"""Plain numbers are below this, those with a day above it."""
LATE = 2 * DAY
"""A view is received up to a day after it began; and clocks may differ."""


def first_number(day: int) -> int:
    """The first number of a day, given in days since the epoch."""
    return day * PER_DAY


def day_of(number: int) -> int | None:
    """The day of a number; None for a plain one.

    >>> day_of(first_number(20_787) + 5), day_of(5)
    (20787, None)
    """
    return number // PER_DAY if number >= PLAIN else None


def earliest_number(moment: float) -> int:
    """All numbers of views that began at a moment, in seconds since the epoch, or later are plain or not below this."""
    return first_number(int((moment - DAY) // DAY))


class _began_within(FunctionElement[bool]):  # noqa: N801 (as SQL names functions)
    inherit_cache = True
    type = Boolean()


@compiles(_began_within)
def _without(element: Any, compiler: Any, **options: Any) -> str:  # noqa: ARG001 (SQLAlchemy's signature)
    # A file has no partitions.
    return "1 = 1"


@compiles(_began_within, "postgresql")
def _with_partitions(element: Any, compiler: Any, **options: Any) -> str:
    number, low, high = (compiler.process(one, **options) for one in element.clauses)
    return f"({number} < {PLAIN} OR ({number} >= {low} AND {number} < {high}))"


def began_within(number: ColumnElement[int], start: datetime, end: datetime) -> ColumnElement[bool]:
    """A condition that all views which began between two moments meet: by it PostgreSQL reads their days' partitions only."""
    latest = first_number(int((end.timestamp() + LATE) // DAY) + 1)
    return _began_within(number, literal(earliest_number(start.timestamp())), literal(latest))
