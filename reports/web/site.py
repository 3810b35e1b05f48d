"""What the handlers of the dashboard's pages get, and the route to a handler."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reports.compare import Rule
from reports.source_maps.map_store import MapStore
from reports.web.query.default_range import choose_range
from reports.web.query.refusal import RequestRefused
from reports.web.query.time_range import BadRequest, TimeRange, parse_time_range
from reports.web.render.problem import render_database_down, render_problem, render_refused, render_storage_down
from reports.web.services.journey_maker import JourneyMaker
from reports.web.services.next_runs import JourneyFacts
from reports.web.services.source_links import SourceLink
from runner.archive.archive import Archive
from runner.errors import StorageDown
from runner.result import Quarantine
from runner.settings.parsers.locations import LocationCount
from runner.settings.parsers.status_page import StatusPage
from runner.settings.sections.budgets import Budget
from runner.settings.sections.funnels import Funnel
from runner.settings.sections.maintenance import MaintenanceWindow
from runner.settings.sections.objectives import Objective
from runner.store import Store, StoreDown
from runner.store.samples import read_sample_end

Handler = Callable[["Site", Request], Response]
"""Renders a page. Called in a thread, so it may query the database and read files."""


class Site(Struct, frozen=True, kw_only=True):
    """Everything that pages are made from."""

    store: Store
    archive: Archive
    next_runs: Callable[[Connection], Mapping[str, datetime]] = lambda _: {}
    """When each journey runs next, read over the page's connection."""
    declared: Callable[[], frozenset[str] | None] = lambda: None
    """The names of the journeys that are declared in files; None if that is not known."""
    wait_for_declared: Callable[[], None] = lambda: None
    """Returns when the files of the journeys have been read once; a server that has just started is asked what is in them."""
    facts: Callable[[], Mapping[str, JourneyFacts]] = dict
    """What their files say about journeys, by name."""
    source_link: SourceLink = lambda _file, _line: None
    """The address of a line of a journey's file."""
    budgets: Mapping[str, float] = {}
    """Budgets of a run's duration in seconds, by journey."""
    bounds: Sequence[Budget] = ()
    """All budgets of the settings."""
    rule: Rule = Rule()
    """When two sets of runs differ."""
    rules: Mapping[str, Sequence[str]] = {}
    """The route templates of each app (`App.routes`), as used by the collector."""
    journey_maker: JourneyMaker | None = None
    """Creates journeys from recorded sessions; None to disable that."""
    maps: MapStore | None = None
    """Where uploaded source maps are kept; None to accept none."""
    quarantine: Sequence[Quarantine] = ()
    """The journeys and steps that are set aside."""
    objectives: Sequence[Objective] = ()
    funnels: Sequence[Funnel] = ()
    trace_url: str | None = None
    """Where the spans of a run can be seen: an address with `{trace_id}`, and perhaps `{span_id}`."""
    windows: Sequence[MaintenanceWindow] = ()
    """Of maintenance: what fails in them does not count against the availability without maintenance."""
    status_page: StatusPage | None = None
    alert_after: int = 2
    alert_locations: LocationCount = LocationCount()
    """How many runs fail one after the other before the status page calls it an incident."""
    location: str = "local"
    """Where requested runs are made by default, if a scheduler is there."""
    remote_base_urls: tuple[str, ...] = ()
    """The addresses beside the journeys' own that requested runs may be made against, as patterns."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the server is stopping, so that streams end."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @contextmanager
    def read(self, request: Request) -> Iterator[Connection]:
        """One snapshot of the store for a page, which says until when what it shows is a sample (`render_page`)."""
        with self.store.snapshot() as connection:
            request.scope["sample_end"] = read_sample_end(connection)
            yield connection

    def time_range(self, request: Request, connection: Connection | None = None) -> TimeRange:
        """The time range of an address; with a connection, an address that names none gets the range that fits the data.

        Raises BadRequest.
        """
        now, query = self.now(), request.query_params
        if connection is not None and not any(query.get(name) for name in ("range", "from", "to")):
            return parse_time_range({"range": choose_range(connection, now)}, now)
        return parse_time_range(query, now)


def page_route(site: Site, path: str, handler: Handler, **more: Any) -> Route:
    """A route to a page; errors become problem pages."""

    async def answer(request: Request) -> Response:
        try:
            return await run_in_threadpool(handler, site, request)
        except BadRequest as error:
            return render_problem(request, 400, str(error))
        except RequestRefused as error:
            return render_refused(request, error)
        except StoreDown as error:
            return render_database_down(request, error)
        except StorageDown as error:
            return render_storage_down(request, error)

    endpoint: Callable[[Request], Awaitable[Response]] = answer
    return Route(path, endpoint, **more)
