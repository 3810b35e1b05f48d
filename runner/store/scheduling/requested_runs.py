"""Runs that somebody has asked for: each is made once, by whichever scheduler of its location claims it first."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import NAMESPACE_OID, uuid5

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from runner.codec import encode
from runner.errors import JourneyError
from runner.result import RunResult
from runner.store.scheduling.schedulers import read_live_locations
from runner.store.tables.requests import requested_runs, run_events, run_requests
from runner.store.tables.runs import schedulers
from runner.store.transaction import Transaction

Reason = Literal["demand", "confirm", "smoke"]
"""Somebody wants to know; a failure is to be confirmed; a smoke check needs it."""
State = Literal["waiting", "claimed", "done", "expired", "refused", "cancelled", "lost"]
"""`waiting` until a scheduler has `claimed` it, then `done` when its result is stored. No scheduler began an `expired` run in time; one
has `refused` it, for the reason in `detail`; who asked for it has `cancelled` it. The scheduler of a `lost` one is gone, and no other has
taken it over: that is never stored, as one that starts may still do so."""
UNDECIDED: tuple[State, ...] = ("waiting", "claimed")
MOST_WAITING = 200
"""Waiting runs that are read at a time."""
MOST_EVENTS = 500
"""Events of a run that are kept; its end is known all the same."""


def confirmation_id(run: str) -> str:
    """The id of the request that asks for the confirmation of a run: one request for each, whoever makes it."""
    return str(uuid5(NAMESPACE_OID, f"confirm {run}"))


class KeyReused(JourneyError):
    """The idempotency key came with another request before."""

    exit_code = 2


class WantedRun(Struct, frozen=True):
    """A journey to be run at a location; `id` is the run's."""

    id: str
    journey: str
    location: str


class NewRequest(Struct, frozen=True, kw_only=True):
    """What is asked for; `id` is as that of a run."""

    id: str
    who: str
    """Empty if nobody had to sign in, and for the monitor itself."""
    reason: Reason
    runs: tuple[WantedRun, ...]
    deadline: datetime
    """A run that no scheduler has begun by then expires."""
    params: dict[str, str] = {}
    """In addition to those of the settings, over which they win."""
    base_url: str | None = None
    """In place of the journeys' own."""
    release: str = ""
    about_run: str | None = None
    """The run whose failure is to be confirmed."""

    @property
    def digest(self) -> str:
        """A text that two requests share only if they ask for the same, whenever they come."""
        runs = tuple(msgspec.structs.replace(run, id="") for run in self.runs)
        fixed = msgspec.structs.replace(self, id="", runs=runs, deadline=datetime.min.replace(tzinfo=UTC))
        return sha256(msgspec.json.encode(fixed, order="deterministic")).hexdigest()


class RequestedRun(Struct, frozen=True, kw_only=True):
    """A run that was asked for; `id` is known from the start."""

    id: str
    journey: str
    location: str
    state: State
    detail: str = ""
    """Why it was not made, for one that was not."""
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
    status: str | None = None
    """That of its result."""


class RunRequest(Struct, frozen=True, kw_only=True):
    """A request, and how far its runs are."""

    id: str
    who: str
    reason: Reason
    made_at: datetime
    deadline: datetime
    params: dict[str, str]
    base_url: str | None
    release: str
    about_run: str | None
    runs: tuple[RequestedRun, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return all(one.state not in UNDECIDED for one in self.runs)


class WaitingRun(Struct, frozen=True, kw_only=True):
    """A run that a scheduler may claim, with all that it needs to know to make it."""

    id: str
    journey: str
    location: str
    reason: Reason
    made_at: datetime
    params: dict[str, str]
    base_url: str | None
    release: str


class OrphanedRun(Struct, frozen=True):
    """A claimed run whose scheduler is gone."""

    id: str
    journey: str
    location: str
    reason: Reason
    claimed_at: datetime


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
                    found.append(OrphanedRun(*row))
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


def find_request(connection: Connection, request: str) -> RunRequest | None:
    """A request by its id, as it is stored."""
    names = [name for name in RunRequest.__struct_fields__ if name != "runs"]
    wanted = select(*(run_requests.c[name] for name in names)).where(run_requests.c.id == request)
    row = connection.execute(wanted).mappings().one_or_none()
    if row is None:
        return None
    columns = [requested_runs.c[name] for name in RequestedRun.__struct_fields__]
    of_it = select(*columns).where(requested_runs.c.request_id == request).order_by(requested_runs.c.number)
    return RunRequest(**row, runs=tuple(RequestedRun(**one) for one in connection.execute(of_it).mappings()))


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


def explain_expiry(location: str, live: Collection[str]) -> str:
    """Why a run has expired at a location, if there are schedulers at these."""
    if location not in live:
        return f"no scheduler for location {location}"
    return f"no scheduler of the location {location} has begun it in time: all its workers were busy"


def _read(connection: Connection, request: str) -> RunRequest:
    found = find_request(connection, request)
    if found is None:
        raise LookupError(f"request {request} is gone")
    return found
