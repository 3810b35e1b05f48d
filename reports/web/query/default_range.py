"""The time range of a page whose address names none: as long as there is data, and at most a day."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select, text

from reports.web.query.time_range import DEFAULT_RANGE, OFFERED_RANGES
from runner.settings.duration import parse_duration
from runner.store.tables.runs import runs

_HOUR, _MINUTE = 3600, 60


def choose_range(connection: Connection, now: datetime) -> str:
    """The shortest of the offered ranges that shows all there is, at most DEFAULT_RANGE unless everything is older than that.

    Reads the ends of two indices.
    """
    bounds = [*_runs(connection), *_page_views(connection)]
    if not bounds:
        return DEFAULT_RANGE
    offered = [(one, timedelta(seconds=parse_duration(one))) for one in OFFERED_RANGES]
    usual = timedelta(seconds=parse_duration(DEFAULT_RANGE))
    wanted = max(min(now - min(bounds), usual), now - max(bounds))
    return next((one for one, length in offered if length >= wanted), OFFERED_RANGES[-1])


def _runs(connection: Connection) -> list[datetime]:
    # Two subqueries, so that each is one look into the index.
    ends = select(select(func.min(runs.c.started_at)).scalar_subquery(), select(func.max(runs.c.started_at)).scalar_subquery())
    return [at for at in connection.execute(ends).one() if at is not None]


def _page_views(connection: Connection) -> list[datetime]:
    def ask(end: str, step: int) -> int | None:
        found: int | None = connection.execute(
            text(f"SELECT {end}(at) FROM tallies WHERE step = :step"),  # noqa: S608 (min or max)
            {"step": step},
        ).scalar()
        return found

    first = ask("min", _HOUR)
    if first is None:
        return []
    # Sums by the minute are kept for some days only; while they reach as far, they know the start better.
    minute = ask("min", _MINUTE)
    last = ask("max", _HOUR) or first
    if minute is not None and minute < first + _HOUR:
        first = minute
    return [datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last + _HOUR - 1, UTC)]
