"""`/users`: what real users' browsers measured."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reports.web.query import page_view_filter as selection
from reports.web.query.time_range import BadRequest, Span
from reports.web.render import html as render
from reports.web.render.svg import Histogram, histogram
from reports.web.site import Site
from reports.web.view_models import users
from reports.web.view_models.users import Bucket, Moment, Tile, Users

NAMES = {"load": "load time", "lcp": "LCP", "inp": "INP", "cls": "CLS", "fcp": "FCP", "ttfb": "TTFB"}
LONG_NAMES = {
    "load": "from the start to the end of the load event",
    "lcp": "largest contentful paint",
    "inp": "interaction to next paint",
    "cls": "cumulative layout shift",
    "fcp": "first contentful paint",
    "ttfb": "time to first byte",
}


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    sort = request.query_params.get("sort") or "impact"
    with site.store.snapshot() as connection:
        chosen = selection.read(connection, request.query_params)
        if chosen is not None and sort not in users.SORTS:
            raise BadRequest(f"sort: {sort[:40]!r} is none; choose of {', '.join(users.SORTS)}")
        data = users.users(connection, chosen.filter, span.range, sort) if chosen else None
    if chosen is None or data is None:
        return empty(site, request)
    return render.page(
        request,
        "users.html",
        section="Real users",
        span=span,
        live=span.moving,
        data=data,
        chosen=chosen,
        sort=sort,
        keep=f"{chosen.words}&sort={sort}" if sort != "impact" else chosen.words,
        charts=[(one.metric, msgspec.json.encode(chart(one, data.moments, span)).decode()) for one in data.tiles],
        load=drawn(data),
        **words(),
    )


def empty(site: Site, request: Request) -> Response:
    """The page as long as no page view is stored: how they come about."""
    return render.page(request, "users_empty.html", section="Real users", span=site.span(request))


def words() -> dict[str, Any]:
    """What the templates about real users share."""
    return {"names": NAMES, "long_names": LONG_NAMES, "metrics": users.HEAD, "enough": users.ENOUGH, "worth": users.worth}


def chart(tile: Tile, moments: Sequence[Moment], span: Span) -> dict[str, Any]:
    """What chart.js draws of a metric: the line where there are enough values for a percentile, dots where there are few."""
    told = [one for one in moments if one.count[tile.metric]]
    few = [one.count[tile.metric] < users.ENOUGH for one in told]
    values = [one.p75[tile.metric] for one in told]
    return {
        "times": [one.at.timestamp() for one in told],
        "from": span.start.timestamp(),
        "to": span.end.timestamp(),
        "unit": "score" if tile.metric == "cls" else "seconds",
        "limits": [tile.good, tile.poor],
        "lines": [
            {"name": "p75", "values": [None if small else value for small, value in zip(few, values, strict=True)]},
            {
                "name": f"p75 of fewer than {users.ENOUGH}",
                "dots": True,
                "values": [value if small else None for small, value in zip(few, values, strict=True)],
            },
        ],
    }


def drawn(data: Users) -> Histogram | None:
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
    return histogram(columns, [_edge(one) for one in edges], marks)


def _edge(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g} s"


def _title(one: Bucket, whole: int) -> str:
    bounds = f"above {one.above:g} s" if one.up_to is None else f"{one.above:g} to {one.up_to:g} s"
    return f"{bounds}: {one.count} page {'view' if one.count == 1 else 'views'}, {render.share(one.count / whole)}"


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
