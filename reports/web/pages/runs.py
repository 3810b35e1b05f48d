"""`/runs`: the runs of a span, page by page."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web.render import html as render
from reports.web.site import Site
from reports.web.view_models import lists


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    query = request.query_params
    wanted = [one for one in query.getlist("status") if one]
    journey, location, release = (query.get(name) or None for name in ("journey", "location", "release"))
    with site.store.snapshot() as connection:
        journeys, locations = lists.places(connection)
        found = lists.runs(connection, span, journey, location, tuple(wanted), release, query.get("before"))
    kept = [("status", one) for one in wanted]
    kept += [("journey", journey)] if journey else []
    kept += [("location", location)] if location else []
    kept += [("release", release)] if release else []
    older = urlencode([*kept, ("before", found.older)]) if found.older else ""
    return render.page(
        request,
        "runs.html",
        section="Runs",
        span=span,
        live=span.moving and "before" not in query,
        runs=found.runs,
        older=older,
        kept=f"&{urlencode(kept)}" if kept else "",
        statuses=lists.STATUSES,
        wanted=wanted,
        journey=journey,
        location=location,
        release=release,
        journeys=journeys,
        locations=locations,
    )
