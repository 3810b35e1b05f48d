"""What time it is at the scheduler, as it last said so: clocks that differ make no run late."""

import logging
import time
from collections.abc import Callable

import msgspec

from runner.dispatch.messages import Clock, NotSigned, WrongProtocol, read_message
from runner.settings.secrets import Secret

MOST_SENDERS = 100
"""Schedulers whose newest message is remembered."""
log = logging.getLogger("journey.worker")


class SchedulerClock:
    """By how much this machine's clock is ahead. With a key, only a scheduler that has it can set this, and with a new message only:
    whoever repeats an old one could else have orders of that time accepted again."""

    def __init__(self, key: Secret | None, wall: Callable[[], float] | None = None) -> None:
        self._key = key
        self._wall = wall or time.time
        self._newest: dict[str, float] = {}
        self.ahead = 0.0
        """Seconds."""

    def hear(self, content: str) -> None:
        """Takes in a message."""
        try:
            message = read_message(content, self._key)
        except (NotSigned, WrongProtocol, msgspec.DecodeError) as error:
            log.warning("dropped what was said about the time: %s", error)
            return
        if not isinstance(message, Clock) or message.now <= self._newest.get(message.sender, 0.0):
            return
        self._newest.pop(message.sender, None)
        self._newest[message.sender] = message.now
        while len(self._newest) > MOST_SENDERS:
            del self._newest[next(iter(self._newest))]
        self.ahead = self._wall() - message.now
