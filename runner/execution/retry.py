"""Whether a run makes another attempt."""

from runner.dsl.plan import Plan
from runner.execution.sessions.sign_in import SignIn
from runner.result import SITE, Attempt, Status

RETRIED: frozenset[Status] = frozenset({"failed", "error"})


class RetryPolicy:
    """Attempts follow each other until one passes, the retries are used up, or the run's timeout is over.

    An attempt after which the site no longer accepts the signed-in state of an earlier run is followed by one in a new state, which
    does not count as a retry.
    """

    def __init__(self, plan: Plan, sign_in: SignIn | None) -> None:
        self._retries = plan.retries
        self._seconds = plan.timeout
        self._sign_in = sign_in

    @property
    def seconds_left(self) -> float:
        """What the attempts so far have left of the timeout."""
        return self._seconds

    def repeats(self, status: Status, seconds: float, session_loss: str = "") -> bool:
        """Whether another attempt follows one that ended with `status` after so many seconds.

        `session_loss` is what shows that the session of the signed-in state is lost.
        """
        renews = bool(session_loss) and self._reused
        return status in RETRIED and (renews or self._retries > 0) and seconds < self._seconds

    def end_attempt(self, attempt: Attempt, session_loss: str, repeats: bool) -> str | None:
        """To be called after each attempt; returns what a reader of the result should know about the signed-in state."""
        self._seconds -= attempt.duration_seconds
        if self._sign_in is not None and self._reused and attempt.failure is not None:
            # A site can also forget a session without a sign that is known here: then the next sign-in is a new one.
            if session_loss or attempt.failure.kind in SITE:
                self._sign_in.invalidate()
            if session_loss:
                return f"the signed-in state was renewed with {self._sign_in.setup.name!r}: {session_loss}" if repeats else None
        self._retries -= 1
        return None

    @property
    def _reused(self) -> bool:
        return self._sign_in is not None and self._sign_in.reused
