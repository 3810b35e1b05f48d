"""What is known of requested runs: their events, their results, and how far a request is."""

from collections.abc import Collection, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, or_, select

from runner.store.scheduling.requested_runs import RunRequest, explain_expiry, find_request
from runner.store.scheduling.schedulers import read_live_locations
from runner.store.scheduling.slots import SKEW
from runner.store.tables.requests import requested_runs, run_events


def read_events(connection: Connection, since: Mapping[str, int]) -> list[tuple[str, int, str]]:
    """The events of these runs, of each from a number on and in order: run, number, JSON."""
    if not since:
        return []
    parts = [and_(run_events.c.run_id == run, run_events.c.number >= number) for run, number in since.items()]
    wanted = select(run_events.c.run_id, run_events.c.number, run_events.c.data).where(or_(*parts))
    return [
        (run, number, data) for run, number, data in connection.execute(wanted.order_by(run_events.c.at, run_events.c.number))
    ]


def read_results(connection: Connection, runs: Collection[str]) -> dict[str, str]:
    """The results of those runs that have ended, as JSON, by the run's id."""
    wanted = select(requested_runs.c.id, requested_runs.c.result)
    wanted = wanted.where(requested_runs.c.id.in_(runs), requested_runs.c.result.is_not(None))
    return {run: str(result) for run, result in connection.execute(wanted)} if runs else {}


def find_request_as_of(connection: Connection, request: str, now: datetime) -> RunRequest | None:
    """A request by its id. Runs that no scheduler has begun in time have expired, also where no scheduler is there to record it.

    The clocks of machines may differ: until SKEW is over, a scheduler may still begin one.
    """
    found = find_request(connection, request)
    if found is None or found.deadline > now - SKEW or all(run.state != "waiting" for run in found.runs):
        return found
    live = read_live_locations(connection, now)
    runs = tuple(
        msgspec.structs.replace(run, state="expired", detail=explain_expiry(run.location, live), ended_at=found.deadline)
        if run.state == "waiting"
        else run
        for run in found.runs
    )
    return msgspec.structs.replace(found, runs=runs)
