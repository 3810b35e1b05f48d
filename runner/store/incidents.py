"""Incidents of the status page as people have written them: their titles, and what was said about them when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from msgspec import Struct
from sqlalchemy import Connection, delete, insert, select, update

from runner.store.tables.incidents import incident_updates, incidents
from runner.store.transaction import Transaction

IncidentState = Literal["investigating", "identified", "monitoring", "resolved"]
STATES: tuple[IncidentState, ...] = get_args(IncidentState)
Impact = Literal["none", "partly available", "not available"]
IMPACTS: tuple[Impact, ...] = get_args(Impact)
LONGEST_TITLE = 120
LONGEST_TEXT = 2_000


class IncidentUpdate(Struct, frozen=True, kw_only=True):
    """What somebody has written about an incident."""

    id: int = 0
    at: datetime
    state: IncidentState
    text: str
    who: str = ""
    """Empty if nobody had to sign in."""


class WrittenIncident(Struct, frozen=True, kw_only=True):
    """An incident that somebody has written, or what was written about one that the runs show."""

    id: int = 0
    component: str
    measured_at: datetime | None = None
    """A moment in the outage that this belongs to; None for an incident that no run shows."""
    started_at: datetime
    title: str = ""
    """Empty for the usual one."""
    impact: Impact = "none"
    """What it does to the state of its component while it lasts. An incident that the runs show has its state from them."""
    hidden: bool = False
    who: str = ""
    made_at: datetime
    updates: tuple[IncidentUpdate, ...] = ()
    """Oldest first."""


class Incidents:
    """The tables of incidents. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, incident: WrittenIncident) -> int:
        """Stores an incident with its updates; returns its id."""
        names = [name for name in WrittenIncident.__struct_fields__ if name not in {"id", "updates"}]
        with self._transaction() as connection:
            row = insert(incidents).values({name: getattr(incident, name) for name in names})
            number: int = connection.execute(row.returning(incidents.c.id)).scalar_one()
            for one in incident.updates:
                _insert_update(connection, number, one)
            return number

    def change(self, number: int, **values: Any) -> bool:
        """Changes columns of an incident; False if it is gone."""
        with self._transaction() as connection:
            return connection.execute(update(incidents).where(incidents.c.id == number).values(values)).rowcount > 0

    def add_update(self, number: int, one: IncidentUpdate) -> bool:
        """Adds what was written; False if the incident is gone."""
        with self._transaction() as connection:
            if connection.execute(select(incidents.c.id).where(incidents.c.id == number)).scalar() is None:
                return False
            _insert_update(connection, number, one)
            return True

    def change_update(self, number: int, one: int, state: IncidentState, text: str) -> bool:
        """Changes what was written; an empty text removes it. False if it is gone."""
        same = (incident_updates.c.incident_id == number, incident_updates.c.id == one)
        with self._transaction() as connection:
            if text:
                changed = connection.execute(update(incident_updates).where(*same).values(state=state, text=text))
            else:
                changed = connection.execute(delete(incident_updates).where(*same))
            return changed.rowcount > 0

    def remove(self, number: int) -> bool:
        """Removes an incident, or what was written about an outage, with its updates; False if it was gone."""
        with self._transaction() as connection:
            connection.execute(delete(incident_updates).where(incident_updates.c.incident_id == number))
            return connection.execute(delete(incidents).where(incidents.c.id == number)).rowcount > 0


def read_written_incidents(connection: Connection, since: datetime, components: Sequence[str]) -> list[WrittenIncident]:
    """Those of the components that began since then, the newest first."""
    wanted = (
        select(incidents)
        .where(incidents.c.started_at >= since, incidents.c.component.in_(components))
        .order_by(incidents.c.started_at.desc(), incidents.c.id.desc())
    )
    rows = connection.execute(wanted).mappings().all()
    said: dict[int, list[IncidentUpdate]] = {row["id"]: [] for row in rows}
    if rows:
        about = incident_updates.c.incident_id.in_(said)
        in_order = (incident_updates.c.at, incident_updates.c.id)
        for one in connection.execute(select(incident_updates).where(about).order_by(*in_order)).mappings():
            said[one["incident_id"]].append(IncidentUpdate(**{name: one[name] for name in IncidentUpdate.__struct_fields__}))
    return [WrittenIncident(**row, updates=tuple(said[row["id"]])) for row in rows]


def _insert_update(connection: Connection, number: int, one: IncidentUpdate) -> None:
    row = {name: getattr(one, name) for name in IncidentUpdate.__struct_fields__ if name != "id"}
    connection.execute(insert(incident_updates), [row | {"incident_id": number}])
