"""The audit log: who signed in or was refused, from which network, and who changed what. Never a token or a password.

Its lines are part of the server's log, under the name `journey.audit`; with `--log-format json` each has the fields `action`, `user`
and `network`.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Literal

Action = Literal["sign-in", "sign-out", "refusal", "change", "users", "use"]
AT_ONCE = 60
"""Refusals that are logged at once …"""
PER_SECOND = 1.0
"""… and per second after that: strangers must not be able to fill the disk."""
USED_AGAIN = 3_600.0
"""Seconds until the use of a token, or by a user of a proxy, is written again: such requests come by the thousand."""
MOST = 1_000
"""Users and networks of which that is remembered."""
log = logging.getLogger("journey.audit")


class AuditLog:
    """Writes the events; of refusals by the thousand it writes how many there were."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._level, self._at = float(AT_ONCE), clock()
        self._left_out = 0
        self._uses: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def record(self, action: Action, text: str, *, user: str = "", network: str = "") -> None:
        """Writes what has happened."""
        where = f", from {network}" if network else ""
        log.info("%s%s", text, where, extra={"action": action, "user": user, "network": network})

    def note_use(self, what: str, *, user: str, network: str) -> None:
        """Writes that a user who has no session made a request: the first from a network, and once per hour how many there were since."""
        key = user, network
        with self._lock:
            now = self._clock()
            at, count = self._uses.pop(key, (float("-inf"), 0))
            due = now - at >= USED_AGAIN
            self._uses[key] = (now, 0) if due else (at, count + 1)
            if len(self._uses) > MOST:
                self._uses.popitem(last=False)
        if due:
            self.record(
                "use", what + (f" ({count + 1} requests since the last line)" if count else ""), user=user, network=network
            )

    def warn(self, text: str) -> None:
        """Writes what whoever runs the dashboard should know."""
        log.warning("%s", text, extra={"action": "refusal", "user": "", "network": ""})

    def refuse(self, text: str, *, user: str = "", network: str = "") -> None:
        """Writes a refusal, unless there are too many."""
        with self._lock:
            now = self._clock()
            self._level = min(self._level + (now - self._at) * PER_SECOND, float(AT_ONCE))
            self._at = now
            if self._level < 1:
                self._left_out += 1
                return
            self._level -= 1
            left_out, self._left_out = self._left_out, 0
        more = f" ({left_out} more refusals are not listed)" if left_out else ""
        where = f", from {network}" if network else ""
        log.warning("%s%s%s", text, where, more, extra={"action": "refusal", "user": user, "network": network})
