"""What real users do and no journey covers, for an app and a time range."""

from sqlalchemy import Connection

from reports.users.coverage import Coverage, read_coverage, read_visited_apps
from reports.web.query.time_range import BadRequest, TimeRange

MOST = 50
"""Pages and actions that are listed."""


def read_coverage_of_app(connection: Connection, time_range: TimeRange, app: str | None = None, most: int = MOST) -> Coverage:
    """The coverage of an app, by default the first; empty if there is no app. Raises BadRequest.

    Reads every page view of the span.
    """
    return read_coverage_with_apps(connection, time_range, app, most)[0]


def read_coverage_with_apps(
    connection: Connection, time_range: TimeRange, app: str | None = None, most: int = MOST
) -> tuple[Coverage, list[str]]:
    """The same, with all known apps."""
    known = read_visited_apps(connection)
    if app and app not in known:
        raise BadRequest(f"app: {app[:40]!r} has sent nothing yet; choose one of {', '.join(known) or 'none'}")
    if not known:
        nothing = Coverage(
            app="", views=0, views_covered=0, actions=0, actions_covered=0, untouched_pages=(), untouched_actions=()
        )
        return nothing, known
    return read_coverage(connection, app or known[0], time_range.range, most), known
