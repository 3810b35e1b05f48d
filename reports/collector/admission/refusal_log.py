"""The log of what was refused: for each reason a line at once, and then one for every five minutes with how many there were.

Strangers cannot fill the disk with it, and no visitor's network is in it.
"""

import logging
from collections.abc import Callable
from time import monotonic

from msgspec import Struct, field

from reports.collector.errors import Reason, Refusal
from runner.untrusted_text import tamed

PERIOD = 300.0
"""Seconds between two lines about one reason."""
MOST_NETWORKS = 1_000
"""Networks that are counted in that time."""
LONGEST = 200
"""Characters of a refusal in words, of which a stranger may have written some."""
NOT_LOGGED: frozenset[Reason] = frozenset({"unavailable", "slow"})
"""What is nobody's attempt at anything: our own database, and connections that broke."""
log = logging.getLogger("journey.audit")


class _Refused(Struct):
    written_at: float = float("-inf")
    messages: int = 0
    networks: set[str] = field(default_factory=set)


class RefusalLog:
    """Writes refusals into the audit log, where those of the dashboard are too."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._by_reason: dict[Reason, _Refused] = {}

    def note(self, refusal: Refusal, network: str) -> None:
        """Counts a refusal, and writes those of its reason if none were written for five minutes."""
        if refusal.reason in NOT_LOGGED:
            return
        refused, now = self._by_reason.setdefault(refusal.reason, _Refused()), self._clock()
        refused.messages += 1
        if len(refused.networks) < MOST_NETWORKS:
            refused.networks.add(network)
        if now - refused.written_at < PERIOD:
            return
        networks = len(refused.networks)
        log.warning(
            "the collector refused %d %s from %d%s %s (%s), the last one because %s",
            *(refused.messages, "message" if refused.messages == 1 else "messages"),
            *(networks, " or more" if networks == MOST_NETWORKS else "", "network" if networks == 1 else "networks"),
            *(refusal.reason, tamed(str(refusal), LONGEST)),
            extra={"action": "refusal", "user": "", "network": ""},
        )
        self._by_reason[refusal.reason] = _Refused(now)
