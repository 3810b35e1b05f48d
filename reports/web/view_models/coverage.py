"""What real users do and no journey touches, of an app and a span of time."""

from sqlalchemy import Connection

from reports.users.coverage import Coverage, read_coverage, read_visited_apps
from reports.web.query.time_range import BadRequest, TimeRange

MOST = 50
"""Pages and actions that are listed."""


def read_coverage_of_app(connection: Connection, time_range: TimeRange, app: str | None = None, most: int = MOST) -> Coverage:
    """The coverage of an app; of the first one if none is named, and nothing where there is none. Raises BadRequest.

    Reads every page view of the span.
    """
    return read_coverage_with_apps(connection, time_range, app, most)[0]


def read_coverage_with_apps(
    connection: Connection, time_range: TimeRange, app: str | None = None, most: int = MOST
) -> tuple[Coverage, list[str]]:
    """The same, with all apps that there are to choose from."""
    known = read_visited_apps(connection)
    if app and app not in known:
        raise BadRequest(f"app: {app[:40]!r} has sent nothing yet; choose of {', '.join(known) or 'none'}")
    if not known:
        nothing = Coverage(
            app="", views=0, views_covered=0, actions=0, actions_covered=0, untouched_pages=(), untouched_actions=()
        )
        return nothing, known
    return read_coverage(connection, app or known[0], time_range.range, most), known
