"""`/`: how every journey is doing."""

from starlette.requests import Request
from starlette.responses import Response

from reports.users.rollup_queries import Range
from reports.web.pages.users import words
from reports.web.render import html as render
from reports.web.site import Site
from reports.web.view_models import overview, users


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    location = request.query_params.get("location")
    data = overview.overview(site.history, span, location, site.budgets)
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
        next=site.upcoming(),
        users=users.tiles(site.store, Range(span.start, span.end)),
        **words(),
    )
