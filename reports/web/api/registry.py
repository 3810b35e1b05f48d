"""The table of the API's endpoints, with the parameters that only they have."""

from reports.users.click_counts import WIDTHS
from reports.users.coverage import Coverage
from reports.web.api import real_users
from reports.web.api.endpoint import Endpoint
from reports.web.api.parameter import DURATION, JOURNEY, LOCATION, RANGE, SELECTION, SPAN, Parameter
from reports.web.query.comparison import OFFERED_SIDES, parse_comparison
from reports.web.view_models.comparison import ComparisonData, read_comparison
from reports.web.view_models.incidents import IncidentList, read_incident_list
from reports.web.view_models.journey import JourneyData, PhaseList, read_journey, read_phase_list
from reports.web.view_models.lists import (
    MOST,
    PAGE,
    STATUSES,
    AlertList,
    KeptList,
    RunList,
    SlotList,
    read_alerts,
    read_artifacts,
    read_lost_slots,
    read_runs,
)
from reports.web.view_models.locations import LocationList, read_location_list
from reports.web.view_models.objectives import ObjectiveList, read_objectives
from reports.web.view_models.overview import Overview, read_overview
from reports.web.view_models.real_users.click_map import ClickMap
from reports.web.view_models.real_users.coverage import read_coverage_of_app
from reports.web.view_models.real_users.errors import STATES, ErrorData, ErrorList, read_error_data
from reports.web.view_models.real_users.funnel import FunnelData
from reports.web.view_models.real_users.journeys_vs_users import Against
from reports.web.view_models.real_users.page_view import ViewData, read_page_view
from reports.web.view_models.real_users.recordings import TRAFFIC, Recordings, parse_recording_filter, read_recordings
from reports.web.view_models.real_users.sessions import Listed, SessionData, read_session_data
from reports.web.view_models.real_users.source_maps import MapList, read_map_list
from reports.web.view_models.real_users.users import MOST_PAGES, SORTS, Users
from reports.web.view_models.requested_runs import RequestData, read_request
from reports.web.view_models.run import RunData, read_run

RECORDED = (
    Parameter(name="page", means="Only those that came to this page, by its route template."),
    Parameter(name="release", means="Only visits of this release of the site."),
    Parameter(name="traffic", means="Only visits of people, of robots, or runs of journeys.", choices=TRAFFIC),
    Parameter(name="errors", means="Only visits with an error, and runs that did not pass.", choices=("yes",)),
    Parameter(name="longer", means="Only those that last at least this long, such as 30s or 5m.", pattern=RANGE.pattern),
)
STATUS = Parameter(name="status", means="Only runs with this status; may be repeated.", choices=STATUSES, several=True)
BEFORE = Parameter(name="before", means="The next page: the value of `older` in the one before.")
RELEASE = Parameter(name="release", means="Only runs of this release in the time range.")
VERSUS = (
    RELEASE,
    Parameter(name="with", means="What they are compared with: the time range before, or the same one.", choices=OFFERED_SIDES),
    Parameter(name="with_release", means="Only runs of this release, of those that they are compared with."),
    Parameter(name="with_from", means="Or the start of another time range, RFC 3339 in UTC; replaces with.", form="date-time"),
    Parameter(name="with_to", means="And its end.", form="date-time"),
)
APP = Parameter(name="app", means="Only this app.")
LIMIT = Parameter(name="limit", means="The maximum number of rows.", numbers=(1, MOST), fallback=PAGE)
SORT = Parameter(name="sort", means="What the pages are sorted by.", choices=SORTS, fallback=SORTS[0])
PAGES = Parameter(name="limit", means="The maximum number of pages.", numbers=(1, MOST), fallback=MOST_PAGES)
ERRORS = Parameter(name="errors", means="yes: only sessions with an error.", choices=("yes",))
FRUSTRATED = Parameter(name="frustrated", means="yes: only sessions with signs of frustration.", choices=("yes",))
ERRORS_OF = Parameter(name="app", means="Only errors of this app.")
ERROR_STATE = Parameter(name="state", means="Only errors in this state.", choices=STATES, fallback="all")
MAPS_OF = Parameter(name="release", means="Only those of this release.")
WIDTH = Parameter(name="width", means="The width of their windows.", choices=WIDTHS, fallback="desktop")
FUNNEL = (
    Parameter(name="funnel", means="A funnel of the settings; the first one of the app, if there are no steps either."),
    Parameter(
        name="step", means="Or a page (a route template) of a funnel of your own; given again for each step.", several=True
    ),
    Parameter(name="within", means="How long all steps may take, such as 30m.", pattern=DURATION),
    Parameter(name="dropped", means="A step: lists the sessions that went no further.", numbers=(0, 9), fallback=0),
)
LONGER = Parameter(name="longer", means="Only sessions that lasted at least this long, such as 5m.", pattern=DURATION)
OLDER = Parameter(name="before", means="The next page: the id of the last session of the one before.")

