"""Conditions that questions about runs have in common, said so that the indices of schema.py are used."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, literal_column, select

from runner.store.queries.time_range import Range
from runner.store.rollups import journeys
from runner.store.tables.runs import runs


def here(span: Range, journey: str | None, location: str | None) -> list[ColumnElement[bool]]:
    """Runs of a span, of a journey and at a place if they are given."""
    return [runs.c.started_at >= span.start, runs.c.started_at < span.end, *of(runs, journey, location)]


def at_place(journey: str, location: str | None) -> list[ColumnElement[bool]]:
    """Runs of a journey at a place, or at all of its places by name: some indices have the place before the time."""
    return [runs.c.journey == journey, _places(runs, journey, location)]


def of(table: Table, journey: str | None, location: str | None) -> list[ColumnElement[bool]]:
    """Of a journey and a place, if they are given. The places of a journey are named, as sums are kept by place before time."""
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
    """Runs that ended so; of those that did not pass, as their partial index says it."""
    if not statuses:
        return []
    found: list[ColumnElement[bool]] = [runs.c.status.in_(statuses)]
    return found if "passed" in statuses else [*found, runs.c.status != literal_column("'passed'")]


def named() -> ColumnElement[bool]:
    """That a run has named a release; with the value in the text, since a partial index is used for no other."""
    return runs.c.release != literal_column("''")
