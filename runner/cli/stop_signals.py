"""How a command that runs until it is stopped hears of it: SIGTERM or Ctrl-C."""

import logging
import signal
from collections.abc import Callable

STOP_WITHIN = 30.0
"""Seconds that runs under way have to end when a command is asked to stop; a second signal ends them at once."""


def stop_on_signals(stop: Callable[[float], None], log: logging.Logger) -> None:
    """From now on, a signal calls `stop` with the seconds that runs under way have."""
    asked = 0

    def obey(*_: object) -> None:
        nonlocal asked
        asked += 1
        within = STOP_WITHIN if asked == 1 else 0.0
        log.info("stopping; runs under way get %g s", within)
        stop(within)

    signal.signal(signal.SIGTERM, obey)
    signal.signal(signal.SIGINT, obey)
