"""The tags of journeys, as their newest runs have them."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from runner.store.tables.runs import runs


def read_tags(connection: Connection, newest: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The tags of each of these runs, by its id."""
    wanted = select(runs.c.id, runs.c.tags).where(runs.c.id.in_(newest))
    return {row.id: tuple(row.tags) for row in connection.execute(wanted)}
