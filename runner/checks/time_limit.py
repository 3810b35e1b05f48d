"""How much time an attempt of a check has left."""

import time


class CheckTimeout(BaseException):
    """The time of the check is up. Not an Exception, so that a check's own `except Exception` does not swallow it."""


class TimeLimit:
    """The time of one attempt, which begins now; `timeout` is that of the check, if earlier attempts have used some of it."""

    def __init__(self, seconds: float, timeout: float | None = None) -> None:
        self.timeout = seconds if timeout is None else timeout
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until the end. Raises CheckTimeout when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise CheckTimeout
        return left
