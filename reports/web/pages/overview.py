"""`/`: how every journey is doing."""

from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.real_users.users import metric_names
from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.overview import draw_state, read_overview, state_headline
from reports.web.view_models.users import read_tiles


def show_overview(site: Site, request: Request) -> Response:
    """The page."""
    location = request.query_params.get("location")
    with site.store.snapshot() as connection:
        time_range = site.time_range(request, connection)
        data = read_overview(connection, time_range, location, site.budgets, site.declared())
        next_runs = site.next_runs(connection)
        tiles = read_tiles(connection, time_range.range)
    headline, mood = state_headline(data)
    return render_page(
        request,
        "overview.html",
        section="Overview",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        location=location,
        several=len({one.location for one in data.journeys}) > 1,
        sparks=[draw_state(one, time_range.start, time_range.end) for one in data.journeys],
        headline=headline,
        mood=mood,
        next=next_runs,
        users=tiles,
        **metric_names(),
    )
