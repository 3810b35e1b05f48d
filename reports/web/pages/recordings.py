"""`/recordings`: what can be watched, of visits and of journeys' runs."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web.render import html as render
from reports.web.site import Site
from reports.web.view_models import recordings as figures
from reports.web.view_models.recordings import TRAFFIC


def show(site: Site, request: Request) -> Response:
    """The list."""
    span = site.span(request)
    wanted = figures.read(request.query_params)
    with site.store.snapshot() as connection:
        data = figures.recordings(connection, span, wanted)
        choices = figures.choices(connection, span)
    keep = urlencode(figures.words(wanted))
    return render.page(
        request,
        "recordings.html",
        section="Recordings",
        span=span,
        live=span.moving and not wanted.before,
        data=data,
        wanted=wanted,
        longer=request.query_params.get("longer") or "",
        choices=choices,
        kinds=TRAFFIC,
        keep=f"&{keep}" if keep else "",
        older=urlencode({"before": data.older}) if data.older else "",
    )
