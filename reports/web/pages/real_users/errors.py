"""`/errors`: errors of real users; `/errors/ID`: one, in the original code; `/errors/ID/state`: what is decided about it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reports.users.one_error import ErrorCount
from reports.web.pages.real_users.sessions import replay_link
from reports.web.pages.real_users.users import show_empty
from reports.web.query.page_view_filter import parse_selection
from reports.web.query.time_range import BadRequest, TimeRange
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_problem
from reports.web.services.error_decisions import decide_error
from reports.web.site import Site
from reports.web.view_models.real_users.errors import STATES, read_error_data, read_error_list
from runner.store.error_states import Decision

BARS = 72
"""The maximum number of bars over time."""
WIDTH, HEIGHT = 720, 80


class CountBar(Struct, frozen=True):
    """How often the error came in a part of the range, as a bar."""

    x: float
    y: float
    width: float
    height: float
    at: datetime
    count: int


def show_errors(site: Site, request: Request) -> Response:
    """The list."""
    query = request.query_params
    state = query.get("state") or "unresolved"
    if state not in STATES:
        raise BadRequest(f"state: {state[:40]!r} is not valid; choose one of {', '.join(STATES)}")
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, query)
        data = read_error_list(connection, chosen.filters, time_range.range, state) if chosen else None
    if chosen is None or data is None:
        return show_empty(site, request)
    kept = {
        name: value for name, value in (("app", query.get("app")), ("state", state if state != "unresolved" else "")) if value
    }
    return render_page(
        request,
        "errors.html",
        section="Errors",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        chosen=chosen,
        state=state,
        states=STATES,
        keep=f"&{urlencode(kept)}" if kept else "",
    )


def show_error(site: Site, request: Request) -> Response:
    """One error."""
    error = request.path_params["error"]
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        data = read_error_data(connection, error, time_range.range)
    if data is None:
        return _unknown(request, error)
    return render_page(
        request,
        "error.html",
        section="Errors",
        time_range=time_range,
        data=data,
        error=data.error,
        bars=draw_counts(data.counts, time_range),
        most=max((one.count for one in data.counts), default=0),
        width=WIDTH,
        height=HEIGHT,
        replays={
            one.view: replay_link(one.session, one.recorded_from, one.at - timedelta(seconds=3))
            for one in data.newest
            if one.recorded_from is not None
        },
    )


def change_error(site: Site, request: Request) -> Response:
    """Decides about it; for users with the role `operate`."""
    error, fields = request.path_params["error"], request.scope["form"]
    wanted = fields.get("state", "")
    decision: Decision | None = next((one for one in get_args(Decision) if one == wanted), None)
    if decision is None:
        raise BadRequest(f"state: {wanted[:40]!r} is not valid; choose one of {', '.join(get_args(Decision))}")
    who = request.scope["access"].name
    if not decide_error(site.store, error, decision, who, fields.get("note", ""), site.now()):
        return _unknown(request, error)
    return RedirectResponse(f"{root_path(request)}/errors/{error}", 303)


def draw_counts(counts: Sequence[ErrorCount], time_range: TimeRange) -> tuple[CountBar, ...]:
    """Bars over the whole range; each is of some whole hours."""
    first = int(time_range.start.timestamp() // 3600) * 3600
    hours = max(-int((first - time_range.end.timestamp()) // 3600), 1)
    each = -(-hours // BARS)
    sums: dict[int, int] = {}
    for one in counts:
        place = int(one.at.timestamp() - first) // 3600 // each
        sums[place] = sums.get(place, 0) + one.count
    most, width = max(sums.values(), default=1), WIDTH / -(-hours // each)
    return tuple(
        CountBar(
            x=round(place * width, 1),
            y=round(HEIGHT - HEIGHT * count / most, 1),
            width=round(max(width - 1, 1.0), 1),
            height=round(HEIGHT * count / most, 1),
            at=datetime.fromtimestamp(first + place * each * 3600, time_range.start.tzinfo),
            count=count,
        )
        for place, count in sorted(sums.items())
    )


def _unknown(request: Request, error: str) -> Response:
    return render_problem(
        request, 404, f"No error {error[:70]!r} is stored; old ones are removed, and a source map may have regrouped it."
    )
