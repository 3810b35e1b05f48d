"""Days as bars and as a calendar, graded by availability."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from reports.web.render.html import format_share
from runner.store.queries.history.days import DayCount

DAYS = 90
GRADES = (("full", 1.0), ("high", 0.99), ("fair", 0.95), ("low", 0.8))
"""From which availability on a day has each colour; below the last it is poor."""
SQUARE = 15
LEFT, TOP = 34, 16
"""Room for the names of weekdays and months."""


class UptimeBar(Struct, frozen=True, kw_only=True):
    """A day."""

    x: int
    grade: str
    day: datetime
    count: DayCount | None

    @property
    def title(self) -> str:
        """The day in words."""
        return describe_day(self.day, self.count)


class Uptime(Struct, frozen=True, kw_only=True):
    """A bar for each day, the newest last."""

    bars: tuple[UptimeBar, ...]
    label: str
    """All of it in one sentence."""

    @property
    def paths(self) -> dict[str, str]:
        """The bars of each grade as one path, 2 wide and 20 high: a list of many journeys stays small."""
        found: dict[str, str] = defaultdict(str)
        for one in self.bars:
            found[one.grade] += f"M{2 * one.x} 0h1.5v20h-1.5z"
        return found


class CalendarDay(Struct, frozen=True, kw_only=True):
    """A square of the calendar."""

    x: int
    y: int
    grade: str
    title: str


class Calendar(Struct, frozen=True, kw_only=True):
    """Weeks as columns, from Monday to Sunday."""

    days: tuple[CalendarDay, ...]
    months: tuple[tuple[int, str], ...]
    weekdays: tuple[tuple[int, str], ...]
    width: int
    height: int


def grade_day(availability: float | None) -> str:
    """The colour of a day.

    >>> [grade_day(one) for one in (None, 1.0, 0.995, 0.96, 0.9, 0.5)]
    ['none', 'full', 'high', 'fair', 'low', 'poor']
    """
    if availability is None:
        return "none"
    return next((name for name, bound in GRADES if availability >= bound), "poor")


def first_day(now: datetime, days: int = DAYS) -> datetime:
    """The start of the first of so many days, of which today is the last."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)


def draw_uptime(counts: Sequence[DayCount], now: datetime, days: int = DAYS) -> Uptime:
    """The last days, those without runs too."""
    first = first_day(now, days)
    known = {one.day: one for one in counts}
    bars = []
    for place in range(days):
        day = first + timedelta(days=place)
        count = known.get(day)
        bars.append(UptimeBar(x=place, grade=grade_day(count.availability if count else None), day=day, count=count))
    judged = [one for one in counts if one.availability is not None and one.day >= first]
    clean = sum(one.failed == 0 for one in judged)
    label = f"Last {days} days: {len(judged)} with runs, {clean} of them without a failure"
    worst = min(judged, key=lambda one: one.availability or 0.0, default=None)
    if worst is not None and worst.failed:
        label += f"; the worst was {worst.day:%Y-%m-%d} with {format_share(worst.availability)} available"
    return Uptime(bars=tuple(bars), label=label)


def describe_day(day: datetime, count: DayCount | None) -> str:
    """A day in words."""
    if count is None or not count.passed + count.failed + count.errors:
        return f"{day:%Y-%m-%d}: no runs"
    parts = [f"{format_share(count.availability)} available", f"{count.failed} failed"]
    parts += [f"{count.errors} monitor {'error' if count.errors == 1 else 'errors'}"] if count.errors else []
    return f"{day:%Y-%m-%d}: {', '.join(parts)} of {count.passed + count.failed + count.errors} runs"


def draw_calendar(counts: Sequence[DayCount], now: datetime, days: int = DAYS) -> Calendar:
    """The weeks from that of the first day with a run on, at most so many days; the future is left out."""
    drawn = draw_uptime(counts, now, days).bars
    start = next((place for place, one in enumerate(drawn) if one.grade != "none"), len(drawn) - 1)
    shown = drawn[start:]
    monday = shown[0].day.toordinal() - shown[0].day.weekday()
    squares: list[CalendarDay] = []
    months: list[tuple[int, str]] = []
    for one in shown:
        column, row = divmod(one.day.toordinal() - monday, 7)
        x = LEFT + column * SQUARE
        squares.append(CalendarDay(x=x, y=TOP + row * SQUARE, grade=one.grade, title=one.title))
        if one.day.day == 1 or one is shown[0]:
            # The name of the month in which the first week only ends has no room beside the next one's.
            months = [] if months and x - months[-1][0] < 4 * SQUARE else months
            months.append((x, f"{one.day:%b}" if months else f"{one.day:%b %Y}"))
    width = squares[-1].x + SQUARE
    return Calendar(
        days=tuple(squares),
        months=tuple(months),
        weekdays=tuple((TOP + row * SQUARE + 10, name) for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun"))),
        width=max(width, LEFT + 5 * SQUARE),
        height=TOP + 7 * SQUARE,
    )
