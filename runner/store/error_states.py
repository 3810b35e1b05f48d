"""What was decided about errors of real users: resolved, ignored, or, after it came again, reopened."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select

from runner.store.tables.errors import error_states
from runner.store.transaction import Transaction

Decision = Literal["resolved", "ignored", "open"]
State = Literal["open", "resolved", "ignored", "reopened"]


class ErrorState(Struct, frozen=True, kw_only=True):
    """A decision about a group of errors, and whether it holds."""

    state: State
    release: str
    """The newest that had the error when it was resolved."""
    who: str
    """Empty if nobody had to sign in."""
    note: str
    at: datetime
    reopened_at: datetime | None
    """When a resolved error came again …"""
    reopened_in: str
    """… and in which release."""


class ErrorStates:
    """The table of decisions. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def decide(self, error: str, app: str, decision: Decision, release: str, who: str, note: str, now: datetime) -> None:
        """Replaces an earlier decision about the same error; `open` removes it."""
        with self._transaction() as connection:
            connection.execute(delete(error_states).where(error_states.c.id == error))
            if decision == "open":
                return
            row = {"id": error, "app": app, "state": decision, "release": release, "who": who[:100], "note": note}
            connection.execute(insert(error_states), [row | {"at": now.timestamp(), "reopened_at": None, "reopened_in": ""}])


def read_error_states(connection: Connection, errors: list[str]) -> dict[str, ErrorState]:
    """The decisions about these errors, by their ids."""
    rows = connection.execute(select(error_states).where(error_states.c.id.in_(errors))).mappings()
    return {
        row["id"]: ErrorState(
            **{name: row[name] for name in ("state", "release", "who", "note", "reopened_in")},
            at=datetime.fromtimestamp(row["at"], UTC),
            reopened_at=None if row["reopened_at"] is None else datetime.fromtimestamp(row["reopened_at"], UTC),
        )
        for row in rows
    }
