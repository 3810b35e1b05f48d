"""`/coverage`: what real users do and no journey covers."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.real_users.users import show_apps, show_empty
from reports.web.query.page_view_filter import parse_selection
from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.real_users.coverage import read_coverage_with_apps
from reports.web.view_models.real_users.metric_tiles import read_tiles


def show_coverage(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, {"app": request.query_params.get("app") or ""})
        if chosen is not None and chosen.every_app:
            each_app = read_tiles(connection, time_range.range, chosen.filters)
            return show_apps(request, "/coverage", "Coverage", time_range, chosen, each_app, "Coverage")
        data, apps = read_coverage_with_apps(connection, time_range, request.query_params.get("app") or None)
    if not data.app:
        return show_empty(site, request)
    return render_page(
        request,
        "coverage.html",
        section="Coverage",
        time_range=time_range,
        data=data,
        apps=apps,
        keep=f"&{urlencode({'app': data.app})}" if request.query_params.get("app") else "",
    )
