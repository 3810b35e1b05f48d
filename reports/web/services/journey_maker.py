"""Journeys that the dashboard creates from recorded sessions: one at a time, the newest kept until the server stops."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from reports.codegen.result import Made
from runner.errors import JourneyError

KEPT = 50
"""Journeys: some kilobytes each."""


class MakerBusy(JourneyError):
    """Another journey is being created."""


class JourneyMaker:
    """Creates journeys with `make`, which takes a session's id and raises JourneyError when that is impossible."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        self._make = make
        # It takes a browser and several seconds of processor time.
        self._turn = threading.Lock()
        self._made: OrderedDict[str, Made] = OrderedDict()

    def made(self, session: str) -> Made | None:
        """The journey created from a session since the server started; None if there is none."""
        return self._made.get(session)

    def make(self, session: str) -> Made:
        """Creates it, again if it exists. Raises Busy, and JourneyError with the reason if it is impossible."""
        if not self._turn.acquire(blocking=False):
            raise MakerBusy("another journey is being created; try again in a minute")
        try:
            made = self._make(session)
            self._made[session] = made
            self._made.move_to_end(session)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        finally:
            self._turn.release()
        return made
