"""What the API can change: the table of its writing addresses. Users need the role `operate`, as for the dashboard's forms."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec
from msgspec import Struct

from reports.source_maps.map_store import LONGEST_SCRIPT, MapAbout, MapRejected, MapStore
from reports.source_maps.uploads import PIECES, MapUploads
from reports.web.api.parameter import Parameter
from reports.web.query.time_range import BadRequest
from reports.web.services.error_decisions import decide_error
from reports.web.services.run_requests import RunsWanted, parse_key, request_runs
from reports.web.site import Site
from reports.web.view_models.requested_runs import RequestData, describe_request, read_request
from runner.store.alerts.mutes import LONGEST_NOTE
from runner.store.error_states import Decision


class ChangeRequest(Struct, frozen=True):
    """What is to be changed: of which site, with which values in the path and the parameters, by whom."""

    site: Site
    values: Mapping[str, Any]
    body: bytes
    who: str
    headers: Mapping[str, str] = {}

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


class Change(Struct, frozen=True, kw_only=True):
    """One address and method; `apply` gives None for what is not there (404)."""

    method: str
    path: str
    apply: Callable[[ChangeRequest], Struct | None]
    parameters: tuple[Parameter, ...]
    struct: type[Struct]
    summary: str
    body: str = ""
    """Its media type; empty if it has none."""
    body_struct: type[Struct] | None = None
    """Of a body in JSON."""
    headers: Mapping[str, str] = {}
    """Headers that it takes, and what they mean."""
    status: int = 200


class Decided(Struct, frozen=True, kw_only=True):
    """The decision that holds now."""

    error: str
    state: Decision


class Uploaded(Struct, frozen=True, kw_only=True):
    """What has happened to an upload."""

    complete: bool
    """Whether all pieces have come."""
    stored: bool
    """Whether the map is new; False for one that was kept already."""


class Removed(Struct, frozen=True, kw_only=True):
    """How many maps were removed."""

    maps: int


def _decide(asked: ChangeRequest) -> Decided | None:
    if not asked["state"]:
        raise BadRequest(f"state: is missing; choose one of {', '.join(get_args(Decision))}")
    note = asked["note"] or ""
    if not decide_error(asked.site.store, asked["error"], asked["state"], asked.who, note, asked.site.now()):
        return None
    return Decided(error=asked["error"], state=asked["state"])


def _upload(asked: ChangeRequest) -> Uploaded:
    about = MapAbout(
        release=_needed(asked, "release"),
        script=_needed(asked, "script"),
        app=asked["app"] or "",
        debug_id=asked["debug_id"] or "",
    )
    try:
        pieces = MapUploads(_maps(asked))
        stored = pieces.add(about, _needed(asked, "checksum"), asked["piece"], asked["pieces"], asked.body, asked.who)
    except MapRejected as error:
        raise BadRequest(f"{about.script[:LONGEST_SCRIPT]}: {error}") from error
    return Uploaded(complete=stored is not None, stored=bool(stored))


def _remove(asked: ChangeRequest) -> Removed:
    return Removed(maps=_maps(asked).remove(_needed(asked, "release"), asked["app"]))


def _request_runs(asked: ChangeRequest) -> RequestData:
    try:
        wanted = msgspec.json.decode(asked.body, type=RunsWanted)
    except msgspec.ValidationError as error:
        raise BadRequest(f"body: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest("body: is not JSON in UTF-8") from error
    key = parse_key(asked.headers.get("idempotency-key", ""))
    return describe_request(request_runs(asked.site, wanted, asked.who, key))


def _cancel_runs(asked: ChangeRequest) -> RequestData | None:
    site = asked.site
    site.store.requested_runs.cancel(asked["request"], site.now())
    with site.store.snapshot() as connection:
        return read_request(connection, asked["request"], site.now())


def _maps(asked: ChangeRequest) -> MapStore:
    if asked.site.maps is None:
        raise BadRequest("This server keeps no source maps.")
    return asked.site.maps


def _needed(asked: ChangeRequest, name: str) -> str:
    value: str = asked[name] or ""
    if not value:
        raise BadRequest(f"{name}: is missing")
    return value


RELEASE = Parameter(name="release", means="The release, as the site's pages report it.")
APP = Parameter(name="app", means="The app; any app by default.")
PIECE = Parameter(name="piece", means="The number of this piece, from 0.", numbers=(0, PIECES - 1), fallback=0)
ALL_PIECES = Parameter(name="pieces", means="How many pieces the map has.", numbers=(1, PIECES), fallback=1)
CHANGES = (
    Change(
        method="post",
        path="/runs",
        apply=_request_runs,
        parameters=(),
        struct=RequestData,
        summary="Ask a scheduler for runs; they are followed at /runs/requests/ID and its events",
        body="application/json",
        body_struct=RunsWanted,
        headers={"Idempotency-Key": "A text of your own: a request that is sent again with it is made once."},
        status=202,
    ),
    Change(
        method="post",
        path="/runs/requests/{request}/cancel",
        apply=_cancel_runs,
        parameters=(),
        struct=RequestData,
        summary="Cancel the runs of a request that have not begun",
    ),
    Change(
        method="post",
        path="/errors/{error}/state",
        apply=_decide,
        parameters=(
            Parameter(name="state", means="What is decided; open takes a decision back.", choices=get_args(Decision)),
            Parameter(name="note", means=f"What was done, in at most {LONGEST_NOTE} characters."),
        ),
        struct=Decided,
        summary="Decide about an error of real users: resolved, until it comes again in a later release, or ignored",
    ),
    Change(
        method="post",
        path="/source-maps",
        apply=_upload,
        parameters=(
            RELEASE,
            APP,
            Parameter(name="script", means="The path of the script that the map explains, such as assets/app.js."),
            Parameter(name="debug_id", means="The script's debug id (ECMA-426), if the map does not contain it."),
            Parameter(name="checksum", means="SHA-256 of the map before it was compressed.", pattern="^[0-9a-f]{64}$"),
            PIECE,
            ALL_PIECES,
        ),
        struct=Uploaded,
        summary="Upload a source map, compressed with gzip, in pieces of at most 1 MiB; `journey sourcemaps upload` does it",
        body="application/octet-stream",
    ),
    Change(
        method="delete",
        path="/source-maps",
        apply=_remove,
        parameters=(RELEASE, APP),
        struct=Removed,
        summary="Remove the source maps of a release; errors that they have explained stay explained",
    ),
)
