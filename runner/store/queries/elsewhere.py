"""Runs of a journey at other places: of the same slot, and those that were asked for to confirm a failure."""

from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, select

from runner.store.queries.runs import RunRow, read_run_rows
from runner.store.rollups import journeys
from runner.store.scheduling.requested_runs import confirmation_id
from runner.store.tables.requests import requested_runs, run_requests
from runner.store.tables.runs import runs

LATEST = timedelta(hours=1)
"""After a slot, within which its runs have begun, at any place."""


class ConfirmingRun(Struct, frozen=True, kw_only=True):
    """A second run after a failure, or what has become of the request for one."""

    id: str
    location: str
    state: str
    """`waiting`, `claimed`, `done`, or why there is no result: `expired`, `refused`, `cancelled`."""
    status: str | None
    detail: str = ""


class Elsewhere(Struct, frozen=True, kw_only=True):
    """What is known of a run from other places."""

    same_slot: tuple[RunRow, ...]
    confirmed_by: ConfirmingRun | None
    """The run that was asked for because this one failed."""
    confirms: RunRow | None
    """The failed run because of which this one was asked for."""


def read_elsewhere(connection: Connection, run: str) -> Elsewhere:
    """What is known of a stored run from other places. At most five looks into indices."""
    row = connection.execute(select(runs.c.journey, runs.c.location, runs.c.slot_at).where(runs.c.id == run)).one()
    about = connection.execute(select(run_requests.c.about_run).join(requested_runs).where(requested_runs.c.id == run)).scalar()
    return Elsewhere(
        same_slot=tuple(_of_slot(connection, row.journey, row.location, row.slot_at)) if row.slot_at else (),
        confirmed_by=_read_confirming(connection, run),
        confirms=next(iter(read_run_rows(connection, runs.c.id == about)), None) if about else None,
    )


def newest_by_place(connection: Connection, journey: str) -> dict[str, RunRow | None]:
    """The newest run of a journey at each of the places where it was ever run."""
    columns = [runs.c[name] for name in RunRow.__struct_fields__]
    wanted = (
        select(journeys.c.location.label("place"), *columns)
        .outerjoin(runs, runs.c.id == journeys.c.newest_run)
        .where(journeys.c.journey == journey)
    )
    rows = [dict(row) for row in connection.execute(wanted).mappings()]
    return {row.pop("place"): RunRow(**row) if row["id"] else None for row in rows}


def _of_slot(connection: Connection, journey: str, location: str, slot: datetime) -> list[RunRow]:
    near = runs.c.started_at.between(slot - LATEST, slot + LATEST)
    same = (runs.c.journey == journey) & near & (runs.c.slot_at == slot) & (runs.c.location != location)
    return sorted(read_run_rows(connection, same, 50), key=lambda one: one.location)


def _read_confirming(connection: Connection, run: str) -> ConfirmingRun | None:
    columns = [requested_runs.c[name] for name in ConfirmingRun.__struct_fields__]
    wanted = select(*columns).where(requested_runs.c.request_id == confirmation_id(run))
    found = connection.execute(wanted).mappings().first()
    return ConfirmingRun(**found) if found else None
