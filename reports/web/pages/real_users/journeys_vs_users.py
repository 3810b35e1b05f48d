"""`/users/journeys`: journeys compared with real users."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.real_users.users import metric_names, show_apps, show_empty
from reports.web.query.page_view_filter import parse_selection
from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.real_users.journeys_vs_users import Against, read_journeys_vs_users
from reports.web.view_models.real_users.metric_tiles import ENOUGH, read_tiles
from reports.web.view_models.real_users.triage import FEW

COLOURS = {"outage": "poor", "probe problem": "error", "users hurt but untested": "fair", "ok": "good", "cannot tell": "soft"}
MEANINGS = {
    "outage": "the journey fails, and more page views of real users have errors",
    "probe problem": "the journey fails, but real users do not see more errors: check the journey first",
    "users hurt but untested": "real users see more errors, but no journey fails: a journey is missing",
    "ok": "the journey passes, and real users do not see more errors",
    "cannot tell": f"no run says anything about the site in this time range, or there were fewer than {ENOUGH} page views",
}


def show_journeys_vs_users(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, request.query_params)
        data = (
            read_journeys_vs_users(connection, chosen.filter, time_range.range, site.rules.get(chosen.filter.app, ()))
            if chosen and not chosen.every_app
            else None
        )
        each_app = read_tiles(connection, time_range.range, chosen.filters) if chosen and chosen.every_app else []
    if chosen is not None and chosen.every_app:
        return show_apps(request, "/users/journeys", "Journeys and real users", time_range, chosen, each_app)
    if chosen is None or data is None:
        return show_empty(site, request)
    medians, ratio = chart_medians(data)
    return render_page(
        request,
        "against.html",
        section="Real users",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        chosen=chosen,
        keep=chosen.words,
        medians=msgspec.json.encode(medians).decode(),
        ratio=msgspec.json.encode(ratio).decode(),
        colours=COLOURS,
        meanings=MEANINGS,
        few=FEW,
        **metric_names(),
    )


def chart_medians(data: Against) -> tuple[dict[str, Any], dict[str, Any]]:
    """What chart.js draws: both medians, and the one in terms of the other."""
    time_range = {"from": data.start.timestamp(), "to": data.end.timestamp()}
    times = [one.at.timestamp() for one in data.over_time]
    medians = {
        **time_range,
        "times": times,
        "unit": "seconds",
        "lines": [
            {"name": "real users", "values": [one.real for one in data.over_time]},
            {"name": "journeys", "values": [one.synthetic for one in data.over_time]},
        ],
    }
    ratio = {
        **time_range,
        "times": times,
        "unit": "ratio",
        "lines": [{"name": "real users ÷ journeys", "values": [one.ratio for one in data.over_time]}],
    }
    return medians, ratio
