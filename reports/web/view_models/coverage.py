"""What real users do and no journey touches, of an app and a span of time."""

from sqlalchemy import Connection

from reports.users import coverage as covered
from reports.users.coverage import Coverage
from reports.web.query.time_range import BadRequest, Span

MOST = 50
"""Pages and actions that are listed."""


def coverage(connection: Connection, span: Span, app: str | None = None, most: int = MOST) -> Coverage:
    """The coverage of an app; of the first one if none is named, and nothing where there is none. Raises BadRequest.

    Reads every page view of the span.
    """
    return coverage_with_apps(connection, span, app, most)[0]


def coverage_with_apps(
    connection: Connection, span: Span, app: str | None = None, most: int = MOST
) -> tuple[Coverage, list[str]]:
    """The same, with all apps that there are to choose from."""
    known = covered.apps(connection)
    if app and app not in known:
        raise BadRequest(f"app: {app[:40]!r} has sent nothing yet; choose of {', '.join(known) or 'none'}")
    if not known:
        nothing = Coverage(
            app="", views=0, views_covered=0, actions=0, actions_covered=0, untouched_pages=(), untouched_actions=()
        )
        return nothing, known
    return covered.coverage(connection, app or known[0], span.range, most), known
