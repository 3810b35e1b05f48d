"""`traceparent` on requests to origins that the settings list, and to no other: so a backend's spans are below the step's."""

from collections.abc import Mapping

from runner.browser.driver.page_channel import PageChannel
from runner.telemetry.trace_ids import traceparent


class TraceHeaders:
    """The headers of one attempt; changes nothing where no origin is listed."""

    def __init__(self, origins: tuple[str, ...], run: str, attempt: int, baggage: Mapping[str, str] = {}) -> None:
        self._origins = origins
        self._run = run
        self._attempt = attempt
        self._baggage = baggage
        self.note = ""
        """Why no headers are sent."""

    def step_started(self, channel: PageChannel, index: int) -> None:
        """A step is about to begin; its clock has not started."""
        if not self._origins or self.note:
            return
        headers = {"traceparent": traceparent(self._run, self._attempt, index), **self._baggage}
        refused = channel.set_headers(self._origins, headers)
        if refused:
            self.note = f"no traceparent is sent: {refused}"
