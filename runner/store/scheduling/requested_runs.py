"""Runs that somebody has asked for: what is asked for, and how far each is."""

from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal
from uuid import NAMESPACE_OID, uuid5

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from runner.errors import JourneyError
from runner.store.tables.requests import requested_runs, run_requests

Reason = Literal["demand", "confirm", "smoke"]
"""Somebody wants to know; a failure is to be confirmed; a smoke check needs it."""
State = Literal["waiting", "claimed", "done", "expired", "refused", "cancelled", "lost"]
"""`waiting` until a scheduler has `claimed` it, then `done` when its result is stored. No scheduler began an `expired` run in time; one
has `refused` it, for the reason in `detail`; who asked for it has `cancelled` it. The scheduler of a `lost` one is gone, and no other has
taken it over: that is never stored, as one that starts may still do so."""
UNDECIDED: tuple[State, ...] = ("waiting", "claimed")
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
    events: int = 0
    """How many of its events are stored."""


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


def explain_expiry(location: str, live: Collection[str]) -> str:
    """Why a run has expired at a location, if there are schedulers at these."""
    if location not in live:
        return f"no scheduler for location {location}"
    return f"no scheduler of the location {location} has begun it in time: all its workers were busy"
