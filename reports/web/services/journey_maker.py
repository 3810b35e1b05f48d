"""Journeys that the dashboard has made of recorded sessions: one at a time, the newest kept until the server ends."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from reports.codegen.result import Made
from runner.errors import JourneyError

KEPT = 50
"""Journeys: some kilobytes each."""


class Busy(JourneyError):
    """Another journey is being made just now."""


class JourneyMaker:
    """Makes them; `make` takes the id of a session, and raises JourneyError where there is none to be made."""

    def __init__(self, make: Callable[[str], Made]) -> None:
        self._make = make
        # It takes a browser, and a processor for some seconds.
        self._turn = threading.Lock()
        self._made: OrderedDict[str, Made] = OrderedDict()

    def made(self, session: str) -> Made | None:
        """What was made of a session since the server has begun; None when nothing was."""
        return self._made.get(session)

    def make(self, session: str) -> Made:
        """Makes it, anew if it was made before. Raises Busy, and JourneyError that says why there is none."""
        if not self._turn.acquire(blocking=False):
            raise Busy("another journey is being made; send it again in a minute")
        try:
            made = self._make(session)
            self._made[session] = made
            self._made.move_to_end(session)
            while len(self._made) > KEPT:
                self._made.popitem(last=False)
        finally:
            self._turn.release()
        return made
