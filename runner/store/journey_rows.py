"""All rows of one journey, at all locations: to be counted, and removed when the journey is to be forgotten."""

from sqlalchemy import Column, Connection, Table, delete, func, select

from runner.store.engines.patience import allow_any_time
from runner.store.rollups import journeys, run_days, run_hours, step_days, step_hours
from runner.store.tables.runs import alerts, groups, mutes, pauses, runs, slots

# Attempts, steps, navigations, artifacts and messages go with the rows that they belong to.
TABLES: tuple[tuple[Table, Column[str]], ...] = (
    *((table, table.c.journey) for table in (runs, slots, alerts, mutes, groups)),
    *((table, table.c.journey) for table in (run_hours, run_days, step_hours, step_days, journeys)),
    (pauses, pauses.c.pattern),
)


def count_rows(connection: Connection, journey: str) -> dict[str, int]:
    """The number of rows of a journey in each table that has any."""
    counts = {
        table.name: int(connection.execute(select(func.count()).select_from(table).where(column == journey)).scalar_one())
        for table, column in TABLES
    }
    return {name: count for name, count in counts.items() if count}


def delete_rows(connection: Connection, journey: str) -> None:
    """Removes them, however many there are."""
    allow_any_time(connection)
    for table, column in TABLES:
        connection.execute(delete(table).where(column == journey))


def find_groups(connection: Connection, journey: str) -> list[tuple[str, str]]:
    """Location and gateway of each group of metrics that schedulers have pushed for a journey."""
    wanted = select(groups.c.location, groups.c.gateway).where(groups.c.journey == journey)
    return [(row.location, row.gateway) for row in connection.execute(wanted)]


def stored_names(connection: Connection) -> set[str]:
    """The names of all journeys of which there are rows."""
    found: set[str] = set()
    for table in (journeys, runs, slots, alerts, groups):
        found.update(connection.execute(select(table.c.journey).distinct()).scalars())
    # Alerts about files belong to no journey.
    return found - {""}
