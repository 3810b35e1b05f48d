"""The addresses of the dashboard: its pages, and the files that they load."""

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from reports.web.pages import (
    artifacts,
    coverage,
    events,
    from_session,
    journey,
    journeys_vs_users,
    metrics_chart,
    overview,
    page_view,
    pause,
    recordings,
    replay,
    run,
    runs,
    sessions,
    users,
)
from reports.web.render import html
from reports.web.site import Site, routed


def routes(site: Site) -> list[BaseRoute]:
    """The routes of a site."""
    return [
        routed(site, "/", overview.show),
        routed(site, "/journeys/{journey}", journey.show),
        routed(site, "/journeys/{journey}/pause", pause.pause, methods=["POST"]),
        routed(site, "/journeys/{journey}/resume", pause.resume, methods=["POST"]),
        routed(site, "/runs", runs.show),
        routed(site, "/runs/{run}", run.show),
        routed(site, "/runs/{run}/trace", run.trace),
        routed(site, "/users", users.show),
        routed(site, "/users/journeys", journeys_vs_users.show),
        routed(site, "/users/views/{view}", page_view.show),
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
        routed(site, "/artifacts/{number:int}", artifacts.artifact),
        routed(site, "/artifacts/{number:int}/frames/{frame:int}", artifacts.frame),
        Mount("/viewer", artifacts.Viewer()),
        Route("/events", events.endpoint(events.News(site.store), site.stopping)),
        Mount("/static", StaticFiles(directory=html.STATIC), name="static"),
    ]
