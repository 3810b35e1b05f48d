"""A time range."""

from datetime import datetime, timedelta
from typing import Literal, TypeVar

from msgspec import Struct

At = TypeVar("At", int, datetime)
Grain = Literal["fine", "coarse"]


class Range(Struct, frozen=True):
    """From `start` to before `end`."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """The length of the span."""
        return self.end - self.start


def cut_range(start: At, first: At, last: At, end: At) -> list[tuple[Grain, At, At]]:
    """A range in as few sums as possible: coarse ones from `first` to `last`, which are whole, and fine ones before and after.

    >>> cut_range(22, 24, 48, 49), cut_range(1, 24, 0, 5)
    ([('fine', 22, 24), ('coarse', 24, 48), ('fine', 48, 49)], [('fine', 1, 5)])
    """
    if first >= last:
        return [("fine", start, end)]
    parts: list[tuple[Grain, At, At]] = [("fine", start, first), ("coarse", first, last), ("fine", last, end)]
    return [part for part in parts if part[1] < part[2]]
