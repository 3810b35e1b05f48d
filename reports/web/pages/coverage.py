"""`/coverage`: what real users do and no journey touches."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.users import empty
from reports.web.render import html as render
from reports.web.site import Site
from reports.web.view_models import coverage as figures


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    with site.store.snapshot() as connection:
        data, apps = figures.coverage_with_apps(connection, span, request.query_params.get("app") or None)
    if not data.app:
        return empty(site, request)
    return render.page(
        request,
        "coverage.html",
        section="Coverage",
        span=span,
        data=data,
        apps=apps,
        keep=f"&{urlencode({'app': data.app})}" if request.query_params.get("app") else "",
    )
