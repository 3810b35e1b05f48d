"""`/users/journeys`: journeys beside real users."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.users import empty, words
from reports.web.query import page_view_filter as selection
from reports.web.render import html as render
from reports.web.site import Site
from reports.web.view_models import journeys_vs_users as against
from reports.web.view_models.journeys_vs_users import Against
from reports.web.view_models.users import ENOUGH

COLOURS = {"outage": "poor", "probe problem": "error", "users hurt but untested": "fair", "ok": "good", "cannot tell": "soft"}
MEANINGS = {
    "outage": "the journey fails, and more page views of real users meet errors",
    "probe problem": "the journey fails, real users do not meet more errors: look at the journey first",
    "users hurt but untested": "real users meet more errors, where no journey fails: one is missing",
    "ok": "the journey passes, real users do not meet more errors",
    "cannot tell": f"no run told of the site in this span, or there were fewer than {ENOUGH} page views",
}


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    with site.store.snapshot() as connection:
        chosen = selection.read(connection, request.query_params)
        data = against.against(connection, chosen.filter, span.range, site.rules.get(chosen.filter.app, ())) if chosen else None
    if chosen is None or data is None:
        return empty(site, request)
    medians, ratio = charts(data)
    return render.page(
        request,
        "against.html",
        section="Real users",
        span=span,
        live=span.moving,
        data=data,
        chosen=chosen,
        keep=chosen.words,
        medians=msgspec.json.encode(medians).decode(),
        ratio=msgspec.json.encode(ratio).decode(),
        colours=COLOURS,
        meanings=MEANINGS,
        few=against.FEW,
        **words(),
    )


def charts(data: Against) -> tuple[dict[str, Any], dict[str, Any]]:
    """What chart.js draws: both medians, and the one in terms of the other."""
    span = {"from": data.start.timestamp(), "to": data.end.timestamp()}
    times = [one.at.timestamp() for one in data.over_time]
    medians = {
        **span,
        "times": times,
        "unit": "seconds",
        "lines": [
            {"name": "real users", "values": [one.real for one in data.over_time]},
            {"name": "journeys", "values": [one.synthetic for one in data.over_time]},
        ],
    }
    ratio = {
        **span,
        "times": times,
        "unit": "ratio",
        "lines": [{"name": "real users ÷ journeys", "values": [one.ratio for one in data.over_time]}],
    }
    return medians, ratio
