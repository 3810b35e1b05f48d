"""The time range of a page whose address names none: as long as there is data, and at most a day."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select, text

from reports.web.query.time_range import DEFAULT_RANGE, OFFERED_RANGES
from runner.settings.duration import parse_duration
from runner.store.tables.runs import runs

_HOUR, _MINUTE = 3600, 60


def choose_range(connection: Connection, now: datetime) -> str:
    """The shortest of the offered ranges that shows all there is, at most DEFAULT_RANGE unless everything is older than that.

    Reads one row at each end of two indices.
    """
    bounds = [*_runs(connection), *_page_views(connection)]
    if not bounds:
        return DEFAULT_RANGE
    offered = [(one, timedelta(seconds=parse_duration(one))) for one in OFFERED_RANGES]
    usual = timedelta(seconds=parse_duration(DEFAULT_RANGE))
    wanted = max(min(now - min(bounds), usual), now - max(bounds))
    return next((one for one, length in offered if length >= wanted), OFFERED_RANGES[-1])


def _runs(connection: Connection) -> list[datetime]:
    at = runs.c.started_at
    ends = [connection.execute(select(at).order_by(order).limit(1)).scalar() for order in (at, at.desc())]
    return [one for one in ends if one is not None]


def _page_views(connection: Connection) -> list[datetime]:
    def ask(statement: str, step: int) -> int | None:
        found: int | None = connection.execute(text(statement), {"step": step}).scalar()
        return found

    smallest = "SELECT min(at) FROM tallies WHERE step = :step"
    largest = "SELECT at FROM tallies WHERE step = :step ORDER BY at DESC LIMIT 1"
    first = ask(smallest, _HOUR)
    if first is None:
        return []
    # Sums by the minute are kept for some days only; while they reach as far, they know the start better.
    minute = ask(smallest, _MINUTE)
    last = ask(largest, _HOUR) or first
    if minute is not None and minute < first + _HOUR:
        first = minute
    return [datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last + _HOUR - 1, UTC)]
