"""The addresses of the dashboard: its pages, and the files that they load."""

from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from reports.web.pages import artifacts, events, journey, locations, metrics_chart, overview, replay, run, runs
from reports.web.pages.incidents import add_incident, edit_incident, remove_incident, show_incidents, update_incident
from reports.web.pages.mute import mute_alert, unmute_alert
from reports.web.pages.objectives import show_objectives
from reports.web.pages.pause import pause_journey, resume_journey
from reports.web.pages.real_users import (
    click_map,
    coverage,
    errors,
    funnel,
    journeys_vs_users,
    page_view,
    recordings,
    sessions,
    users,
)
from reports.web.pages.real_users.from_session import download_journey, make_journey_of_session, show_journey_of_session
from reports.web.pages.requested_runs import changes_route, run_journey, show_request
from reports.web.render.html import STATIC
from reports.web.site import Site, page_route


class _RowConvertor(IntegerConvertor):
    """A number that every database can hold; a longer one is the address of nothing."""

    regex = "[0-9]{1,18}"


register_url_convertor("row", _RowConvertor())


def page_routes(site: Site) -> list[BaseRoute]:
    """The routes of a site."""
    return [
        page_route(site, "/", overview.show_overview),
        page_route(site, "/journeys/{journey}", journey.show_journey),
        page_route(site, "/journeys/{journey}/pause", pause_journey, methods=["POST"]),
        page_route(site, "/journeys/{journey}/resume", resume_journey, methods=["POST"]),
        page_route(site, "/journeys/{journey}/run", run_journey, methods=["POST"]),
        page_route(site, "/journeys/{journey}/mute", mute_alert, methods=["POST"]),
        page_route(site, "/journeys/{journey}/unmute", unmute_alert, methods=["POST"]),
        page_route(site, "/alerts/mute", mute_alert, methods=["POST"]),
        page_route(site, "/alerts/unmute", unmute_alert, methods=["POST"]),
        page_route(site, "/requests/{request}", show_request),
        changes_route(site),
        page_route(site, "/runs", runs.show_runs),
        page_route(site, "/runs/{run}", run.show_run),
        page_route(site, "/runs/{run}/trace", run.show_trace),
        page_route(site, "/locations", locations.show_locations),
        page_route(site, "/objectives", show_objectives),
        page_route(site, "/incidents", show_incidents),
        page_route(site, "/incidents", add_incident, methods=["POST"]),
        page_route(site, "/incidents/edit", edit_incident, methods=["POST"]),
        page_route(site, "/incidents/update", update_incident, methods=["POST"]),
        page_route(site, "/incidents/remove", remove_incident, methods=["POST"]),
        page_route(site, "/users", users.show_users),
        page_route(site, "/errors", errors.show_errors),
        page_route(site, "/errors/{error}", errors.show_error),
        page_route(site, "/errors/{error}/state", errors.change_error, methods=["POST"]),
        page_route(site, "/users/journeys", journeys_vs_users.show_journeys_vs_users),
        page_route(site, "/users/views/{view}", page_view.show_page_view),
        page_route(site, "/clicks", click_map.show_click_map),
        page_route(site, "/funnels", funnel.show_funnel),
        page_route(site, "/metrics-chart", metrics_chart.show_metrics_chart),
        page_route(site, "/sessions", sessions.show_sessions),
        page_route(site, "/sessions/{session}", sessions.show_session),
        page_route(site, "/sessions/{session}/journey", make_journey_of_session, methods=["POST"]),
        page_route(site, "/sessions/{session}/journey", show_journey_of_session),
        page_route(site, "/sessions/{session}/journey.py", download_journey),
        page_route(site, "/recordings", recordings.show_recordings),
        page_route(site, "/coverage", coverage.show_coverage),
        page_route(site, "/runs/{run}/replay", replay.show_run_replay),
        page_route(site, "/sessions/{session}/replay", replay.show_session_replay),
        page_route(site, "/replays/chunks/{number:row}", replay.send_chunk),
        page_route(site, "/artifacts/{number:row}", artifacts.show_artifact),
        page_route(site, "/artifacts/{number:row}/frames/{frame:row}", artifacts.show_frame),
        Mount("/viewer", artifacts.TraceViewer()),
        Route("/events", events.events_endpoint(events.ChangeFeed(site.store), site.stopping)),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]
