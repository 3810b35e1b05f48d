"""HTML from the dashboard's templates, with security headers."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response

from reports.templates import make_environment
from reports.text.table_labels import label_cells
from reports.web.query.time_range import OFFERED_RANGES, format_timestamp

HERE = Path(__file__).parents[1]
STATIC = HERE / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "media-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
"""No external and no inline scripts or styles: texts from journeys, sites and visitors stay text."""
INERT_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def render_page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page of the dashboard. All values are escaped."""
    text = (
        load_templates()
        .get_template(template)
        .render(
            request=request,
            root=root_path(request),
            access=request.scope.get("access"),
            offered=OFFERED_RANGES,
            now=datetime.now(UTC),
            sample_end=request.scope.get("sample_end"),
            **values,
        )
    )
    return HTMLResponse(label_cells(text), status, headers=INERT_HEADERS)


def root_path(request: HTTPConnection) -> str:
    """The path under which the dashboard is mounted; nested mounts have changed `root_path` since."""
    found: str = request.scope.get("dashboard_root", request.scope.get("root_path", ""))
    return found


def request_path(request: HTTPConnection) -> str:
    """The path of an address below that."""
    found: str = request.scope["path"]
    return found.removeprefix(root_path(request)) or "/"


@cache
def load_templates() -> Environment:
    """The templates, with shared filters and globals."""
    environment = make_environment("reports.web", "templates")
    environment.filters.update(
        stamp=format_timestamp,
        seconds=format_duration,
        share=format_share,
        lasting=format_length,
        clock=format_second,
        ago=format_age,
        first_line=lambda text: (text or "").partition("\n")[0],
        safe_json=safe_json,
        parameters=parse_qsl,
        minute=format_minute,
    )
    return environment


def safe_json(text: str) -> Markup:
    """JSON for a script element (HTML, 4.12.1.3): it cannot end the element.

    >>> safe_json('{"name": "</script>"}')
    Markup('{"name": "\\\\u003c/script>"}')
    """
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 (escaped above)


def format_duration(value: float | None) -> str:
    """Seconds for people.

    >>> format_duration(0.0123), format_duration(2.5)
    ('12 ms', '2.50 s')
    """
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s" if value < 100 else f"{value:.0f} s"


def format_length(seconds: float) -> str:
    """A duration for people.

    >>> format_length(2.44), format_length(48.6), format_length(813.2), format_length(7321.0)
    ('2.4 s', '49 s', '13 min 33 s', '2 h 2 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def format_share(value: float | None) -> str:
    """A share as a percentage, with enough digits to distinguish it from 0 % and 100 %.

    >>> format_share(1.0), format_share(0.99951), format_share(0.5)
    ('100 %', '99.95 %', '50.0 %')
    """
    if value is None:
        return "–"
    if value in {0, 1}:
        return f"{value * 100:.0f} %"
    return f"{value * 100:.2f} %" if value > 0.99 else f"{value * 100:.1f} %"


def format_second(at: datetime) -> str:
    """A time in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def format_minute(at: datetime) -> str:
    """A time in UTC, to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def format_age(at: datetime, now: datetime) -> str:
    """How long before now, or after it.

    >>> format_age(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 5, tzinfo=UTC))
    '5 min ago'
    """
    seconds = (now - at).total_seconds()
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if abs(seconds) >= length:
            count = f"{abs(seconds) // length:.0f} {unit}"
            return f"{count} ago" if seconds > 0 else f"in {count}"
    return "now"
