"""`/runs`: the runs of a span, page by page."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web import render
from reports.web.site import Site
from reports.web.span import BadRequest

STATUSES = ("passed", "failed", "error", "cancelled")
PAGE = 50


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    query = request.query_params
    wanted = [one for one in query.getlist("status") if one]
    for one in wanted:
        if one not in STATUSES:
            raise BadRequest(f"status: {one[:40]!r} is none; choose of {', '.join(STATUSES)}")
    journey, location = query.get("journey") or None, query.get("location") or None
    rows = site.history.journeys(span.range)
    found = site.history.runs(span.range, journey, location, wanted, query.get("before"), PAGE + 1)
    kept = [("status", one) for one in wanted]
    kept += [("journey", journey)] if journey else []
    kept += [("location", location)] if location else []
    older = urlencode([*kept, ("before", found[PAGE - 1].id)]) if len(found) > PAGE else ""
    return render.page(
        request,
        "runs.html",
        section="Runs",
        span=span,
        live=span.moving and "before" not in query,
        runs=found[:PAGE],
        older=older,
        kept=f"&{urlencode(kept)}" if kept else "",
        statuses=STATUSES,
        wanted=wanted,
        journey=journey,
        location=location,
        journeys=sorted({row.journey for row in rows}),
        locations=sorted({row.location for row in rows}),
    )
