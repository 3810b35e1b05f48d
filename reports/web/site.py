"""What the dashboard's pages are made from, and how an address leads to one."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reports.compare import Rule
from reports.web.query.time_range import BadRequest, TimeRange, parse_time_range
from reports.web.render.problem import render_problem
from reports.web.services.journey_maker import JourneyMaker
from runner.archive.archive import Archive
from runner.settings.budgets import Budget
from runner.store import Store, StoreDown

Handler = Callable[["Site", Request], Response]
"""Makes a page. It is called in a thread: it may ask the database and read files."""


class Site(Struct, frozen=True, kw_only=True):
    """What the pages are made from."""

    store: Store
    archive: Archive
    next_runs: Callable[[Connection], Mapping[str, datetime]] = lambda _: {}
    """When each journey is due next; asked over the connection of the page."""
    budgets: Mapping[str, float] = {}
    """Of a run's duration in seconds, by journey."""
    bounds: Sequence[Budget] = ()
    """All budgets of the settings."""
    rule: Rule = Rule()
    """When two sets of runs differ."""
    rules: Mapping[str, Sequence[str]] = {}
    """How the pages of each app are called (`App.routes`), as the collector names them by."""
    journey_maker: JourneyMaker | None = None
    """Makes journeys of recorded sessions; None where that is not to be done."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the server is about to end, so that streams end too."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def time_range(self, request: Request) -> TimeRange:
        """The span of time that an address asks for. Raises BadRequest."""
        return parse_time_range(request.query_params, self.now())


def page_route(site: Site, path: str, handler: Handler, **more: Any) -> Route:
    """A route to a page; what goes wrong becomes a page that says so."""

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(handler, site, request)
        except BadRequest as error:
            return render_problem(request, 400, str(error))
        except StoreDown as error:
            return render_problem(request, 503, str(error))

    endpoint: Callable[[Request], Awaitable[Response]] = answer
    return Route(path, endpoint, **more)
