"""Takes requests for runs, for the API and for the pages: what may be asked for, and where it is made by default."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from hashlib import sha256
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection

from reports.web.query.refusal import RequestRefused
from reports.web.query.time_range import BadRequest
from reports.web.services.next_runs import JourneyFacts
from runner.archive.run_id import run_id
from runner.settings.parsers.addresses.base_urls import is_allowed_base_url
from runner.settings.parsers.values import parse_label, parse_release
from runner.store import Store
from runner.store.scheduling.requested_runs import KeyReused, NewRequest, RunRequest, WantedRun
from runner.store.scheduling.schedulers import read_live_locations

MOST_RUNS = 50
"""Runs of one request."""
MOST_OPEN = 200
"""Runs that one user, or the token, has asked for and that have not ended."""
KEY = re.compile(r"[!-~]{1,255}")
NO_SCHEDULER = (
    "No scheduler has given a sign of life within the last minute, so nobody would make the run; "
    "start `journey schedule` with the same database"
)
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Meta(max_length=2_000, pattern=r"^[^\x00]*$")]


class RunsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The runs that are asked for: of each journey, one at each location."""

    journeys: Annotated[tuple[Name, ...], Meta(max_length=MOST_RUNS)] = ()
    """A name that is listed again is run again; none for all of the server's journeys, or those with the tags."""
    tags: Annotated[tuple[Name, ...], Meta(max_length=MOST_RUNS)] = ()
    locations: Annotated[tuple[Name, ...], Meta(max_length=MOST_RUNS)] = ()
    """By default that of the server, or of the only scheduler."""
    base_url: Annotated[str, Meta(max_length=2_000)] | None = None
    """In place of the journeys' own; the setting remote_base_urls has to allow it."""
    params: Annotated[dict[Name, Text], Meta(max_length=MOST_RUNS)] = {}
    release: Annotated[str, Meta(max_length=100)] = ""
    reason: Literal["demand", "smoke"] = "demand"
    within_seconds: Annotated[float, Meta(ge=10, le=3_600)] = 300.0
    """A run that no scheduler has begun by then expires."""


class RunSite(Protocol):
    """What is known where the request comes in."""

    @property
    def store(self) -> Store: ...
    @property
    def declared(self) -> Callable[[], frozenset[str] | None]: ...
    @property
    def wait_for_declared(self) -> Callable[[], None]: ...
    @property
    def facts(self) -> Callable[[], Mapping[str, JourneyFacts]]: ...
    @property
    def location(self) -> str: ...
    @property
    def remote_base_urls(self) -> tuple[str, ...]: ...
    @property
    def now(self) -> Callable[[], datetime]: ...


def request_runs(site: RunSite, wanted: RunsWanted, who: str, key: str = "") -> RunRequest:
    """Stores a request; the same one again for a key that has come before. Raises BadRequest, RequestRefused, StoreDown."""
    digest = sha256(msgspec.json.encode(wanted, order="deterministic")).hexdigest()
    requests, now = site.store.requested_runs, site.now()
    try:
        known = requests.find(who, key, digest) if key else None
        if known is not None:
            return known
        site.wait_for_declared()
        journeys = _journeys(site, wanted)
        _check(site, wanted)
        with site.store.snapshot() as connection:
            locations = _locations(site, connection, wanted)
        runs = tuple(WantedRun(run_id(), name, place) for name in journeys for place in locations)
        if len(runs) > MOST_RUNS:
            raise BadRequest(f"journeys: {len(runs)} runs are asked for; at most {MOST_RUNS} are allowed in a request")
        if requests.count_waiting(who) + len(runs) > MOST_OPEN:
            raise RequestRefused(
                429, "Too many runs", f"More than {MOST_OPEN} runs would wait or be under way; wait until some have ended."
            )
        request = NewRequest(
            id=run_id(),
            who=who,
            reason=wanted.reason,
            runs=runs,
            deadline=now + timedelta(seconds=wanted.within_seconds),
            params=wanted.params,
            base_url=wanted.base_url,
            release=wanted.release,
        )
        return requests.add(request, now, key, digest)
    except KeyReused as error:
        raise RequestRefused(409, "Key used before", f"{str(error)[:1].upper()}{str(error)[1:]}.") from error


def parse_key(header: str) -> str:
    """The value of the header Idempotency-Key, with or without the quotes of the IETF's draft. Raises BadRequest."""
    key = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
    if header and not KEY.fullmatch(key):
        raise BadRequest("idempotency_key: write 1 to 255 printable characters of ASCII without spaces")
    return key


def _journeys(site: RunSite, wanted: RunsWanted) -> tuple[str, ...]:
    declared, facts = site.declared(), site.facts()
    if wanted.journeys and wanted.tags:
        raise BadRequest("tags: name either journeys or tags")
    if wanted.journeys:
        for name in wanted.journeys:
            if declared is not None and name not in declared:
                close = get_close_matches(name, declared, 1)
                raise BadRequest(
                    f"journeys: there is no journey named {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")
                )
        return wanted.journeys
    if declared is None:
        raise BadRequest("journeys: name them; this server does not know which there are")
    found = tuple(
        name for name in sorted(declared) if not wanted.tags or (name in facts and set(wanted.tags) & set(facts[name].tags))
    )
    if not found:
        raise BadRequest(f"tags: no journey has one of the tags {', '.join(wanted.tags)}")
    return found


def _check(site: RunSite, wanted: RunsWanted) -> None:
    if wanted.base_url is not None and not is_allowed_base_url(wanted.base_url, site.remote_base_urls):
        raise BadRequest(
            f"base_url: {wanted.base_url[:200]!r} is not allowed; add its origin to the setting remote_base_urls of the server"
        )
    try:
        parse_release(wanted.release)
    except ValueError as error:
        raise BadRequest(f"release: {error}") from error
    for place in wanted.locations:
        try:
            parse_label(place)
        except ValueError as error:
            raise BadRequest(f"locations: {error}") from error


def _locations(site: RunSite, connection: Connection, wanted: RunsWanted) -> tuple[str, ...]:
    live = read_live_locations(connection, site.now())
    if not live:
        raise RequestRefused(503, "No scheduler", NO_SCHEDULER)
    if wanted.locations:
        return tuple(dict.fromkeys(wanted.locations))
    if site.location in live:
        return (site.location,)
    if len(live) == 1:
        return tuple(live)
    raise BadRequest(f"locations: name some; there are schedulers at {', '.join(sorted(live))}")
