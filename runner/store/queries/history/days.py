"""How the runs of each day ended, from the sums by the day alone."""

from collections import defaultdict
from datetime import datetime

from msgspec import Struct
from sqlalchemy import Connection, select

from runner.store.queries.filters import of
from runner.store.rollups import run_days


class DayCount(Struct, frozen=True, kw_only=True):
    """The runs that began on a day (UTC)."""

    day: datetime
    passed: int
    failed: int
    errors: int

    @property
    def availability(self) -> float | None:
        """The share of passed runs among those that passed or failed."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None


def read_day_counts(
    connection: Connection, since: datetime, journey: str | None = None, location: str | None = None
) -> dict[tuple[str, str], list[DayCount]]:
    """The days from `since` on that had runs, by journey and location, the oldest first."""
    columns = [run_days.c[name] for name in ("journey", "location", "day", "passed", "failed", "error")]
    wanted = select(*columns).where(run_days.c.day >= since, *of(run_days, journey, location)).order_by(run_days.c.day)
    found: dict[tuple[str, str], list[DayCount]] = defaultdict(list)
    for row in connection.execute(wanted):
        one = DayCount(day=row.day, passed=row.passed, failed=row.failed, errors=row.error)
        found[row.journey, row.location].append(one)
    return found


def sum_day_counts(counts: dict[tuple[str, str], list[DayCount]]) -> list[DayCount]:
    """All journeys and locations together, day by day."""
    days: dict[datetime, list[DayCount]] = defaultdict(list)
    for some in counts.values():
        for one in some:
            days[one.day].append(one)
    return [
        DayCount(
            day=day,
            passed=sum(one.passed for one in some),
            failed=sum(one.failed for one in some),
            errors=sum(one.errors for one in some),
        )
        for day, some in sorted(days.items())
    ]
