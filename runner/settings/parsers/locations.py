"""Parsers of what is said about places that journeys are walked from.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

import math
import re
from typing import Literal

from msgspec import Struct

from runner.settings.parsers.values import parse_label

Confirm = Literal["elsewhere", "same", "no"]
"""Where a failure is walked once more before it alerts."""

MOST_LOCATIONS = 20
"""Of one journey: each is a series of every metric, and a run in every slot."""


def parse_locations(value: object) -> tuple[str, ...]:
    """Names of places: a list, or a text with commas between them. An empty list means wherever the scheduler is.

    >>> parse_locations("frankfurt, oregon")
    ('frankfurt', 'oregon')
    """
    given = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        raise ValueError(f"{value!r} is not a list of locations; write one such as ['frankfurt', 'oregon']")
    names = tuple(parse_location(one) for one in given)
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is in the list twice; name each location once")
    if len(names) > MOST_LOCATIONS:
        raise ValueError(f"{len(names)} locations are too many; name at most {MOST_LOCATIONS}")
    return names


def parse_location(value: object) -> str:
    """The name of a place, which a person types in lists and filters: without spaces around it."""
    name = parse_label(value)
    if name != name.strip():
        raise ValueError(f"{value!r} has a space at its beginning or end; remove it")
    return name


class LocationCount(Struct, frozen=True):
    """How many places have to fail: `count`, or, with `of`, that share of them."""

    count: int = 1
    of: int = 0

    def needed(self, places: int) -> int:
        """Of so many places; at least one, at most all.

        >>> [LocationCount(2, 3).needed(places) for places in (1, 2, 3, 4, 6)]
        [1, 2, 2, 3, 4]
        >>> [LocationCount(2).needed(places) for places in (1, 2, 6)]
        [1, 2, 2]
        """
        wanted = math.ceil(self.count * places / self.of) if self.of else self.count
        return max(min(wanted, places), 1)


def parse_location_count(value: object) -> LocationCount:
    """How many places have to fail: a number, or `2 of 3`."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = re.fullmatch(r"(\d{1,3})(?: of (\d{1,3}))?", text.strip())
    if found:
        count, of = int(found[1]), int(found[2] or 0)
        if count and (not found[2] or count <= of):
            return LocationCount(count, of)
    raise ValueError(f"{value!r} does not say how many locations; write a number from 1, or one such as '2 of 3'")


def parse_confirm(value: object) -> Confirm:
    """Where a failure is walked once more."""
    if value == "elsewhere":
        return "elsewhere"
    if value == "same":
        return "same"
    if value == "no":
        return "no"
    raise ValueError(f"{value!r} is not valid; choose one of elsewhere, same, no")
