"""What is known of requested runs: their events, their results, and how far a request is."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import Connection, and_, func, or_, select

from runner.store.engines.contact import reachable_since
from runner.store.scheduling.requested_runs import RunRequest, explain_expiry, find_request
from runner.store.scheduling.schedulers import LOST_AFTER, read_live_locations
from runner.store.scheduling.slots import SKEW
from runner.store.tables.requests import requested_runs, run_events
from runner.store.tables.runs import schedulers

LOST = (
    "the scheduler that had begun the run is gone, and no other has taken it over; start a scheduler to have its end recorded"
)


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
    """A request by its id, also where no scheduler is there to record what has happened to its runs.

    Runs that no scheduler has begun in time have expired. The clocks of machines may differ: until SKEW is over, a scheduler may still begin
    one. Runs whose scheduler is gone, and that no other has taken over within LOST_AFTER, are lost: the time in which the database was away
    does not count.
    """
    found = find_request(connection, request)
    if found is None or found.ended:
        return found
    overdue = found.deadline <= now - SKEW and any(run.state == "waiting" for run in found.runs)
    live = read_live_locations(connection, now) if overdue else set()
    silent_since = _find_silent(connection, found, now) if any(run.state == "claimed" for run in found.runs) else {}
    runs = []
    for run in found.runs:
        changed = run
        if run.state == "waiting" and overdue:
            changed = replace(run, state="expired", detail=explain_expiry(run.location, live), ended_at=found.deadline)
        elif run.id in silent_since:
            changed = replace(run, state="lost", detail=LOST, ended_at=silent_since[run.id] + LOST_AFTER)
        runs.append(changed)
    return replace(found, runs=tuple(runs))


def _find_silent(connection: Connection, request: RunRequest, now: datetime) -> dict[str, datetime]:
    """The claimed runs of a request whose scheduler is lost, with its last sign of life."""
    known = select(requested_runs.c.id, requested_runs.c.claimed_at, schedulers.c.seen_at).select_from(
        requested_runs.outerjoin(schedulers, schedulers.c.id == requested_runs.c.owner)
    )
    claimed = requested_runs.c.request_id == request.id, requested_runs.c.state == "claimed"
    found = connection.execute(known.where(*claimed)).all()
    # A scheduler that is no longer registered was found dead by another, which is about to take its runs over, unless it has died as well.
    newest = connection.execute(select(func.max(schedulers.c.seen_at))).scalar_one()
    heard = {run: seen_at or max(claimed_at, newest or claimed_at) for run, claimed_at, seen_at in found}
    silent = {run: at for run, at in heard.items() if at <= now - LOST_AFTER}
    since = reachable_since(connection, now) if silent else None
    return silent if since is None or since <= now - LOST_AFTER else {}
