"""`/clicks`: where visitors clicked on a page, drawn on a recording of it. What is shown is treated as in the player (`replay`)."""

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from reports.users.click_counts import BOUNDS, WIDTHS
from reports.web.pages.real_users.sessions import replay_link
from reports.web.pages.real_users.users import show_apps, show_empty
from reports.web.query.page_view_filter import parse_selection
from reports.web.render.html import render_page
from reports.web.render.recording_policy import WITH_FORM
from reports.web.site import Site
from reports.web.view_models.real_users.click_map import parse_width, read_click_map
from reports.web.view_models.real_users.metric_tiles import read_tiles

HEADERS = {**WITH_FORM, "X-DNS-Prefetch-Control": "off"}
"""With the form of the filters."""


def show_click_map(site: Site, request: Request) -> Response:
    """The page."""
    query = request.query_params
    width = parse_width(query.get("width") or "")
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, query)
        if chosen is None:
            return show_empty(site, request)
        each_app = read_tiles(connection, time_range.range, chosen.filters) if chosen.every_app else []
        pages = [one for one in chosen.choices["page"] if one]
        which = replace(chosen.filter, page=chosen.filter.page or (pages[0] if pages else ""))
        data = read_click_map(connection, which, time_range.range, width)
    if chosen.every_app:
        return show_apps(request, "/clicks", "Click maps", time_range, chosen, each_app)
    root = request.scope.get("root_path", "")
    found = data.snapshot
    manifest = {
        "part": {"url": f"{root}/replays/chunks/{found.chunk}"} if found else None,
        "until": found.at * 1000 if found else 0,
        "elements": data.elements,
    }
    answer = render_page(
        request,
        "click_map.html",
        section="Real users",
        time_range=time_range,
        live=False,
        data=data,
        chosen=chosen,
        widths=[(one, *BOUNDS[one]) for one in WIDTHS],
        keep=f"{chosen.words}&width={width}",
        manifest=msgspec.json.encode(manifest).decode(),
        replay=replay_link(found.session, found.at) if found else None,
    )
    for header, value in HEADERS.items():
        answer.headers[header] = value
    return answer
