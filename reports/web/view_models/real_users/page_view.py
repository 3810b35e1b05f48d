"""One page view of a real user: everything that its browser reported, and its session."""

from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.replay.recording import read_recording_starts
from reports.users.page_view_queries import Whole, read_view
from reports.users.session_queries import Session, read_session
from reports.web.view_models.real_users.sessions import Slow, slow_values


class ViewData(Struct, frozen=True, kw_only=True):
    """A page view."""

    view: Whole
    session: Session | None
    """None once it has been removed."""
    slow: tuple[Slow, ...]
    """What of it is worse than good."""
    recorded_from: datetime | None
    """When the recording of its session begins; None when there is none."""


def read_page_view(connection: Connection, identity: str) -> ViewData | None:
    """The data of the page; None for a view that is not stored (any more). Look-ups by key."""
    found = read_view(connection, identity)
    if found is None:
        return None
    begins = read_recording_starts(connection, [found.seen.session]).get(found.seen.session)
    return ViewData(
        view=found,
        session=read_session(connection, found.seen.session),
        slow=tuple(slow_values(found.seen)),
        recorded_from=None if begins is None else datetime.fromtimestamp(begins, UTC),
    )
