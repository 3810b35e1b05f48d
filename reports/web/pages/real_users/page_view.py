"""`/users/views/ID`: one page view of a real user."""

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from reports.formats.html.run import PHASES, ROW, WIDTH, WaterfallBar, WaterfallRow
from reports.users.page_view_queries import Whole
from reports.web.pages.real_users.sessions import replay_link
from reports.web.pages.real_users.users import metric_names
from reports.web.render.html import format_duration, render_page
from reports.web.render.problem import render_problem
from reports.web.site import Site
from reports.web.view_models.real_users.page_view import read_page_view
from runner.store.tables.page_views import Metric
from runner.telemetry.trace_ids import format_trace_url

VITALS: tuple[Metric, ...] = ("fcp", "lcp")
"""Vitals that mark a time of loading."""


class Loading(Struct, frozen=True):
    """How the page was loaded: its phases and slow requests over time, and when it was painted."""

    rows: tuple[WaterfallRow, ...]
    seconds: float
    marks: tuple[tuple[float, str], ...]
    height: float


def show_page_view(site: Site, request: Request) -> Response:
    """The page."""
    with site.read(request) as connection:
        found = read_page_view(connection, request.path_params["view"])
    if found is None:
        return render_problem(
            request, 404, f"No page view {request.path_params['view'][:70]!r} is stored; old ones are removed."
        )
    data, seen, begins = found.view, found.view.seen, found.recorded_from
    return render_page(
        request,
        "view.html",
        section="Real users",
        data=data,
        seen=seen,
        session=found.session,
        replay=replay_link(seen.session, begins.timestamp(), seen.started_at) if begins else None,
        loading=draw_loading(data),
        trace_url=format_trace_url(site.trace_url, seen.trace, "") if site.trace_url and seen.trace else None,
        slow=found.slow,
        width=WIDTH,
        height=ROW,
        phases=PHASES,
        **metric_names(),
    )


def draw_loading(data: Whole) -> Loading | None:
    """The drawing of the phases; None for a view without any, such as one restored from the back/forward cache."""
    paints = [(name, data.seen.vitals[name]) for name in VITALS if name in data.seen.vitals]
    total = sum(data.phases.get(phase, 0.0) for phase in PHASES)
    seconds = max([total, data.seen.load_seconds or 0.0, *(value for _, value in paints)])
    if seconds <= 0:
        return None
    during = [one for one in data.requests if one.at_seconds <= seconds]
    seconds = max([seconds, *(min(one.at_seconds + one.duration_seconds, seconds * 3) for one in during)])
    scale = WIDTH / seconds
    bars: list[WaterfallBar] = []
    reached = 0.0
    for phase in PHASES:
        length = data.phases.get(phase, 0.0)
        if length > 0:
            bars.append(WaterfallBar(reached * scale, max(length * scale, 0.5), ROW, phase, f"{phase} {length * 1000:.1f} ms"))
            reached += length
    rows = [
        WaterfallRow(
            ROW, f"page {data.seen.url}", format_duration(data.seen.load_seconds), tuple(bars), data.seen.status >= 400
        )
    ]
    for place, one in enumerate(during):
        y = ROW * (place + 2)
        width = max(min(one.duration_seconds, seconds - one.at_seconds) * scale, 1.0)
        title = f"{one.method} {one.url} {one.status or one.failure}"
        bar = WaterfallBar(one.at_seconds * scale, width, y, "request-bar", title)
        bad = bool(one.failure) or one.status >= 400
        rows.append(WaterfallRow(y, f"{one.kind} {one.url}", format_duration(one.duration_seconds), (bar,), bad))
    marks = tuple((round(value * scale, 1), f"{name.upper()} {format_duration(value)}") for name, value in paints)
    return Loading(tuple(rows), seconds, marks, ROW * (len(rows) + 1) + 4 + 16 * len(marks))
