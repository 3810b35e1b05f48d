"""`/`: how every journey is doing."""

from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.users import words
from reports.web.render import html as render
from reports.web.site import Site
from reports.web.view_models import overview, users


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    location = request.query_params.get("location")
    with site.store.snapshot() as connection:
        data = overview.overview(connection, span, location, site.budgets)
        upcoming = site.upcoming(connection)
        tiles = users.tiles(connection, span.range)
    headline, mood = overview.headline(data)
    return render.page(
        request,
        "overview.html",
        section="Overview",
        span=span,
        live=span.moving,
        data=data,
        location=location,
        several=len({one.location for one in data.journeys}) > 1,
        sparks=[overview.line(one, span.start, span.end) for one in data.journeys],
        headline=headline,
        mood=mood,
        next=upcoming,
        users=tiles,
        **words(),
    )
