"""Parsers of what is said about places that journeys are walked from.

Each raises ValueError that says what is wrong with the value and what to write; the caller adds where it is written.
"""

from runner.settings.parsers.values import parse_label

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
