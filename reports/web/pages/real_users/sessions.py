"""`/sessions`: sessions of real users; `/sessions/ID`: one, with its page views over time."""

from datetime import datetime
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.real_users.users import metric_names, show_empty
from reports.web.query.page_view_filter import parse_selection
from reports.web.query.time_range import BadRequest
from reports.web.render.html import render_page
from reports.web.render.problem import render_problem
from reports.web.site import Site
from reports.web.view_models.real_users.sessions import SessionData, read_session_list, read_session_with_recording
from runner.settings.duration import parse_duration

WIDTH = 900
"""Of the time axis, in units of the drawing."""
ROW = 22
SHORTEST = 3.0
"""Width of a bar, so that it can be seen."""


class SessionTick(Struct, frozen=True):
    """Something that happened, at `x`."""

    x: float
    kind: str
    title: str


class SessionBar(Struct, frozen=True):
    """A page view on the time axis."""

    x: float
    y: float
    width: float
    ticks: tuple[SessionTick, ...]


class Timeline(Struct, frozen=True):
    """The page views of a session, one below the other."""

    bars: tuple[SessionBar, ...]
    seconds: float
    height: float


def replay_link(session: str, begins: float, at: datetime | None = None) -> str:
    """Where a session's recording, which begins at this second since the epoch, can be watched; from a moment on if one is given.

    >>> replay_link("01b8", 1780351200.0, datetime.fromtimestamp(1780351201.5).astimezone())
    '/sessions/01b8/replay?t=1500'
    """
    offset = max(int((at.timestamp() - begins) * 1000), 0) if at else 0
    return f"/sessions/{session}/replay{f'?t={offset}' if offset else ''}"


def show_sessions(site: Site, request: Request) -> Response:
    """The list."""
    query = request.query_params
    failed = query.get("errors") or ""
    if failed not in {"", "yes"}:
        raise BadRequest(f"errors: {failed[:40]!r} is not valid; write errors=yes for sessions with an error, or leave it out")
    frustrated = query.get("frustrated") or ""
    if frustrated not in {"", "yes"}:
        raise BadRequest(
            f"frustrated: {frustrated[:40]!r} is not valid; write frustrated=yes for sessions with frustration, or leave it out"
        )
    longer = query.get("longer") or ""
    try:
        seconds = parse_duration(longer) if longer else 0.0
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"longer: {error}") from error
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, query)
        data = (
            read_session_list(
                connection,
                chosen.filters,
                time_range.range,
                bool(failed),
                seconds,
                query.get("before") or None,
                bool(frustrated),
            )
            if chosen
            else None
        )
    if chosen is None or data is None:
        return show_empty(site, request)
    more = urlencode(
        {name: value for name, value in (("errors", failed), ("frustrated", frustrated), ("longer", longer)) if value}
    )
    keep = f"{chosen.words}&{more}" if more else chosen.words
    return render_page(
        request,
        "sessions.html",
        section="Sessions",
        time_range=time_range,
        live=time_range.moving and not query.get("before"),
        data=data.listed,
        chosen=chosen,
        failed=failed,
        frustrated=frustrated,
        longer=longer,
        keep=keep,
        replays={session: replay_link(session, begins) for session, begins in data.recorded.items()},
    )


def show_session(site: Site, request: Request) -> Response:
    """One session."""
    with site.read(request) as connection:
        found = read_session_with_recording(connection, request.path_params["session"])
    if found is None:
        return render_problem(
            request, 404, f"No session {request.path_params['session'][:70]!r} is stored; old ones are removed."
        )
    data, begins = found
    return render_page(
        request,
        "session.html",
        section="Sessions",
        data=data,
        session=data.session,
        timeline=draw_timeline(data),
        replay=replay_link(data.session.id, begins) if begins is not None else None,
        width=WIDTH,
        row=ROW,
        **metric_names(),
    )


def draw_timeline(data: SessionData) -> Timeline:
    """The drawing of a session."""
    if not data.visits:
        return Timeline((), 0.0, ROW)
    began = data.visits[0].seen.started_at
    ends = [visit.end for visit in data.visits] + [mark.at for visit in data.visits for mark in visit.marks]
    seconds = max((max(ends) - began).total_seconds(), 0.001)
    scale = WIDTH / seconds
    bars = []
    for place, visit in enumerate(data.visits):
        start = (visit.seen.started_at - began).total_seconds()
        length = max((visit.end - visit.seen.started_at).total_seconds(), 0.0)
        ticks = [
            SessionTick(
                round(max((mark.at - began).total_seconds(), 0.0) * scale, 1),
                {"interaction": "click", "error": "wrong", "request": "slow", "frustration": "slow"}[mark.kind],
                mark.text,
            )
            for mark in visit.marks
        ]
        bars.append(
            SessionBar(round(start * scale, 1), ROW * (place + 1), round(max(length * scale, SHORTEST), 1), tuple(ticks))
        )
    return Timeline(tuple(bars), seconds, ROW * (len(bars) + 1) + 6)
