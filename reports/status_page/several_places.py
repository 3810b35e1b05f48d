"""Outages that count when enough places have them at the same time, by the rule that alerts follow."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from runner.settings.parsers.locations import LocationCount
from runner.store.queries.history.outages import Outage


def merge_places(outages: Sequence[Outage], places: int, rule: LocationCount) -> list[Outage]:
    """The times in which as many of so many places fail as it takes, each as one outage; as they are where one place is enough."""
    needed = rule.needed(places)
    if needed < 2:
        return list(outages)
    found: list[Outage] = []
    failing: dict[str, Outage] = {}
    since: Outage | None = None
    for at, ends, one in _changes(outages):
        if ends:
            failing.pop(one.location, None)
        else:
            failing[one.location] = one
        if len(failing) >= needed and since is None:
            since = replace(one, started_at=at, ended_at=None)
        elif len(failing) < needed and since is not None:
            found.append(replace(since, ended_at=at))
            since = None
    return [*found, since] if since is not None else found


def _changes(outages: Sequence[Outage]) -> Iterable[tuple[datetime, bool, Outage]]:
    """Beginnings and ends in the order of time; what ends at a time ends before others begin. Those that last have no end."""
    begins = [(one.started_at, False, one) for one in outages]
    ends = [(one.ended_at, True, one) for one in outages if one.ended_at is not None]
    return sorted([*begins, *ends], key=lambda change: (change[0], not change[1]))