ENDPOINTS = (
    Endpoint(
        path="/overview",
        answer=lambda asked: read_overview(
            asked.connection, asked.time_range, asked["location"], asked.site.budgets, asked.site.declared()
        ),
        parameters=(*SPAN, LOCATION),
        struct=Overview,
        summary="How every journey is doing, and what has changed lately",
        rows=("journeys",),
    ),
    Endpoint(
        path="/journeys/{journey}",
        answer=lambda asked: read_journey(
            asked.connection, asked["journey"], asked["location"], asked.time_range, asked.site.bounds
        ),
        parameters=(*SPAN, LOCATION),
        struct=JourneyData,
        summary="One journey: its steps over time, its releases and days, why its runs did not pass",
        rows=("newest",),
    ),
    Endpoint(
        path="/journeys/{journey}/comparison",
        answer=lambda asked: read_comparison(
            asked.connection,
            asked["journey"],
            asked["location"],
            parse_comparison(asked.values, asked.time_range),
            asked.site.rule,
        ),
        parameters=(*SPAN, LOCATION, *VERSUS),
        struct=ComparisonData,
        summary="Two time ranges or two releases of a journey, compared step by step",
        rows=("steps",),
    ),
    Endpoint(
        path="/journeys/{journey}/phases",
        answer=lambda asked: read_phase_list(asked.connection, asked["journey"], asked["location"], asked.time_range),
        parameters=(*SPAN, LOCATION),
        struct=PhaseList,
        summary="What loading each step's document was made of, in the newest runs that passed",
        rows=("phases",),
    ),
    Endpoint(
        path="/runs",
        answer=lambda asked: read_runs(
            asked.connection,
            asked.time_range,
            asked["journey"],
            asked["location"],
            asked["status"],
            asked["release"],
            asked["before"],
            asked["limit"],
        ),
        parameters=(*SPAN, JOURNEY, LOCATION, STATUS, RELEASE, BEFORE, LIMIT),
        struct=RunList,
        summary="Runs, the newest first, page by page",
        rows=("runs",),
    ),
    Endpoint(
        path="/runs/requests/{request}",
        answer=lambda asked: read_request(asked.connection, asked["request"], asked.site.now()),
        struct=RequestData,
        summary="A request for runs: how far each is, and the verdict when all have ended",
    ),
    Endpoint(
        path="/runs/{run}",
        answer=lambda asked: read_run(asked.connection, asked.site.archive, asked["run"]),
        struct=RunData,
        summary="One run: all that is stored of it, and how it differs from the last one that passed",
    ),
    Endpoint(
        path="/runs/{run}/artifacts",
        answer=lambda asked: read_artifacts(asked.connection, asked.site.archive, asked["run"]),
        struct=KeptList,
        summary="The files that a run has produced; each is at /artifacts/ID",
        rows=("artifacts",),
    ),
    Endpoint(
        path="/recordings",
        answer=lambda asked: read_recordings(
            asked.connection, asked.time_range, parse_recording_filter(asked.values), asked["limit"]
        ),
        parameters=(*SPAN, APP, *RECORDED, BEFORE, LIMIT),
        struct=Recordings,
        summary="What can be watched, of visits and of journeys' runs, the newest first, page by page",
        rows=("recordings",),
    ),
    Endpoint(
        path="/coverage",
        answer=lambda asked: read_coverage_of_app(asked.connection, asked.time_range, asked["app"], asked["limit"]),
        parameters=(*SPAN, APP, LIMIT),
        struct=Coverage,
        summary="What real users do and no journey touches; as CSV its actions",
        rows=("untouched_actions",),
    ),
    Endpoint(
        path="/alerts",
        answer=lambda asked: read_alerts(asked.connection, asked.site.now()),
        struct=AlertList,
        summary="What is known to be wrong now",
        rows=("alerts",),
    ),
    Endpoint(
        path="/locations",
        answer=lambda asked: read_location_list(asked.connection, asked.time_range, asked.site.now()),
        struct=LocationList,
        summary="The places that journeys are walked from: which are up, what waits there, and what fails there",
        parameters=(*SPAN,),
        rows=("locations",),
    ),
    Endpoint(
        path="/objectives",
        answer=lambda asked: read_objectives(asked.connection, asked.site.objectives, asked.site.now()),
        struct=ObjectiveList,
        summary="How much of each error budget is left, how fast it burns, and what has used it up",
    ),
    Endpoint(
        path="/incidents",
        answer=lambda asked: read_incident_list(
            asked.connection, asked.site.status_page, asked.site.alert_after, asked.site.now(), asked.site.alert_locations
        ),
        struct=IncidentList,
        summary="The incidents of the status page, with what people have written about them, also what the public does not see",
        rows=("incidents",),
    ),
    Endpoint(
        path="/missed",
        answer=lambda asked: read_lost_slots(asked.connection, asked.time_range),
        parameters=SPAN,
        struct=SlotList,
        summary="Slots at which a journey was due and was not run",
        rows=("slots",),
    ),
    Endpoint(
        path="/users",
        answer=real_users.answer_users,
        parameters=(*SPAN, *SELECTION, SORT, PAGES),
        struct=Users,
        summary="Real users: web vitals and load times, as percentiles, over time and as a distribution; pages, errors, interactions",
        rows=("pages", "moments", "load", "slowest", "errors", "actions", "devices", "browsers", "releases"),
    ),
    Endpoint(
        path="/users/views/{view}",
        answer=lambda asked: read_page_view(asked.connection, asked["view"]),
        struct=ViewData,
        summary="One page view of a real user, with everything that its browser reported",
    ),
    Endpoint(
        path="/users/journeys",
        answer=real_users.answer_against,
        parameters=(*SPAN, *SELECTION),
        struct=Against,
        summary="Journeys beside real users on the same pages, and what their disagreement means",
        rows=("pages", "over_time", "triage"),
    ),
    Endpoint(
        path="/errors",
        answer=real_users.answer_errors,
        parameters=(*SPAN, ERRORS_OF, ERROR_STATE, LIMIT),
        struct=ErrorList,
        summary="Errors of real users in their groups, those in most page views first",
        rows=("errors",),
    ),
    Endpoint(
        path="/errors/{error}",
        answer=lambda asked: read_error_data(asked.connection, asked["error"], asked.time_range.range),
        parameters=SPAN,
        struct=ErrorData,
        summary="One error: where it is in the original code, its releases, how often it came, what was decided about it",
        rows=("counts", "browsers", "pages", "devices", "newest"),
    ),
    Endpoint(
        path="/source-maps",
        answer=lambda asked: read_map_list(asked.connection, asked["release"], asked["app"]),
        parameters=(MAPS_OF, APP),
        struct=MapList,
        summary="The source maps that are kept, the newest first",
        rows=("maps",),
    ),
    Endpoint(
        path="/clicks",
        answer=real_users.answer_clicks,
        parameters=(*SPAN, *SELECTION, WIDTH, LIMIT),
        struct=ClickMap,
        summary="What visitors clicked on a page, by element, and a recorded moment of the page",
        rows=("elements",),
    ),
    Endpoint(
        path="/funnels",
        answer=real_users.answer_funnels,
        parameters=(*SPAN, *(one for one in SELECTION if one.name != "page"), *FUNNEL, LIMIT),
        struct=FunnelData,
        summary="How many sessions came to each page of a funnel, and those that went no further; the funnels of the settings",
        rows=("steps", "dropped"),
    ),
    Endpoint(
        path="/sessions",
        answer=real_users.answer_sessions,
        parameters=(*SPAN, *SELECTION, ERRORS, FRUSTRATED, LONGER, OLDER, LIMIT),
        struct=Listed,
        summary="Sessions of real users, the newest first, page by page",
        rows=("sessions",),
    ),
    Endpoint(
        path="/sessions/{session}",
        answer=lambda asked: read_session_data(asked.connection, asked["session"]),
        struct=SessionData,
        summary="One session, with what happened in each of its page views",
    ),
)
