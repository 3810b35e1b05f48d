"""`/metrics-chart`: load times from /metrics, charted in the browser without the store or Prometheus."""

from starlette.requests import Request
from starlette.responses import Response

from reports.web.render.html import render_page
from reports.web.site import Site

EVERY = 5
"""Seconds between two readings."""


def show_metrics_chart(site: Site, request: Request) -> Response:  # noqa: ARG001 (every handler gets both)
    """The page."""
    return render_page(request, "metrics_chart.html", section="Real users", every=EVERY)
