"""`/sessions/ID/replay` and `/runs/ID/replay`: a recording played back; `/replays/chunks/ID`: a part of it.

Anybody can send a recording. It is shown in a frame that runs no scripts, on a page whose policy lets nothing
be loaded but the dashboard's own scripts and styles, and without what could load or run anything. So pictures and fonts that are
not in the recording itself, videos, canvases and frames of other sites are not shown.
"""

import gzip
import math
import zlib
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.web.pages.artifacts import INERT
from reports.web.pages.real_users.from_session import may_make_journey
from reports.web.pages.run import run_not_found
from reports.web.render.html import render_page
from reports.web.render.problem import render_problem
from reports.web.render.recording_policy import HEADERS, WITH_FORM
from reports.web.services.journey_maker import read_made
from reports.web.site import Site
from reports.web.view_models.replay import Replay, find_chunk_file, make_run_replay, read_session_replay
from reports.web.view_models.run import read_run_with_files

FAILURE = "failure"
"""In place of a time: the time at which the run failed; redirects there."""


class _Times(Struct):
    timestamp: float


class _ChunkTimes(Struct):
    events: list[_Times]


_decoder = msgspec.json.Decoder(_ChunkTimes)


def show_session_replay(site: Site, request: Request) -> Response:
    """The recording of a session."""
    identity = request.path_params["session"]
    with site.read(request) as connection:
        data = read_session_replay(connection, identity, request.scope.get("root_path", ""))
        made = read_made(connection, identity) if site.journey_maker else None
    if data is None:
        return render_problem(request, 404, f"Session {identity[:70]!r} is unknown.")
    may_make = may_make_journey(site, request) and not data.unplayable
    return _page(request, data, "Recordings", data.app or "Session", identity, None, may_make, made is not None)


def show_run_replay(site: Site, request: Request) -> Response:
    """The recording of a run, the last attempt's."""
    with site.read(request) as connection:
        stored = read_run_with_files(connection, site.archive, request.path_params["run"])
    if stored is None:
        return run_not_found(request)
    found, files = stored
    replays = [one for one in found.artifacts if one.kind == "replay" and one.there]
    newest = max((one.attempt for one in replays), default=0)
    kept = [one for one in replays if one.attempt == newest]
    root = request.scope.get("root_path", "")
    parts = [
        (f"{root}/artifacts/{one.id}", *times) for one in kept if (file := files.local(one.name)) and (times := _times(file))
    ]
    data = make_run_replay(found, parts)
    if data is None:
        text = 'This run has no recording, or it has been removed; `replay = "on"` keeps one of every run.'
        return render_problem(request, 404, text)
    if request.query_params.get("t") == FAILURE:
        failed = next((one.at for one in reversed(data.moments) if one.kind == "failure"), data.start)
        return RedirectResponse(f"?t={max(round(failed - data.start), 0)}", headers=HEADERS)
    return _page(request, data, "Recordings", found.row.journey, found.row.id, f"{root}/runs/{found.row.id}")


def send_chunk(site: Site, request: Request) -> Response:
    """A part of a recording, as it was received."""
    with site.read(request) as connection:
        file = find_chunk_file(connection, site.archive, request.path_params["number"])
    if file is None:
        return render_problem(request, 404, "This part of the recording does not exist or has been removed.")
    try:
        packed = file.read_bytes()
    except OSError:
        return render_problem(request, 404, "The file of this part has been deleted.")
    name = f"recording-{request.path_params['number']}.json.gz"
    # Sent as a gzip file, without Content-Encoding: the player unpacks only what it needs.
    return Response(
        packed, media_type="application/gzip", headers={**INERT, "Content-Disposition": f'attachment; filename="{name}"'}
    )


def _page(
    request: Request,
    data: Replay,
    section: str,
    name: str,
    identity: str,
    back: str | None,
    may_make: bool = False,
    made: bool = False,
) -> Response:
    manifest = {
        "start": data.start,
        "end": data.end,
        "tabs": [tab for tab in data.tabs if tab.parts],
        "gaps": data.gaps,
    }
    length = max(data.end - data.start, 1.0)
    answer = render_page(
        request,
        "replay.html",
        section=section,
        name=name,
        title=" ".join(part for part in (name, data.first_page) if part),
        began=datetime.fromtimestamp(data.start / 1000, UTC),
        identity=identity,
        back=back,
        may_make=may_make,
        made=made,
        data=data,
        manifest=msgspec.json.encode(manifest).decode(),
        length=length,
        marks=[(one, one.at - data.start) for one in data.moments],
        place=lambda at: round(min(max(at / length, 0.0), 1.0) * 1000, 1),
        shown=lambda at: f"{math.floor(max(at, 0) / 60_000)}:{math.floor(max(at, 0) / 1000) % 60:02}",
    )
    for header, value in {**HEADERS, **(WITH_FORM if may_make else {})}.items():
        answer.headers[header] = value
    return answer


def _times(file: Path) -> tuple[float, float] | None:
    """The start and end of the recording in a file, in milliseconds; None if it is empty or cannot be read."""
    try:
        events = _decoder.decode(gzip.decompress(file.read_bytes())).events
    except (OSError, EOFError, zlib.error, msgspec.DecodeError):
        return None
    times = [event.timestamp for event in events]
    return (min(times), max(times)) if times else None
