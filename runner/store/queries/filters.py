"""Conditions that queries of runs share, worded so that the indices of the tables are used."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, literal_column, select

from runner.store.queries.time_range import Range
from runner.store.rollups import journeys
from runner.store.tables.runs import runs


def here(span: Range, journey: str | None, location: str | None) -> list[ColumnElement[bool]]:
    """Runs of a span; of a journey and at a location if these are given."""
    return [runs.c.started_at >= span.start, runs.c.started_at < span.end, *of(runs, journey, location)]


def at_place(journey: str, location: str | None) -> list[ColumnElement[bool]]:
    """Runs of a journey at a location, or at all its locations, listed by name: some indices have the location before the time."""
    return [runs.c.journey == journey, _places(runs, journey, location)]


def of(table: Table, journey: str | None, location: str | None) -> list[ColumnElement[bool]]:
    """Rows of a journey and a location, if these are given. All locations of a journey are listed by name: the indices have the
    location before the time."""
    where: list[ColumnElement[bool]] = [table.c.journey == journey] if journey is not None else []
    if location is not None:
        return [*where, table.c.location == location]
    if journey is not None and table not in (runs, journeys):
        where.append(_places(table, journey, None))
    return where


def _places(table: Table, journey: str, location: str | None) -> ColumnElement[bool]:
    if location is not None:
        return table.c.location == location
    return table.c.location.in_(select(journeys.c.location).where(journeys.c.journey == journey))


def ended(statuses: Sequence[str]) -> list[ColumnElement[bool]]:
    """Runs with this status; for those that did not pass, in the words of their partial index."""
    if not statuses:
        return []
    found: list[ColumnElement[bool]] = [runs.c.status.in_(statuses)]
    return found if "passed" in statuses else [*found, runs.c.status != literal_column("'passed'")]


def named() -> ColumnElement[bool]:
    """Runs with a release. The value is in the text of the query, as the partial index is not used otherwise."""
    return runs.c.release != literal_column("''")
