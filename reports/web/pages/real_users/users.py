"""`/users`: what real users' browsers measured."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reports.web.query.page_view_filter import Selection, parse_selection
from reports.web.query.time_range import BadRequest, TimeRange
from reports.web.render.html import format_share, render_page
from reports.web.render.svg import DrawnHistogram, draw_histogram
from reports.web.site import Site
from reports.web.view_models.real_users.metric_tiles import ENOUGH, HEAD, Tile, rate_value, read_tiles
from reports.web.view_models.real_users.users import SORTS, Bucket, Moment, Users, read_users

NAMES = {"load": "load time", "lcp": "LCP", "inp": "INP", "cls": "CLS", "fcp": "FCP", "ttfb": "TTFB"}
LONG_NAMES = {
    "load": "from the start to the end of the load event",
    "lcp": "largest contentful paint",
    "inp": "interaction to next paint",
    "cls": "cumulative layout shift",
    "fcp": "first contentful paint",
    "ttfb": "time to first byte",
}


def show_users(site: Site, request: Request) -> Response:
    """The page."""
    sort = request.query_params.get("sort") or "impact"
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, request.query_params)
        if chosen is not None and sort not in SORTS:
            raise BadRequest(f"sort: {sort[:40]!r} is not valid; choose one of {', '.join(SORTS)}")
        each_app = read_tiles(connection, time_range.range, chosen.filters) if chosen and chosen.every_app else []
        data = read_users(connection, chosen.filter, time_range.range, sort) if chosen and not chosen.every_app else None
    if chosen is not None and chosen.every_app:
        return show_apps(request, "/users", "Real users", time_range, chosen, each_app)
    if chosen is None or data is None:
        return show_empty(site, request)
    return render_page(
        request,
        "users.html",
        section="Real users",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        chosen=chosen,
        sort=sort,
        keep=f"{chosen.words}&sort={sort}" if sort != "impact" else chosen.words,
        charts=[(one.metric, msgspec.json.encode(chart_metric(one, data.moments, time_range)).decode()) for one in data.tiles],
        load=draw_load(data),
        **metric_names(),
    )


def show_apps(
    request: Request,
    path: str,
    title: str,
    time_range: TimeRange,
    chosen: Selection,
    each_app: Sequence[tuple[str, int, Sequence[Tile]]],
    section: str = "Real users",
) -> Response:
    """A page of one app, while none of several is chosen: all of them, to choose from."""
    return render_page(
        request,
        "apps.html",
        section=section,
        path=path,
        page_title=title,
        time_range=time_range,
        live=time_range.moving,
        chosen=chosen,
        each_app=each_app,
        **metric_names(),
    )


def show_empty(site: Site, request: Request) -> Response:
    """The page while no page view is stored: how to set up reporting."""
    return render_page(request, "users_empty.html", section="Real users", time_range=site.time_range(request))


def metric_names() -> dict[str, Any]:
    """Values that the templates about real users share."""
    return {"names": NAMES, "long_names": LONG_NAMES, "metrics": HEAD, "enough": ENOUGH, "worth": rate_value}


def chart_metric(tile: Tile, moments: Sequence[Moment], time_range: TimeRange) -> dict[str, Any]:
    """The data of a metric's chart: a line where there are enough values for a percentile, dots where there are few."""
    measured = [one for one in moments if one.count[tile.metric]]
    few = [one.count[tile.metric] < ENOUGH for one in measured]
    values = [one.p75[tile.metric] for one in measured]
    return {
        "times": [one.at.timestamp() for one in measured],
        "from": time_range.start.timestamp(),
        "to": time_range.end.timestamp(),
        "unit": "score" if tile.metric == "cls" else "seconds",
        "limits": [tile.good, tile.poor],
        "lines": [
            {"name": "p75", "values": [None if small else value for small, value in zip(few, values, strict=True)]},
            {
                "name": f"p75 of fewer than {ENOUGH}",
                "dots": True,
                "values": [value if small else None for small, value in zip(few, values, strict=True)],
            },
        ],
    }


def draw_load(data: Users) -> DrawnHistogram | None:
    """The distribution of the load time; None without any."""
    if not data.load:
        return None
    load = next(one for one in data.tiles if one.metric == "load")
    whole = sum(one.count for one in data.load)
    columns = [(float(one.count), _title(one, whole), _kind(one, load)) for one in data.load]
    edges = [data.load[0].above, *(one.up_to for one in data.load)]
    marks = [
        (place, name) for name, value in (("p50", load.p50), ("p75", load.p75)) if (place := _place(data.load, value)) >= 0
    ]
    return draw_histogram(columns, [_edge(one) for one in edges], marks)


def _edge(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g} s"


def _title(one: Bucket, whole: int) -> str:
    bounds = f"above {one.above:g} s" if one.up_to is None else f"{one.above:g} to {one.up_to:g} s"
    return f"{bounds}: {one.count} page {'view' if one.count == 1 else 'views'}, {format_share(one.count / whole)}"


def _kind(one: Bucket, tile: Tile) -> str:
    if one.up_to is not None and one.up_to <= tile.good:
        return "good"
    return "fair" if one.up_to is not None and one.up_to <= tile.poor else "poor"


def _place(shown: Sequence[Bucket], value: float | None) -> float:
    """Where a value lies, in units of bars; -1 for none."""
    if value is None:
        return -1.0
    for place, one in enumerate(shown):
        if one.up_to is None or value <= one.up_to:
            return place + ((value - one.above) / (one.up_to - one.above) if one.up_to is not None else 0.5)
    return -1.0
