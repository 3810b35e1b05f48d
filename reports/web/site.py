"""The dashboard as a part of an application: what its pages are made from, and its routes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from reports.compare import Rule
from reports.web.pages import events
from reports.web.query import time_range as span
from reports.web.query.time_range import BadRequest, Span
from reports.web.render import html as render
from reports.web.services.journey_maker import Making
from runner.archive.archive import Archive
from runner.settings.budgets import Budget
from runner.store import Store, StoreDown
from runner.store.queries.runs import History

TITLES = {
    400: "That cannot be shown",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not done here",
    409: "Not just now",
    413: "Too large",
    414: "Too long",
    415: "Not a form",
    421: "Another name",
    422: "It cannot be made",
    429: "Too many guesses",
    431: "Too long",
    503: "The store does not answer",
}
Handler = Callable[["Site", Request], Response]
"""Makes a page. It is called in a thread: it may ask the database and read files."""


class Site(Struct, frozen=True, kw_only=True):
    """What the pages are made from."""

    store: Store
    archive: Archive
    upcoming: Callable[[], Mapping[str, datetime]] = dict
    """When each journey is due next."""
    budgets: Mapping[str, float] = {}
    """Of a run's duration in seconds, by journey."""
    bounds: Sequence[Budget] = ()
    """All budgets of the settings."""
    rule: Rule = Rule()
    """When two sets of runs differ."""
    rules: Mapping[str, Sequence[str]] = {}
    """How the pages of each app are called (`App.routes`), as the collector names them by."""
    making: Making | None = None
    """Makes journeys of recorded sessions; None where that is not to be done."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the server is about to end, so that streams end too."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def history(self) -> History:
        """Of the runs."""
        return History(self.store)

    def span(self, request: Request) -> Span:
        """The span of time that an address asks for. Raises BadRequest."""
        return span.read(request.query_params, self.now())


def routed(site: Site, path: str, handler: Handler, **more: Any) -> Route:
    """A route to a page; what goes wrong becomes a page that says so."""

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(handler, site, request)
        except BadRequest as error:
            return problem(request, 400, str(error))
        except StoreDown as error:
            return problem(request, 503, str(error))

    endpoint: Callable[[Request], Awaitable[Response]] = answer
    return Route(path, endpoint, **more)


def problem(request: Request, status: int, text: str) -> Response:
    """A page that says what is wrong; for the API, what RFC 9457 has for it."""
    if render.path(request).startswith("/api/"):
        told = {"type": "about:blank", "title": TITLES.get(status, "Something went wrong"), "status": status, "detail": text}
        name, colon, _ = text.partition(": ")
        told |= {"parameter": name} if status == 400 and colon and name.isidentifier() else {}
        return Response(msgspec.json.encode(told), status, render.HEADERS, "application/problem+json")
    return render.page(request, "problem.html", status, title=TITLES.get(status, "Something went wrong"), text=text)


async def not_found(request: Request, error: Exception) -> Response:
    """The page for an address that does not exist."""
    detail = error.detail if isinstance(error, HTTPException) and error.detail != "Not Found" else "There is no such page."
    return problem(request, 404, detail)


def routes(site: Site) -> list[BaseRoute]:
    """The pages, and what they load."""
    from reports.web.pages import artifacts as files
    from reports.web.pages import (
        coverage,
        from_session,
        journey,
        metrics_chart,
        overview,
        recordings,
        replay,
        run,
        runs,
        sessions,
        users,
    )
    from reports.web.pages import journeys_vs_users as against
    from reports.web.pages import page_view as view
    from reports.web.pages import pause as pausing

    return [
        routed(site, "/", overview.show),
        routed(site, "/journeys/{journey}", journey.show),
        routed(site, "/journeys/{journey}/pause", pausing.pause, methods=["POST"]),
        routed(site, "/journeys/{journey}/resume", pausing.resume, methods=["POST"]),
        routed(site, "/runs", runs.show),
        routed(site, "/runs/{run}", run.show),
        routed(site, "/runs/{run}/trace", run.trace),
        routed(site, "/users", users.show),
        routed(site, "/users/journeys", against.show),
        routed(site, "/users/views/{view}", view.show),
        routed(site, "/metrics-chart", metrics_chart.show),
        routed(site, "/sessions", sessions.show_list),
        routed(site, "/sessions/{session}", sessions.show),
        routed(site, "/sessions/{session}/journey", from_session.make, methods=["POST"]),
        routed(site, "/sessions/{session}/journey", from_session.show),
        routed(site, "/sessions/{session}/journey.py", from_session.download),
        routed(site, "/recordings", recordings.show),
        routed(site, "/coverage", coverage.show),
        routed(site, "/runs/{run}/replay", replay.run),
        routed(site, "/sessions/{session}/replay", replay.session),
        routed(site, "/replays/chunks/{number:int}", replay.chunk),
        routed(site, "/artifacts/{number:int}", files.artifact),
        routed(site, "/artifacts/{number:int}/frames/{frame:int}", files.frame),
        Mount("/viewer", files.Viewer()),
        Route("/events", events.endpoint(events.News(site.store), site.stopping)),
        Mount("/static", StaticFiles(directory=render.STATIC), name="static"),
    ]
