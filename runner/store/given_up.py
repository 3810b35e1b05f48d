"""Runs of which the scheduler expected nothing more, and whose results came after all: the result takes the place of what was stored."""

from sqlalchemy import Connection, delete, select

from runner.result import GIVEN_UP
from runner.store.rollups import uncount
from runner.store.tables.runs import runs


def is_given_up(connection: Connection, run: str) -> bool:
    """Whether only what the scheduler said is stored of a run."""
    notes = connection.execute(select(runs.c.notes).where(runs.c.id == run)).scalar_one_or_none()
    return notes is not None and GIVEN_UP in notes


def remove_given_up(connection: Connection, run: str) -> bool:
    """Removes what was stored of a run that was given up, from the roll-ups too; False when its own result is stored."""
    row = connection.execute(select(runs).where(runs.c.id == run).with_for_update()).mappings().one_or_none()
    if row is None or GIVEN_UP not in row["notes"]:
        return False
    uncount(connection, row["journey"], row["location"], row["started_at"], row["status"])
    connection.execute(delete(runs).where(runs.c.id == run))
    return True
