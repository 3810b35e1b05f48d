"""The tables of requested runs: each is made once, by whichever scheduler of its location claims it first."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from runner.codec import encode
from runner.result import RunResult
from runner.store.scheduling.requested_runs import (
    MOST_EVENTS,
    UNDECIDED,
    KeyReused,
    NewRequest,
    OrphanedRun,
    RunRequest,
    State,
    WaitingRun,
    explain_expiry,
    find_request,
)
from runner.store.scheduling.schedulers import read_live_locations
from runner.store.tables.requests import requested_runs, run_events, run_requests
from runner.store.tables.runs import schedulers
from runner.store.transaction import Transaction

MOST_WAITING = 200
"""Waiting runs that are read at a time."""


class RequestedRuns:
    """The tables of requested runs. Every method is one transaction and raises StoreDown when the database cannot be used."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def find(self, who: str, key: str, digest: str) -> RunRequest | None:
        """The request of a user that came with this key before. Raises KeyReused if it asked for something else."""
        with self._transaction() as connection:
            return _find_same(connection, _hash_key(who, key), digest)

    def add(self, request: NewRequest, now: datetime, key: str = "", digest: str = "") -> RunRequest:
        """Stores a request; returns it, or the one that came with the same `key` before.

        Keys of one user are not those of another. Two requests are the same if their `digest` is, by default that of all that they ask
        for. Raises KeyReused if the one before asked for something else.
        """
        digest = digest or request.digest
        hashed = _hash_key(request.who, key) if key else sha256(request.id.encode()).hexdigest()
        names = [name for name in NewRequest.__struct_fields__ if name != "runs"]
        row = {name: getattr(request, name) for name in names}
        row |= {"made_at": now, "idempotency_key": hashed, "body_digest": digest}
        runs = [
            {"request_id": request.id, "number": number, "state": "waiting", **msgspec.structs.asdict(one)}
            for number, one in enumerate(request.runs)
        ]
        try:
            with self._transaction() as connection:
                connection.execute(insert(run_requests), [row])
                connection.execute(insert(requested_runs), runs)
                return _read(connection, request.id)
        except IntegrityError:
            with self._transaction() as connection:
                known = _find_same(connection, hashed, digest)
            if known is None:
                raise
            return known

    def waiting(self, locations: Sequence[str]) -> list[WaitingRun]:
        """The runs at these locations that no scheduler has claimed, oldest first."""
        columns = [requested_runs.c.id, requested_runs.c.journey, requested_runs.c.location]
        columns += [run_requests.c[name] for name in ("reason", "made_at", "params", "base_url", "release")]
        wanted = (
            select(*columns)
            .join(run_requests)
            .where(requested_runs.c.state == "waiting", requested_runs.c.location.in_(locations))
            .order_by(run_requests.c.made_at, requested_runs.c.id)
            .limit(MOST_WAITING)
        )
        with self._transaction() as connection:
            return [WaitingRun(**row) for row in connection.execute(wanted).mappings()]

    def claim(self, run: str, owner: str, now: datetime) -> bool:
        """Claims a run for the scheduler `owner`; False if another has it, or it is not wanted any more."""
        # One statement, so that only one of two schedulers gets the run.
        wanted = (
            update(requested_runs)
            .where(
                requested_runs.c.id == run,
                requested_runs.c.state == "waiting",
                exists().where(run_requests.c.id == requested_runs.c.request_id, run_requests.c.deadline > now),
            )
            .values(state="claimed", owner=owner, claimed_at=now)
        )
        with self._transaction() as connection:
            return connection.execute(wanted).rowcount == 1

    def release(self, run: str, owner: str) -> None:
        """Gives back a claimed run that was not begun."""
        mine = requested_runs.c.id == run, requested_runs.c.owner == owner, requested_runs.c.state == "claimed"
        with self._transaction() as connection:
            connection.execute(update(requested_runs).where(*mine).values(state="waiting", owner=None, claimed_at=None))

    def close(self, run: str, state: State, detail: str, now: datetime) -> bool:
        """Ends a run that has no result; False if it had ended before."""
        with self._transaction() as connection:
            wanted = requested_runs.c.id == run, requested_runs.c.state.in_(UNDECIDED)
            ended = update(requested_runs).where(*wanted).values(state=state, detail=detail, ended_at=now)
            return connection.execute(ended).rowcount == 1

    def cancel(self, request: str, now: datetime) -> int:
        """Cancels the runs of a request that have not begun; how many these were."""
        with self._transaction() as connection:
            wanted = requested_runs.c.request_id == request, requested_runs.c.state == "waiting"
            ended = update(requested_runs).where(*wanted).values(state="cancelled", detail="cancelled", ended_at=now)
            return connection.execute(ended).rowcount

    def expire(self, now: datetime) -> int:
        """Ends the waiting runs whose deadline has passed, and says why none was begun; how many these were."""
        overdue = (
            select(requested_runs.c.id, requested_runs.c.location)
            .join(run_requests)
            .where(requested_runs.c.state == "waiting", run_requests.c.deadline <= now)
        )
        with self._transaction() as connection:
            found = connection.execute(overdue).all()
            live = read_live_locations(connection, now) if found else set()
            for run, location in found:
                detail = explain_expiry(location, live)
                still = requested_runs.c.id == run, requested_runs.c.state == "waiting"
                connection.execute(update(requested_runs).where(*still).values(state="expired", detail=detail, ended_at=now))
            return len(found)

    def adopt_orphans(self, owner: str) -> list[OrphanedRun]:
        """Makes `owner` the owner of the claimed runs whose scheduler is no longer registered, and returns them."""
        alive = select(schedulers.c.id)
        lost = requested_runs.c.state == "claimed", requested_runs.c.owner.not_in(alive)
        columns = (requested_runs.c.id, requested_runs.c.journey, requested_runs.c.location, run_requests.c.reason)
        wanted = select(*columns, requested_runs.c.claimed_at).join(run_requests).where(*lost)
        found = []
        with self._transaction() as connection:
            for row in connection.execute(wanted).all():
                mine = update(requested_runs).where(requested_runs.c.id == row.id, *lost).values(owner=owner)
                if connection.execute(mine).rowcount:
                    known = select(func.count()).select_from(run_events).where(run_events.c.run_id == row.id)
                    found.append(OrphanedRun(*row, connection.execute(known).scalar_one()))
        return found

    def read(self, request: str) -> RunRequest | None:
        """A request by its id."""
        with self._transaction() as connection:
            return find_request(connection, request)

    def add_events(self, events: Iterable[tuple[str, int, datetime, str]]) -> None:
        """Stores events: of which run, its number from 0, when, and the event as JSON."""
        rows = [
            {"run_id": run, "number": number, "at": at, "data": data}
            for run, number, at, data in events
            if number < MOST_EVENTS
        ]
        if rows:
            with self._transaction() as connection:
                connection.execute(insert(run_events), rows)

    def count_waiting(self, who: str) -> int:
        """How many runs that a user has asked for have not ended."""
        wanted = (
            select(func.count())
            .select_from(requested_runs.join(run_requests))
            .where(requested_runs.c.state.in_(UNDECIDED), run_requests.c.who == who)
        )
        with self._transaction() as connection:
            return connection.execute(wanted).scalar_one()

    def prune(self, before: datetime, events_before: datetime) -> int:
        """Removes requests from before a time, and from before another one their events; how many requests these were."""
        with self._transaction() as connection:
            old = select(requested_runs.c.id).join(run_requests).where(run_requests.c.made_at < events_before)
            connection.execute(delete(run_events).where(run_events.c.run_id.in_(old)))
            requests = select(run_requests.c.id).where(run_requests.c.made_at < before)
            connection.execute(delete(requested_runs).where(requested_runs.c.request_id.in_(requests)))
            return connection.execute(delete(run_requests).where(run_requests.c.made_at < before)).rowcount


def close_with_result(connection: Connection, result: RunResult, now: datetime) -> None:
    """Closes the requested run of this result; without one, nothing happens."""
    values: dict[str, Any] = {"state": "done", "status": result.status, "ended_at": now}
    values["result"] = encode(result).decode()
    connection.execute(update(requested_runs).where(requested_runs.c.id == result.id).values(values))


def _hash_key(who: str, key: str) -> str:
    return sha256(f"{who}\0{key}".encode()).hexdigest()


def _find_same(connection: Connection, hashed: str, digest: str) -> RunRequest | None:
    same = select(run_requests.c.id, run_requests.c.body_digest).where(run_requests.c.idempotency_key == hashed)
    row = connection.execute(same).one_or_none()
    if row is None:
        return None
    if row.body_digest != digest:
        raise KeyReused("the idempotency key came with another request before; a new request needs a new key")
    return _read(connection, row.id)


def _read(connection: Connection, request: str) -> RunRequest:
    found = find_request(connection, request)
    if found is None:
        raise LookupError(f"request {request} is gone")
    return found
