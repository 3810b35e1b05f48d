"""What real users do and no journey touches, of an app and a span of time."""

from reports.users import coverage as covered
from reports.users.coverage import Coverage
from reports.users.rollup_queries import Range
from reports.web.query.time_range import BadRequest, Span
from runner.store import Store

MOST = 50
"""Pages and actions that are listed."""


def coverage(store: Store, span: Span, app: str | None = None, most: int = MOST) -> Coverage:
    """The coverage of an app; of the first one if none is named, and nothing where there is none. Raises BadRequest, StoreDown.

    Reads every page view of the span.
    """
    known = covered.apps(store)
    if app and app not in known:
        raise BadRequest(f"app: {app[:40]!r} has sent nothing yet; choose of {', '.join(known) or 'none'}")
    if not known:
        return Coverage(
            app="", views=0, views_covered=0, actions=0, actions_covered=0, untouched_pages=(), untouched_actions=()
        )
    return covered.coverage(store, app or known[0], Range(span.start, span.end), most)
