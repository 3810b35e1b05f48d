"""`/funnels`: how far visitors come along a series of pages, and which sessions went no further."""

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from reports.users.funnels import FunnelStep
from reports.web.pages.real_users.sessions import replay_link
from reports.web.pages.real_users.users import show_apps, show_empty
from reports.web.query.funnel import parse_funnel
from reports.web.query.page_view_filter import parse_selection
from reports.web.query.time_range import BadRequest
from reports.web.render.html import render_page
from reports.web.site import Site
from reports.web.view_models.real_users.funnel import add_recordings, read_funnel
from reports.web.view_models.real_users.metric_tiles import read_tiles
from runner.settings.duration import show_duration
from runner.settings.sections.funnels import MOST, Funnel

FIELDS = 5
"""Fields for steps that the form has at least."""


def show_funnel(site: Site, request: Request) -> Response:
    """The page."""
    query = request.query_params
    dropped = _parse_step(query.get("dropped") or "")
    with site.read(request) as connection:
        time_range = site.time_range(request, connection)
        chosen = parse_selection(connection, {**query, "page": ""})
        if chosen is None:
            return show_empty(site, request)
        funnel = parse_funnel(site.funnels, query.get("funnel") or "", query.getlist("step"), query.get("within") or "", chosen)
        # Of several apps none is chosen silently.
        each_app = read_tiles(connection, time_range.range, chosen.filters) if chosen.every_app and funnel is None else []
        found = add_recordings(
            connection, read_funnel(connection, site.funnels, funnel, chosen.filter, time_range.range, dropped)
        )
    if each_app:
        return show_apps(request, "/funnels", "Funnels", time_range, chosen, each_app)
    words = _words(funnel)
    return render_page(
        request,
        "funnel.html",
        section="Real users",
        time_range=time_range,
        live=False,
        data=found.data,
        funnel=funnel,
        chosen=chosen,
        words=words,
        keep=f"{chosen.words}{words}",
        dropped=dropped if funnel and dropped < len(funnel.steps) else 0,
        fields=_fields(found.data.steps),
        within=show_duration(funnel.within if funnel else 1800),
        replays={session: replay_link(session, begins) for session, begins in found.recorded.items()},
    )


def _parse_step(text: str) -> int:
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 3 or not 1 <= int(text) < MOST:
        raise BadRequest(f"dropped: {text[:40]!r} is not valid; write the number of a step, from 1 to {MOST - 1}")
    return int(text)


def _words(funnel: Funnel | None) -> str:
    """The query string of a funnel, beginning with `&`."""
    if funnel is None:
        return ""
    if funnel.name:
        return f"&{urlencode({'funnel': funnel.name})}"
    return f"&{urlencode([*(('step', one) for one in funnel.steps), ('within', show_duration(funnel.within))])}"


def _fields(steps: Sequence[FunnelStep]) -> list[str]:
    """The values of the form's fields, with room for one more step."""
    pages = [one.page for one in steps]
    return [*pages, *[""] * max(FIELDS - len(pages), 1)][:MOST]
