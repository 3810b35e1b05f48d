"""The table of the API: an address, the function that answers it, what it may be asked, and what it answers with."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from reports.replay.coverage import Coverage
from reports.web.api.parameter import JOURNEY, LOCATION, RANGE, SPAN, Parameter
from reports.web.figures import coverage, journey, lists, overview, recordings, run
from reports.web.site import Site
from reports.web.span import Span
from runner.store.history import History


class Asked(Struct, frozen=True):
    """What an address asks for: of which site, over which span, with which values in its path and parameters."""

    site: Site
    span: Span
    values: Mapping[str, Any]

    @property
    def history(self) -> History:
        """Of the runs."""
        return self.site.history

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


RECORDED = (
    Parameter(name="page", means="Only those that came to this page, by its route template."),
    Parameter(name="release", means="Only visits of this release of the site."),
    Parameter(name="traffic", means="Only visits of people, of robots, or runs of journeys.", choices=recordings.TRAFFIC),
    Parameter(name="errors", means="Only visits with an error, and runs that did not pass.", choices=("yes",)),
    Parameter(name="longer", means="Only those that go on for so long, such as 30s or 5m.", pattern=RANGE.pattern),
)
Answer = Callable[[Asked], Struct | None]
"""None is for what is not there (404)."""
STATUS = Parameter(name="status", means="Only runs that ended so; may be given again.", choices=lists.STATUSES, several=True)
BEFORE = Parameter(name="before", means="The next page: `older` of the one before.")
APP = Parameter(name="app", means="Only what is of this app.")
LIMIT = Parameter(name="limit", means="How many at the most.", numbers=(1, lists.MOST), fallback=lists.PAGE)


class Endpoint(Struct, frozen=True, kw_only=True):
    """One address of the API."""

    path: str
    answer: Answer
    parameters: tuple[Parameter, ...] = ()
    struct: type[Struct]
    summary: str
    rows: str | None = None
    """The field that CSV is made of."""

    @property
    def in_path(self) -> tuple[str, ...]:
        """The names of the path's parts that vary."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


ENDPOINTS = (
    Endpoint(
        path="/overview",
        answer=lambda asked: overview.overview(asked.history, asked.span, asked["location"], asked.site.budgets),
        parameters=(*SPAN, LOCATION),
        struct=overview.Overview,
        summary="How every journey is doing, and what has changed lately",
        rows="journeys",
    ),
    Endpoint(
        path="/journeys/{journey}",
        answer=lambda asked: journey.journey(asked.history, asked["journey"], asked["location"], asked.span),
        parameters=(*SPAN, LOCATION),
        struct=journey.JourneyData,
        summary="One journey: its steps over time, its days, why its runs did not pass",
        rows="newest",
    ),
    Endpoint(
        path="/journeys/{journey}/phases",
        answer=lambda asked: journey.phase_list(asked.history, asked["journey"], asked["location"], asked.span),
        parameters=(*SPAN, LOCATION),
        struct=journey.PhaseList,
        summary="What loading each step's document was made of, in the newest runs that passed",
        rows="phases",
    ),
    Endpoint(
        path="/runs",
        answer=lambda asked: lists.runs(
            asked.history, asked.span, asked["journey"], asked["location"], asked["status"], asked["before"], asked["limit"]
        ),
        parameters=(*SPAN, JOURNEY, LOCATION, STATUS, BEFORE, LIMIT),
        struct=lists.RunList,
        summary="Runs, the newest first, page by page",
        rows="runs",
    ),
    Endpoint(
        path="/runs/{run}",
        answer=lambda asked: run.run(asked.history, asked.site.archive, asked["run"]),
        struct=run.RunData,
        summary="One run: all that is stored of it, and how it differs from the last one that passed",
    ),
    Endpoint(
        path="/runs/{run}/artifacts",
        answer=lambda asked: lists.artifacts(asked.history, asked.site.archive, asked["run"]),
        struct=lists.KeptList,
        summary="The files that a run has left behind; each is at /artifacts/ID",
        rows="artifacts",
    ),
    Endpoint(
        path="/recordings",
        answer=lambda asked: recordings.recordings(asked.site.store, asked.span, recordings.read(asked.values), asked["limit"]),
        parameters=(*SPAN, APP, *RECORDED, BEFORE, LIMIT),
        struct=recordings.Recordings,
        summary="What can be watched, of visits and of journeys' runs, the newest first, page by page",
        rows="recordings",
    ),
    Endpoint(
        path="/coverage",
        answer=lambda asked: coverage.coverage(asked.site.store, asked.span, asked["app"], asked["limit"]),
        parameters=(*SPAN, APP, LIMIT),
        struct=Coverage,
        summary="What real users do and no journey touches; as CSV its actions",
        rows="untouched_actions",
    ),
    Endpoint(
        path="/alerts",
        answer=lambda asked: lists.alerts(asked.history),
        struct=lists.AlertList,
        summary="What is known to be wrong now",
        rows="alerts",
    ),
    Endpoint(
        path="/missed",
        answer=lambda asked: lists.slots(asked.history, asked.span),
        parameters=SPAN,
        struct=lists.SlotList,
        summary="Slots at which a journey was due and was not run",
        rows="slots",
    ),
)
