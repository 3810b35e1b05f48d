"""Errors that were resolved and have come again in a later release: they are open again."""

from collections.abc import Iterator
from datetime import UTC, datetime

from msgspec import Struct
from sqlalchemy import Connection, func, select, update

from runner.store import Store
from runner.store.tables.errors import error_states
from runner.store.tables.page_views import page_errors, page_views, reasons, series

LOADED = ("navigate", "reload")
"""Page views whose scripts were loaded at their start."""


class Regression(Struct, frozen=True, kw_only=True):
    """An error that has come again."""

    id: str
    app: str
    release: str
    at: float

    def describe(self) -> str:
        """In a line of the log."""
        where = f" in release {self.release}" if self.release else ""
        return f"a resolved error of {self.app} came again{where}, at {datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M}Z: {self.id}"


def reopen_errors(store: Store) -> list[Regression]:
    """Marks errors as reopened that came again after they were resolved: in a release that is later than those that had them then.

    Pages that were open stay as they were, so the same release, or an earlier one, says nothing. Of an app that reports no releases, it is
    an error on a page that was loaded later.
    """
    with store.connected() as connection:
        found = list(_find(connection))
        for one in found:
            change = update(error_states).where(error_states.c.id == one.id, error_states.c.state == "resolved")
            connection.execute(change.values(state="reopened", reopened_at=one.at, reopened_in=one.release))
    return found


def _find(connection: Connection) -> Iterator[Regression]:
    for state in connection.execute(select(error_states).where(error_states.c.state == "resolved")).all():
        of_group = select(reasons.c.id, reasons.c.release, reasons.c.first_at, reasons.c.last_at).where(
            reasons.c.error_group == state.id
        )
        rows = connection.execute(of_group.where(reasons.c.last_at > state.at)).all()
        known = of_group.where(reasons.c.first_at <= state.at).with_only_columns(reasons.c.release)
        before = set(connection.execute(known).scalars()) if rows else set()
        again = [
            (one.first_at, one.release)
            for one in rows
            if one.release
            and one.release not in before
            and _is_later(connection, state.app, one.release, state.release, state.at)
        ]
        again += [
            (at, "") for one in rows if not one.release and (at := _loaded_later(connection, one.id, state.at)) is not None
        ]
        if again:
            at, release = min(again)
            yield Regression(id=state.id, app=state.app, release=release, at=at)


def _is_later(connection: Connection, app: str, release: str, than: str, resolved_at: float) -> bool:
    """Whether a release was seen first after another, or, if that is not known, after the moment at which the error was resolved."""
    of_app = select(func.min(series.c.first_at)).where(series.c.app == app, series.c.page == "")
    first = connection.execute(of_app.where(series.c.release == release)).scalar()
    other = connection.execute(of_app.where(series.c.release == than)).scalar() if than else resolved_at
    # Of a release beyond the limit of series it is not known; it must be new.
    return first is None or first > (resolved_at if other is None else other)


def _loaded_later(connection: Connection, reason: str, moment: float) -> float | None:
    """When the first error of this reason was on a page that was loaded after a moment."""
    wanted = (
        select(page_errors.c.at)
        .join(page_views, page_views.c.number == page_errors.c.view)
        .where(page_errors.c.reason == reason, page_errors.c.at > moment)
        .where(page_views.c.started_at > moment, page_views.c.type.in_(LOADED))
        .order_by(page_errors.c.at)
        .limit(1)
    )
    at: float | None = connection.execute(wanted).scalar()
    return at
