"""One page view of a real user: all that its browser told, and whose it was."""

from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.replay import recording
from reports.users import page_view_queries as records
from reports.users import session_queries as visits
from reports.users.page_view_queries import Whole
from reports.users.session_queries import Session
from reports.web.view_models.sessions import Slow, slow_values


class ViewData(Struct, frozen=True, kw_only=True):
    """A page view."""

    view: Whole
    session: Session | None
    """None once it has been removed."""
    slow: tuple[Slow, ...]
    """What of it is worse than good."""
    recorded_from: datetime | None
    """When the recording of its session begins; None when there is none."""


def view(connection: Connection, identity: str) -> ViewData | None:
    """The figures of the page; None for a view that is not stored (any more). Look-ups by key."""
    found = records.view(connection, identity)
    if found is None:
        return None
    begins = recording.begun(connection, [found.seen.session]).get(found.seen.session)
    return ViewData(
        view=found,
        session=visits.session(connection, found.seen.session),
        slow=tuple(slow_values(found.seen)),
        recorded_from=None if begins is None else datetime.fromtimestamp(begins, UTC),
    )
