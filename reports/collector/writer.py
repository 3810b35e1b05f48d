"""A stand-in until the store of beacons is there: keeps ids in memory, and nothing on disk."""

from types import TracebackType
from typing import Self

from reports.collector.arrival import Arrival
from runner.errors import JourneyError


class Busy(JourneyError):
    """The writer has more to write than it may hold."""

    exit_code = 3


class Writer:
    """Forgets everything at its end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ids: set[str] = set()

    async def put(self, arrival: Arrival) -> bool:
        """Whether the beacon is new."""
        new = arrival.beacon.id not in self._ids
        self._ids.add(arrival.beacon.id)
        return new

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ids.clear()
