"""`/journeys/NAME/run`: asks a scheduler for a run; `/requests/ID`: how far the runs of a request are."""

from collections.abc import AsyncIterator
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from reports.web.api.run_stream import HEADERS, MOST, follow_page
from reports.web.query.time_range import BadRequest
from reports.web.render.html import render_page, root_path
from reports.web.render.problem import render_problem
from reports.web.services.run_requests import RunsWanted, request_runs
from reports.web.site import Site
from reports.web.view_models.requested_runs import read_followed_runs, read_request
from runner.store.scheduling.schedulers import read_live_locations


def run_journey(site: Site, request: Request) -> Response:
    """Asks for a run, and leads to the page that shows how far it is."""
    fields, name = request.scope["form"], request.path_params["journey"]
    if not 0 < len(name) <= 100:
        raise BadRequest("journey: its name has at most 100 characters")
    place = fields.get("location", "")
    wanted = RunsWanted(journeys=(name,), locations=(place,) if place else ())
    # Two clicks on one page are one wish.
    made = request_runs(site, wanted, request.scope["access"].name, fields.get("key", "")[:64])
    return RedirectResponse(f"{root_path(request)}/requests/{quote(made.id)}", 303)


def show_request(site: Site, request: Request) -> Response:
    """The page; it shows news while it is open."""
    name = request.path_params["request"]
    with site.read(request) as connection:
        data = read_request(connection, name, site.now())
        runs = read_followed_runs(connection, data) if data else []
    if data is None:
        return render_problem(request, 404, f"No request {name[:60]!r} is stored.")
    live = f"/requests/{quote(data.id)}/changes"
    return render_page(request, "request.html", section="Request", live=True, live_address=live, data=data, runs=runs)


def changes_route(site: Site) -> Route:
    """The stream of the page's news. Each looks at the store by itself, so there is a limit, as for those of the API."""
    followers: set[object] = set()

    async def follow(request: Request) -> AsyncIterator[str]:
        mark = object()
        followers.add(mark)
        try:
            async for line in follow_page(site, request):
                yield line
        finally:
            followers.discard(mark)

    async def answer(request: Request) -> Response:
        if len(followers) >= MOST:
            return PlainTextResponse(f"{MOST} pages follow already", 503, headers={"Retry-After": "60"})
        return StreamingResponse(follow(request), media_type="text/event-stream", headers=HEADERS)

    return Route("/requests/{request}/changes", answer)


def offer_locations(site: Site, connection: Connection) -> list[str]:
    """Where a run can be made now, the usual place first; none without a scheduler."""
    live = sorted(read_live_locations(connection, site.now()))
    return sorted(live, key=lambda place: place != site.location)
