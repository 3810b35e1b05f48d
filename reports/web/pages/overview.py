"""`/`: how every journey is doing."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from reports.web.pages.mute import OFFERED_MUTES
from reports.web.pages.real_users.users import metric_names
from reports.web.query.journey_filter import STATUSES, parse_journey_filter
from reports.web.render.html import render_page
from reports.web.render.svg import Spark
from reports.web.render.uptime import Uptime, draw_uptime, first_day
from reports.web.site import Site
from reports.web.view_models.overview import JourneyState, draw_state, read_overview, state_headline
from reports.web.view_models.real_users.metric_tiles import read_tiles
from runner.store.queries.history.days import read_day_counts
from runner.store.queries.tags import read_tags


class JourneyLine(Struct, frozen=True, kw_only=True):
    """A journey at a location as it is listed."""

    state: JourneyState
    spark: Spark
    uptime: Uptime
    tags: tuple[str, ...]
    next: datetime | None
    check: bool = False
    """Whether its file declares it as a check."""


class JourneyGroup(Struct, frozen=True, kw_only=True):
    """Journeys of one tag."""

    name: str
    """Empty where journeys are not grouped."""
    lines: tuple[JourneyLine, ...]

    @property
    def failing(self) -> int:
        """How many do not pass."""
        return sum(one.state.status in {"failed", "error"} for one in self.lines)


def show_overview(site: Site, request: Request) -> Response:
    """The page."""
    location = request.query_params.get("location")
    wanted = parse_journey_filter(request.query_params)
    now = site.now()
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        data = read_overview(connection, time_range, location, site.budgets, site.declared())
        next_runs = site.next_runs(connection)
        days = read_day_counts(connection, first_day(now), location=location)
        tags = read_tags(connection, [one.newest_run for one in data.journeys if one.newest_run])
        each_app = read_tiles(connection, time_range.range)
    facts = site.facts()
    checks = {name for name, one in facts.items() if one.kind == "check"}
    headline, mood = state_headline(data)
    lines = [
        JourneyLine(
            state=one,
            spark=draw_state(one, time_range.start, time_range.end),
            uptime=draw_uptime(days.get((one.journey, one.location), ()), now),
            tags=tags.get(one.newest_run or "", ()),
            next=next_runs.get(one.journey),
            check=one.journey in checks,
        )
        for one in data.journeys
    ]
    shown = [
        one
        for one in lines
        if wanted.matches(one.state.journey, one.state.location, one.state.status, one.tags, one.state.last_failure or "")
    ]
    return render_page(
        request,
        "overview.html",
        section="Overview",
        time_range=time_range,
        live=time_range.moving,
        data=data,
        alerts=data.alerts,
        offered_mutes=OFFERED_MUTES,
        keep=(f"&location={location}" if location else "") + wanted.words,
        location=location,
        several=len({one.location for one in data.journeys}) > 1,
        wanted=wanted,
        statuses=STATUSES,
        tags=sorted({tag for one in lines for tag in one.tags}),
        groups=group_by_tag(shown) if wanted.grouped else [JourneyGroup(name="", lines=tuple(shown))],
        listed=len(shown),
        headline=headline,
        mood=mood,
        each_app=each_app,
        **metric_names(),
    )


def group_by_tag(lines: Sequence[JourneyLine]) -> list[JourneyGroup]:
    """A group for each tag, in which a journey of several tags is several times; those without a tag come last."""
    names = sorted({tag for one in lines for tag in one.tags})
    groups = [JourneyGroup(name=name, lines=tuple(one for one in lines if name in one.tags)) for name in names]
    rest = tuple(one for one in lines if not one.tags)
    return [*groups, JourneyGroup(name="without a tag", lines=rest)] if rest else groups
