"""`/journeys/NAME`: one journey over time."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reports.web import render
from reports.web.figures import journey
from reports.web.pages import pausing
from reports.web.site import Site, problem


def show(site: Site, request: Request) -> Response:
    """The page."""
    span = site.span(request)
    name, location = request.path_params["journey"], request.query_params.get("location")
    data = journey.journey(site.history, name, location, span)
    if data is None:
        return problem(request, 404, f"No run of a journey named {name!r} is stored.")
    return render.page(
        request,
        "journey.html",
        section="",
        span=span,
        live=span.moving,
        data=data,
        chart=msgspec.json.encode(_chart(data)).decode(),
        phases=msgspec.json.encode(_phases(site, data, span)).decode(),
        days=_calendar(data),
        paused=pausing.of(site, name),
        offered_pauses=pausing.OFFERED,
    )


def _chart(data: journey.JourneyData) -> dict[str, Any]:
    """What chart.js draws: times in seconds since the epoch, and a list of values for each step."""
    times = sorted({point.at.timestamp() for line in data.steps for point in line.points})
    place = {at: index for index, at in enumerate(times)}
    series = []
    runs: list[str | None] = [None] * len(times)
    status: list[str | None] = [None] * len(times)
    contended = [False] * len(times)
    for line in data.steps:
        middle: list[float | None] = [None] * len(times)
        tail: list[float | None] = [None] * len(times)
        for point in line.points:
            index = place[point.at.timestamp()]
            middle[index], tail[index] = point.p50, point.p95
            runs[index] = point.run
            contended[index] = contended[index] or point.contended
            if point.status not in {None, "passed"} or status[index] is None:
                status[index] = point.status
        series.append({"name": line.step, "p50": middle, "p95": tail})
    return {"times": times, "series": series, "runs": runs, "status": status, "contended": contended, "byRun": data.by_run}


def _phases(site: Site, data: journey.JourneyData, span: Any) -> dict[str, Any]:
    found = journey.phases(site.history, data.journey, data.location, span)
    steps = list(dict.fromkeys(one.step for one in found))
    return {
        "phases": journey.PHASES,
        "steps": {
            step: {
                "times": [one.at.timestamp() for one in found if one.step == step],
                "values": {
                    phase: [one.phases.get(phase, 0.0) for one in found if one.step == step] for phase in journey.PHASES
                },
            }
            for step in steps
        },
    }


def _calendar(data: journey.JourneyData) -> list[dict[str, Any]]:
    """The days as squares, a column a week."""
    if not data.days:
        return []
    first = data.days[0].day
    monday = first.toordinal() - first.weekday()
    squares = []
    for one in data.days:
        column, row = divmod(one.day.toordinal() - monday, 7)
        share = one.availability
        worth = "none" if share is None else "full" if share == 1 else "fair" if share >= 0.99 else "poor"
        squares.append({"x": column * 15, "y": row * 15, "worth": worth, "day": one})
    return squares
