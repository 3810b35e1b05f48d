"""A click map: what visitors clicked on a page, and a recorded page to draw it on."""

from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection

from reports.users.click_counts import WIDTHS, ClickCount, PageSnapshot, Width, find_snapshot, read_click_counts
from reports.users.rollup_queries import Filter
from reports.web.query.time_range import BadRequest
from runner.store.queries.time_range import Range


class ClickMap(Struct, frozen=True, kw_only=True):
    """The clicks on a page by visitors with windows of one width class."""

    app: str
    page: str
    width: Width
    start: datetime
    end: datetime
    views: int
    """Page views that were looked at: the newest, 20,000 at most."""
    elements: tuple[ClickCount, ...]
    snapshot: PageSnapshot | None
    """Where the page can be seen; None if no visit to it was recorded."""


def parse_width(text: str) -> Width:
    """The width class of an address. Raises BadRequest."""
    found = next((one for one in WIDTHS if one == (text or "desktop")), None)
    if found is None:
        raise BadRequest(f"width: {text[:40]!r} is not valid; choose one of {', '.join(WIDTHS)}")
    return found


def read_click_map(connection: Connection, which: Filter, when: Range, width: Width, limit: int = 100) -> ClickMap:
    """The clicks on the page of the filter."""
    views, elements = read_click_counts(connection, which, when, width, limit)
    return ClickMap(
        app=which.app,
        page=which.page or "",
        width=width,
        start=when.start,
        end=when.end,
        views=views,
        elements=tuple(elements),
        snapshot=find_snapshot(connection, which, when, width),
    )
