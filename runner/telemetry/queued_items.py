"""What waits for remote write."""

from datetime import datetime

from msgspec import Struct

from runner.result import RunResult


class JourneyGone(Struct, frozen=True, kw_only=True, tag=True):
    """A journey that is no longer on the schedule of a location."""

    journey: str
    location: str
    at: datetime


class RunToSend(Struct, frozen=True, kw_only=True, tag=True):
    """A run that has ended."""

    result: RunResult
