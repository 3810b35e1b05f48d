"""Numbers of the slots of a cron expression: so that several places can have them in turn, whoever counts."""

from datetime import date, datetime, timedelta
from functools import lru_cache

from cronsim import CronSim

FIRST = date(2020, 1, 1)
"""From which days are counted; the days before have no slots."""


def count_cron_slots(cron: str, slot: datetime) -> int:
    """The number of a slot, by the wall clock of its timezone. It follows from its time alone, without those before it.

    What the change to or from daylight-saving time leaves out or repeats counts as usual, so that one place may then have two
    slots in a row.

    >>> [count_cron_slots("0 */12 * * *", datetime(2020, 1, 1 + hours // 24, hours % 24)) for hours in (0, 12, 24)]
    [1, 2, 3]
    """
    expression = CronSim(cron, datetime(FIRST.year, FIRST.month, FIRST.day))  # noqa: DTZ001 (only its fields are read)
    minutes, hours = expression.minutes, expression.hours
    before = sum(hour < slot.hour for hour in hours) * len(minutes)
    within = sum(minute <= slot.minute for minute in minutes) if slot.hour in hours else 0
    return _count_days(cron, slot.year, slot.month, slot.day) * len(hours) * len(minutes) + before + within


@lru_cache(maxsize=4096)
def _count_days(cron: str, year: int, month: int, day: int) -> int:
    """The days with slots from FIRST to before a day: counted once for each month, then from its beginning."""
    first = date(year, month, 1)
    if first <= FIRST:
        count, at = 0, FIRST
    elif day == 1:
        last = first - timedelta(days=1)
        count, at = _count_days(cron, last.year, last.month, 1), last.replace(day=1)
    else:
        count, at = _count_days(cron, year, month, 1), first
    end, expression = date(year, month, day), CronSim(cron, datetime(year, month, day))  # noqa: DTZ001
    while at < end:
        count += at.month in expression.months and expression.match_day(at)
        at += timedelta(days=1)
    return count
