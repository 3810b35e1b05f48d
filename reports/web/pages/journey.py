"""`/journeys/NAME`: one journey over time."""

from collections.abc import Sequence
from datetime import timedelta
from statistics import median
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reports.text import smoke_text
from reports.web.pages.mute import OFFERED_MUTES
from reports.web.pages.pause import OFFERED
from reports.web.pages.requested_runs import offer_locations
from reports.web.query.comparison import COMPARISON_PARAMETERS, ComparedSides, asks_for_comparison, parse_comparison
from reports.web.query.time_range import BadRequest, TimeRange
from reports.web.render.html import format_duration, render_page
from reports.web.render.problem import render_problem
from reports.web.render.svg import Interval, draw_intervals
from reports.web.render.uptime import draw_calendar, draw_uptime
from reports.web.site import Site
from reports.web.view_models.comparison import ComparisonData
from reports.web.view_models.journey import CALL_PHASES, PHASES, JourneyData, PhaseMean, read_journey_page
from runner.archive.run_id import run_id
from runner.settings.sections.quarantine import find_entries

FORMS = ("lines", "stacked")
OUTCOMES = {"slower": "poor", "faster": "good", "same": "soft", "undecided": "fair"}
"""The colour of each."""
OUTAGES = 30
"""That are listed."""
NO_RATIO = (0.0, 0.0, 0.0)


def show_journey(site: Site, request: Request) -> Response:
    """The page."""
    query = request.query_params
    name, location = request.path_params["journey"], query.get("location") or None
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        sides, wrong = _sides(query, time_range)
        found = read_journey_page(
            connection, name, location, time_range, site.bounds, sides, site.rule, site.now(), site.windows
        )
        places = offer_locations(site, connection)
    if found is None:
        return render_problem(request, 404, f"No run of a journey named {name[:100]!r} is stored.")
    data = found.data
    kept = {"location": location} if location else {}
    form = next((one for one in FORMS if one == query.get("form")), FORMS[0])
    drawn = ({"form": form} if form != FORMS[0] else {}) | ({"tails": "on"} if query.get("tails") else {})
    given = {one: query[one] for one in COMPARISON_PARAMETERS if query.get(one)}
    facts = site.facts().get(name)
    of_calls = facts.kind == "check" if facts else _are_of_calls(found.phases)
    phases = _phases(found.phases, CALL_PHASES if of_calls else PHASES, time_range)
    return render_page(
        request,
        "journey.html",
        section="",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        keep=_words(kept | drawn | given),
        here=_words(kept | drawn),
        form=form,
        tails=bool(query.get("tails")),
        chart=msgspec.json.encode(_chart(data)).decode(),
        phases=msgspec.json.encode(phases).decode(),
        medians=_medians(phases),
        names=phases["phases"],
        of_calls=of_calls,
        a_day=timedelta(days=1),
        calendar=draw_calendar(found.days, site.now()) if found.days else None,
        uptime=draw_uptime(found.days, site.now()),
        outages=found.outages[:OUTAGES],
        found=found,
        facts=facts,
        source_link=site.source_link,
        wrong=wrong,
        asked=dict.fromkeys(COMPARISON_PARAMETERS, "") | given,
        compared=found.compared,
        drawings=_intervals(found.compared),
        rule=_rule(found.compared) if found.compared else "",
        smoke_text=smoke_text,
        OUTCOMES=OUTCOMES,
        paused=found.paused,
        quarantine=find_entries(name, site.quarantine, site.now()),
        offered_pauses=OFFERED,
        places=places,
        # Another for each time that the page is made.
        key=run_id(),
        alerts=found.alerts,
        offered_mutes=OFFERED_MUTES,
    )


def _words(values: dict[str, str]) -> str:
    return f"&{urlencode(values)}" if values else ""


def _sides(query: Any, time_range: TimeRange) -> tuple[ComparedSides | None, str]:
    """What is to be compared, or why it cannot be: the rest of the page is shown all the same."""
    if not asks_for_comparison(query):
        return None, ""
    try:
        return parse_comparison(query, time_range), ""
    except BadRequest as error:
        return None, str(error)


def _intervals(found: ComparisonData | None) -> tuple[Interval | None, ...]:
    """The change of each step as it is drawn, all over one axis."""
    made = [one.comparison for one in found.steps] if found else []
    return draw_intervals([(one.interval[0], one.ratio, one.interval[1]) if one else NO_RATIO for one in made])


def _rule(found: ComparisonData) -> str:
    """What the outcomes mean, and how far they can be trusted."""
    one = found.rule
    floor = f" and by more than {format_duration(one.floor_seconds)}" if one.floor_seconds else ""
    return (
        f"Slower or faster: the latency changed by more than {one.tolerance:.0%}{floor}; same: it did not; undecided: the runs do not "
        f"show which. If no step changed by that much, the probability that any is called slower or faster is at most {one.alarm:.1%}; "
        f"if a step did, the probability that it is called the same is at most {one.miss:.1%}. This holds for one look and for "
        "independent runs: anything else that changed between the two time ranges counts too."
    )


def _chart(data: JourneyData) -> dict[str, Any]:
    """What chart.js draws: times in seconds since the epoch, and a list of values for each step."""
    times = {point.at.timestamp(): point.run for line in data.steps for point in line.points}
    if data.by_run:
        # A run that has not come to any step has a place too.
        times |= {mark.at.timestamp(): mark.run for mark in data.marks}
    ordered = sorted(times)
    place = {at: index for index, at in enumerate(ordered)}
    series = []
    for line in data.steps:
        middle: list[float | None] = [None] * len(ordered)
        tail: list[float | None] = [None] * len(ordered)
        for point in line.points:
            index = place[point.at.timestamp()]
            middle[index], tail[index] = point.p50, point.p95
        series.append({"name": line.step, "p50": middle, "p95": tail, "budget": line.budget_seconds})
    return {
        "from": data.start.timestamp(),
        "to": data.end.timestamp(),
        "times": ordered,
        "series": series,
        "runs": [times[at] for at in ordered],
        "bad": [
            [mark.at.timestamp(), (mark.failed + mark.errors) / mark.count] for mark in data.marks if mark.failed + mark.errors
        ],
        "crowded": [mark.at.timestamp() for mark in data.marks if mark.contended],
        "releases": [[one.first_at.timestamp(), one.release] for one in data.releases],
    }


def _are_of_calls(found: Sequence[PhaseMean]) -> bool:
    """Whether they are those of a check whose file is gone."""
    names = {name for one in found for name in one.phases}
    return bool(names) and names <= set(CALL_PHASES)


def _phases(found: Sequence[PhaseMean], names: Sequence[str], time_range: TimeRange) -> dict[str, Any]:
    names = [name for name in names if any(name in one.phases for one in found)]
    steps = list(dict.fromkeys(one.step for one in found))
    return {
        "phases": names,
        "from": time_range.start.timestamp(),
        "to": time_range.end.timestamp(),
        "steps": {
            step: {
                "times": [one.at.timestamp() for one in found if one.step == step],
                "values": {phase: [one.phases.get(phase, 0.0) for one in found if one.step == step] for phase in names},
            }
            for step in steps
        },
    }


def _medians(phases: dict[str, Any]) -> list[tuple[str, dict[str, float], int]]:
    """Of each step: the median of each phase, and of how many runs."""
    return [
        (step, {phase: median(values) for phase, values in one["values"].items()}, len(one["times"]))
        for step, one in phases["steps"].items()
    ]
