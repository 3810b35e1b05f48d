"""`/runs`: the runs of a time range, page by page."""

from typing import get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.lists import STATUSES, read_names_and_locations, read_runs
from runner.settings.parsers.values import Engine


def show_runs(site: Site, request: Request) -> Response:
    """The page."""
    query = request.query_params
    wanted = [one for one in query.getlist("status") if one]
    journey, location, release, browser = (query.get(name) or None for name in ("journey", "location", "release", "browser"))
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        journeys, locations = read_names_and_locations(connection)
        found = read_runs(
            connection, time_range, journey, location, tuple(wanted), release, query.get("before"), browser=browser
        )
    kept = [("status", one) for one in wanted]
    kept += [("journey", journey)] if journey else []
    kept += [("location", location)] if location else []
    kept += [("release", release)] if release else []
    kept += [("browser", browser)] if browser else []
    older = urlencode([*kept, ("before", found.older)]) if found.older else ""
    return render_page(
        request,
        "runs.html",
        section="Runs",
        time_range=time_range,
        live=time_range.moving and "before" not in query,
        runs=found.runs,
        older=older,
        kept=f"&{urlencode(kept)}" if kept else "",
        statuses=STATUSES,
        wanted=wanted,
        journey=journey,
        location=location,
        release=release,
        browser=browser,
        browsers=get_args(Engine),
        journeys=journeys,
        locations=locations,
    )
