"""Errors of real users: the list of an app's or of all apps', and one error with everything that is known of it."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from msgspec import Struct
from sqlalchemy import Connection

from reports.replay.recording import read_recording_starts
from reports.users.error_queries import Reason, read_reasons
from reports.users.one_error import ErrorCount, OneError, read_error, read_error_counts
from reports.users.page_view_queries import read_meetings
from reports.users.rollup_queries import Filter
from runner.store.error_states import ErrorState, State, read_error_states
from runner.store.queries.time_range import Range

STATES: tuple[str, ...] = (*get_args(State), "unresolved", "all")
"""What the list can be restricted to; `unresolved` are the open and the reopened."""
LISTED = 100
SAMPLES = 100
"""Newest page views with an error that say in which browsers and on which pages it was."""
SHOWN = 15
"""Of them that are listed."""


class ListedError(Struct, frozen=True, kw_only=True):
    """An error in the list."""

    app: str
    error: Reason
    state: State
    reopened_in: str
    """The release in which it came again after it was resolved."""


class ErrorList(Struct, frozen=True, kw_only=True):
    """Errors of a range, those in most page views first."""

    start: datetime
    end: datetime
    errors: tuple[ListedError, ...]
    others: dict[str, int]
    """How many of these errors are in each state, those that are not listed too."""


class Share(Struct, frozen=True, kw_only=True):
    """How many of the newest page views with an error have this value."""

    value: str
    views: int


class Meeting(Struct, frozen=True, kw_only=True):
    """A page view with the error."""

    view: str
    session: str
    page: str
    browser: str
    device: str
    release: str
    at: datetime
    """When the error was."""
    recorded_from: float | None
    """When the recording of its session begins, in seconds since the epoch; None if it was not recorded."""


class ErrorData(Struct, frozen=True, kw_only=True):
    """One error."""

    error: OneError
    state: State
    decision: ErrorState | None
    start: datetime
    end: datetime
    counts: tuple[ErrorCount, ...]
    """By hour, of the range."""
    sampled: int
    """Newest page views of the range that were read for `browsers`, `pages`, `devices`."""
    browsers: tuple[Share, ...]
    pages: tuple[Share, ...]
    devices: tuple[Share, ...]
    newest: tuple[Meeting, ...]


def read_error_list(connection: Connection, which: list[Filter], when: Range, state: str, limit: int = LISTED) -> ErrorList:
    """The list of these apps, with at most `limit` errors of each."""
    found = [(one.app, reason) for one in which for reason in read_reasons(connection, one.app, when, limit)]
    states = read_error_states(connection, [reason.id for _, reason in found])
    listed = []
    for app, reason in found:
        decision = states.get(reason.id)
        now: State = decision.state if decision else "open"
        listed.append(ListedError(app=app, error=reason, state=now, reopened_in=decision.reopened_in if decision else ""))
    wanted = {"unresolved": {"open", "reopened"}, "all": set(get_args(State))}.get(state, {state})
    shown = sorted((one for one in listed if one.state in wanted), key=lambda one: (-one.error.views, -one.error.count))
    return ErrorList(start=when.start, end=when.end, errors=tuple(shown[:limit]), others=Counter(one.state for one in listed))


def read_error_data(connection: Connection, error: str, when: Range) -> ErrorData | None:
    """The data of the page; None for an error that is not stored (any more)."""
    found = read_error(connection, error)
    if found is None:
        return None
    decision = read_error_states(connection, [error]).get(error)
    met = read_meetings(connection, error, when, SAMPLES)
    starts = read_recording_starts(connection, {seen.session for seen, _ in met[:SHOWN]})
    return ErrorData(
        error=found,
        state=decision.state if decision else "open",
        decision=decision,
        start=when.start,
        end=when.end,
        counts=tuple(read_error_counts(connection, error, when)),
        sampled=len(met),
        browsers=_shares(seen.browser for seen, _ in met),
        pages=_shares(seen.page for seen, _ in met),
        devices=_shares(seen.device for seen, _ in met),
        newest=tuple(
            Meeting(
                **{name: getattr(seen, name) for name in ("session", "page", "browser", "device", "release")},
                view=seen.id,
                at=at,
                recorded_from=starts.get(seen.session),
            )
            for seen, at in met[:SHOWN]
        ),
    )


def _shares(values: Iterable[str]) -> tuple[Share, ...]:
    return tuple(Share(value=value, views=count) for value, count in Counter(values).most_common(SHOWN))
