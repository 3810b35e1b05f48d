"""`/sessions/ID/replay` and `/runs/ID/replay`: what was on the screen, played back; `/replays/chunks/ID`: a part of it.

A recording is written by whoever could send one. It is shown in a frame that runs no scripts, on a page whose policy lets nothing
be loaded but the dashboard's own scripts and styles, and without what could load or run anything. So pictures and fonts that are
not in the recording itself, videos, canvases and frames of other sites are not shown.
"""

import gzip
import math
import zlib
from pathlib import Path

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.web.pages.artifacts import INERT
from reports.web.pages.from_session import may_make_journey
from reports.web.pages.run import run_not_found
from reports.web.render.html import render_page
from reports.web.render.problem import render_problem
from reports.web.site import Site
from reports.web.view_models.replay import Replay, find_chunk_file, make_run_replay, read_session_replay
from reports.web.view_models.run import file_inside, read_run_with_folder

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; frame-src 'none'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""The frame with the recording inherits it. Styles are the recording's own and may stand in it, but can load nothing."""
WITH_FORM = {
    "Content-Security-Policy": POLICY.replace("form-action 'none'", "form-action 'self'"),
    # Without one a browser does not say where a form comes from (Fetch, "append a request `Origin` header").
    "Referrer-Policy": "same-origin",
}
"""For who may make a journey of it. In the frame no form can be sent: its sandbox allows none."""
FAILURE = "failure"
"""In place of a moment: the one at which the run had failed; the answer leads to it."""
HEADERS = {"Content-Security-Policy": POLICY, "X-DNS-Prefetch-Control": "off", "Referrer-Policy": "no-referrer"}


class _Times(Struct):
    timestamp: float


class _Events(Struct):
    events: list[_Times]


_decoder = msgspec.json.Decoder(_Events)


def show_session_replay(site: Site, request: Request) -> Response:
    """The recording of a session."""
    identity = request.path_params["session"]
    with site.store.snapshot() as connection:
        data = read_session_replay(connection, identity, request.scope.get("root_path", ""))
    if data is None:
        return render_problem(request, 404, f"Nothing is known of a session {identity[:70]!r}.")
    may_make = may_make_journey(site, request) and not data.unplayable
    made = site.journey_maker.made(identity) if site.journey_maker else None
    return _page(request, data, "Recordings", "Session", identity, None, may_make, made is not None)


def show_run_replay(site: Site, request: Request) -> Response:
    """The recording of a run, the last attempt's."""
    with site.store.snapshot() as connection:
        stored = read_run_with_folder(connection, site.archive, request.path_params["run"])
    if stored is None:
        return run_not_found(request)
    found, folder = stored
    kept = [one for one in found.artifacts if one.kind == "replay" and one.there and one.attempt == found.row.attempts]
    root = request.scope.get("root_path", "")
    parts = [
        (f"{root}/artifacts/{one.id}", *times)
        for one in kept
        if folder and (file := file_inside(folder, one.name)) and (times := _times(file))
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
    """A part of a recording, as it came."""
    with site.store.snapshot() as connection:
        file = find_chunk_file(connection, site.archive, request.path_params["number"])
    if file is None:
        return render_problem(request, 404, "There is no such part, or it has been removed.")
    try:
        packed = file.read_bytes()
    except OSError:
        return render_problem(request, 404, "The file of this part has gone.")
    # As a file that is packed, and not as a packed answer: the browser is not to unpack more than the player asks it to.
    return Response(packed, media_type="application/gzip", headers={**INERT, "Content-Disposition": "attachment"})


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
    """When the recording in a file begins and ends, in milliseconds; None for one that is empty or cannot be read."""
    try:
        events = _decoder.decode(gzip.decompress(file.read_bytes())).events
    except (OSError, EOFError, zlib.error, msgspec.DecodeError):
        return None
    times = [event.timestamp for event in events]
    return (min(times), max(times)) if times else None
