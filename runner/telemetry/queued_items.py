"""What waits to be sent."""

from datetime import datetime
from typing import Literal

from msgspec import Struct, ValidationError

from runner.codec import decoder
from runner.result import RunResult

Source = Literal["run", "schedule", "smoke", "pytest"]
"""The command that has made a run."""


class JourneyGone(Struct, frozen=True, kw_only=True, tag=True):
    """A journey that is no longer on the schedule of a location."""

    journey: str
    location: str
    at: datetime


class RunToSend(Struct, frozen=True, kw_only=True, tag=True):
    """A run that has ended."""

    result: RunResult
    source: Source | None = None
    """None where an older version has put it into the queue."""


def decode_run(content: bytes) -> RunToSend:
    """What waits to be sent as spans; older versions wrote the result alone. Raises msgspec.DecodeError for what is neither."""
    try:
        found: RunToSend = decoder(RunToSend).decode(content)
    except ValidationError:
        return RunToSend(result=decoder(RunResult).decode(content))
    return found
