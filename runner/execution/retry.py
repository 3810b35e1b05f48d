"""Whether a run makes another attempt."""

from runner.dsl.plan import Plan
from runner.execution.sign_in import SignIn
from runner.result import Attempt, Status


class RetryPolicy:
    """Attempts follow each other until one passes, the retries are used up, or the run's timeout is over.

    An attempt that does not pass in a signed-in state of an earlier run is followed by one in a new state: the site may have
    forgotten the session. That one does not count as a retry.
    """

    def __init__(self, plan: Plan, sign_in: SignIn | None) -> None:
        self._retries = plan.retries
        self._seconds = plan.timeout
        self._sign_in = sign_in

    @property
    def seconds_left(self) -> float:
        """What the attempts so far have left of the timeout."""
        return self._seconds

    def repeats(self, status: Status, seconds: float) -> bool:
        """Whether another attempt follows one that ended with `status` after so many seconds."""
        return status in {"failed", "error"} and (self._renews or self._retries > 0) and seconds < self._seconds

    def prepare_next(self, attempt: Attempt) -> str | None:
        """To be called between two attempts, with the first of them; returns what a reader of the result should know."""
        self._seconds -= attempt.duration_seconds
        if self._sign_in is not None and self._renews:
            self._sign_in.invalidate()
            return f"the signed-in state was renewed with {self._sign_in.setup.name!r}"
        self._retries -= 1
        return None

    @property
    def _renews(self) -> bool:
        return self._sign_in is not None and self._sign_in.reused
