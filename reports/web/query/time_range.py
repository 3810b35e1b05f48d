"""The time range of a page, from its address: `range=24h`, or `from=…&to=…` (RFC 3339, UTC)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from runner.errors import JourneyError
from runner.settings.duration import parse_duration, show_duration
from runner.store.queries.time_range import Range

DEFAULT_RANGE = "24h"
OFFERED_RANGES = ("1h", "6h", "24h", "7d", "30d", "90d")
LONGEST_RANGE = timedelta(days=800)


class BadRequest(JourneyError):
    """An invalid address; the message names the parameter and the fix."""


UNITS = {"s": "second", "m": "minute", "h": "hour", "d": "day"}


class TimeRange(Struct, frozen=True, kw_only=True):
    """A time range, and the address for it."""

    start: datetime
    end: datetime
    words: str
    """The query string for the same range."""
    moving: bool
    """Whether it ends now, so that a page can update itself."""

    @property
    def range(self) -> Range:
        """For queries."""
        return Range(self.start, self.end)

    @property
    def shown(self) -> str:
        """For people."""
        if self.moving:
            return describe_range(self.words.partition("=")[2])
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    def before(self) -> "TimeRange":
        """The time range of the same length before it."""
        return fixed_time_range(self.start - (self.end - self.start), self.start)


def describe_range(words: str) -> str:
    """A range as people say it.

    >>> describe_range("1h"), describe_range("24h"), describe_range("7d"), describe_range("90m")
    ('the last hour', 'the last 24 hours', 'the last 7 days', 'the last 90 minutes')
    """
    number, unit = words[:-1], UNITS.get(words[-1:])
    if not unit or not number.isdigit():
        return f"the last {words}"
    return f"the last {unit}" if number == "1" else f"the last {number} {unit}s"


def fixed_time_range(start: datetime, end: datetime) -> TimeRange:
    """From one time to another."""
    return TimeRange(start=start, end=end, words=f"from={format_timestamp(start)}&to={format_timestamp(end)}", moving=False)


def format_timestamp(at: datetime) -> str:
    """A time as in addresses and JSON.

    >>> format_timestamp(datetime(2026, 6, 1, 12, tzinfo=UTC))
    '2026-06-01T12:00:00Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time_range(query: Mapping[str, str], now: datetime) -> TimeRange:
    """The time range of an address. Raises BadRequest."""
    if "from" in query or "to" in query:
        return parse_bounds(query.get("from", ""), query.get("to", ""), now)
    words = query.get("range") or DEFAULT_RANGE
    try:
        length = timedelta(seconds=parse_duration(words))
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"range: {error}") from error
    if not timedelta(minutes=1) <= length <= LONGEST_RANGE:
        raise BadRequest(f"range: {words!r} is not between 1m and {LONGEST_RANGE.days}d; give one such as {DEFAULT_RANGE}")
    # Normalized: the given text can be anything that was parsed.
    plain = words if words in OFFERED_RANGES else show_duration(length.total_seconds())
    return TimeRange(start=now - length, end=now, words=f"range={plain}", moving=True)


def parse_bounds(first: str, last: str, now: datetime, prefix: str = "") -> TimeRange:
    """From one time to another, or to now, from text; `prefix` is that of the parameters' names. Raises BadRequest."""
    start = _moment(f"{prefix}from", first)
    end = _moment(f"{prefix}to", last) if last else now
    if start >= end:
        raise BadRequest(
            f"{prefix}from: {format_timestamp(start)} is not before {prefix}to ({format_timestamp(end)}); give an earlier time"
        )
    if end - start > LONGEST_RANGE:
        raise BadRequest(f"{prefix}from: at most {LONGEST_RANGE.days} days; give a later time")
    return fixed_time_range(start, end)


def _moment(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{name}: {text[:40]!r} is not a time; write one such as 2026-06-01T12:00:00Z") from error
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as error:
        raise BadRequest(f"{name}: {text[:40]!r} is not in the years 1 to 9999 UTC") from error
