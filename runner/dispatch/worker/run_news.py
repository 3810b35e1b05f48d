"""What happens in a run that somebody follows, sent as it happens."""

from collections.abc import Callable

from runner.dispatch.messages import Happened, Message
from runner.events import Moment, RunEnded, RunStarted, StepEnded, slim_step

MOST = 500
"""Messages about a run: a journey with more steps is followed up to here."""
LARGEST = 32_768
"""Bytes of a message; a larger one is not sent, as a failure's text may be long, and the result has it."""


class RunNews:
    """Hears what happens in a run, and gives each moment as a message to `tell`, which sends it or forgets it."""

    def __init__(self, run: str, worker: str, write: Callable[[Message], bytes], tell: Callable[[bytes], None]) -> None:
        self._run = run
        self._worker = worker
        self._write = write
        self._tell = tell
        self._left = MOST

    def __call__(self, moment: Moment) -> None:
        # That it has begun is said for every run, and its end is the result.
        if isinstance(moment, RunStarted | RunEnded) or not self._left:
            return
        slim = slim_step(moment) if isinstance(moment, StepEnded) else moment
        content = self._write(Happened(run=self._run, worker=self._worker, moment=slim))
        if len(content) <= LARGEST:
            self._left -= 1
            self._tell(content)
