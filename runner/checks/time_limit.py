"""How much time an attempt of a check has left."""

import time


class CheckTimeout(BaseException):
    """The time of the check is up. Not an Exception, so that a check's own `except Exception` does not swallow it."""


class TimeLimit:
    """The time of one attempt, which begins now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the end. Raises CheckTimeout when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise CheckTimeout
        return left
