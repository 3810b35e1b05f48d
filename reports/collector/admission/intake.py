"""The path of a beacon: from its sender, past the rules of its app, to the disk and into the metrics."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct

from reports.collector.accepted_beacon import Arrival
from reports.collector.admission import user_agent
from reports.collector.admission.app_policy import AppPolicy
from reports.collector.admission.app_registry import AppRegistry
from reports.collector.admission.body_room import BodyRoom
from reports.collector.admission.client_network import ClientNetworks
from reports.collector.admission.rate_limit import BEACON, RateLimit, WorkAllowance
from reports.collector.admission.refusal_log import RefusalLog
from reports.collector.beacon import Beacon
from reports.collector.errors import Refusal
from reports.collector.labels import UNKNOWN
from reports.collector.metrics.collector_metrics import CollectorMetrics
from reports.collector.privacy.scrub_beacon import scrub_beacon
from reports.collector.storage.group_commit import Busy
from runner.settings.parsers.values import Traffic
from runner.store import StoreDown
from runner.store.bulk_insert import Unstorable

WAIT = 5.0
"""Seconds after which a sender may retry when the store has failed."""
TROUBLED = 15.0
"""Seconds for which the collector then reports that it is not ready, so that senders retry and it can recover."""
AT_ONCE = 4
"""Large bodies that are inflated, read and stored at a time: a chunk of a recording may have 8 MiB."""
LIGHT = 16_384
"""Bytes of a beacon that is cleaned at once; a larger one in a thread, one at a time, so that others do not wait for it."""
log = logging.getLogger("journey.collector")


class BeaconWriter(Protocol):
    """What a writer is to the collector."""

    async def put(self, arrival: Arrival) -> bool:
        """Returns when the beacon is on disk; False when it was before. Raises StoreDown, Busy, JourneyError for what will never be."""

    def find_trouble(self) -> str:
        """Why nothing can be stored at the moment; empty if it can. It may wait for the database."""


class Incoming(Struct, frozen=True):
    """A request, with its sender as far as it may be known."""

    body: bytes
    query: str
    headers: dict[bytes, bytes]
    origin: str
    network: str
    packed: bytes = b""
    """The body as it was sent."""

    def header(self, name: bytes) -> str:
        """The text of a header, empty where there is none."""
        return self.headers.get(name, b"").decode("latin-1")


class Intake:
    """Accepts beacons of every protocol."""

    def __init__(
        self, register: AppRegistry, writer: BeaconWriter, metrics: CollectorMetrics, networks: ClientNetworks
    ) -> None:
        self.register = register
        self.metrics = metrics
        self.networks = networks
        self.room = BodyRoom()
        self._refusals = RefusalLog()
        self._writer = writer
        self.rate_limit = RateLimit()
        self._large = WorkAllowance(register.apps)
        self._large_turns = asyncio.Semaphore(AT_ONCE)
        self._heavy = asyncio.Semaphore(1)
        self._trouble = ""
        self._troubled_at = 0.0

    @property
    def trouble(self) -> str:
        """Why the store has recently failed to store a beacon; empty if it works."""
        return self._trouble if time.monotonic() - self._troubled_at < TROUBLED else ""

    def greet(self, origin: str) -> None:
        """Raises Refusal for an origin that no app admits, before the body is read and the app's name remembered."""
        if origin and origin not in self.register.origins:
            raise _wrong_origin(f"nothing is accepted from {origin[:200]}", self.register.open)

    @asynccontextmanager
    async def large_body(self, network: str) -> AsyncIterator[Callable[[int], None]]:
        """A turn for a body that is large once it is inflated, from there until it is stored; few are in memory at a time.

        Gives what is to be called with its size. Raises Refusal for a network whose earlier ones cost too much.
        """
        self._require_allowance(network)
        async with self._large_turns:
            # While it waited, others of its network had theirs.
            self._require_allowance(network)
            yield lambda size: self._large.charge(network, time.monotonic(), size)

    def refuse(self, refusal: Refusal, network: str) -> None:
        """Counts what was refused, and logs it, in bounds."""
        self.metrics.refuse(refusal.reason)
        self._refusals.note(refusal, network)

    def _require_allowance(self, network: str) -> None:
        wait = self._large.seconds_to_wait(network, time.monotonic())
        if wait:
            raise _rate_limited(wait)

    def admit(self, site: AppPolicy, key: str, incoming: Incoming, token: int = BEACON) -> None:
        """Raises Refusal when the app does not admit this sender, or its network exceeds the rate limit; `token` is how many bytes count
        as one beacon."""
        if incoming.origin and incoming.origin not in site.origins:
            raise _wrong_origin(f"app {site.app.name!r} accepts nothing from {incoming.origin[:200]}", self.register.open)
        if not site.knows(key):
            raise Refusal(
                401, "wrong_key", f"this is not the key of app {site.app.name!r}", field="key", fix="send the app's key"
            )
        wait = self.rate_limit.take(site.app, incoming.network, time.monotonic(), 1 + len(incoming.body) // token)
        if wait:
            raise _rate_limited(wait)

    async def store(self, site: AppPolicy, beacon: Beacon, incoming: Incoming) -> bool:
        """Returns when the beacon is on disk; False when it was there before. Raises Refusal when it is not."""
        agent = incoming.header(b"user-agent")
        if len(incoming.body) <= LIGHT:
            arrival = _arrival(site, beacon, agent)
        else:
            async with self._heavy:
                arrival = await asyncio.to_thread(_arrival, site, beacon, agent)
        started = time.perf_counter()
        self.metrics.uncommitted += 1
        try:
            new = await self._writer.put(arrival)
        except (StoreDown, Busy) as error:
            self._troubled_at = time.monotonic()
            if not self._trouble:
                log.warning("beacons are refused: %s", error)
            self._trouble = str(error)
            raise Refusal(
                503, "unavailable", "the beacon could not be stored", fix="send it again", retry_after=WAIT
            ) from error
        except Unstorable as error:
            # The message names the database, which senders must not see.
            log.warning("%s", error)
            raise Refusal(
                422, "invalid", "the beacon contains a value that cannot be stored", fix="see the collector's log"
            ) from error
        finally:
            self.metrics.uncommitted -= 1
        if self._trouble:
            self._trouble = ""
            log.info("beacons are stored again")
        self.metrics.commit.observe((), time.perf_counter() - started)
        self.metrics.outcome("accepted" if new else "duplicate")
        if new:
            self.metrics.stored(arrival)
        return new


def _rate_limited(wait: float) -> Refusal:
    fix = "wait as long as Retry-After says"
    return Refusal(429, "rate_limited", "too many requests from this network", fix=fix, retry_after=wait)


def _wrong_origin(error: str, trying: bool) -> Refusal:
    fix = "name the app and its origins in [[apps]]; without any, only pages of this machine may send"
    return Refusal(403, "wrong_origin", error, field="origin", fix=fix if trying else "add it to the origins of the app")


def _arrival(site: AppPolicy, beacon: Beacon, agent: str) -> Arrival:
    client = user_agent.parse_user_agent(agent)
    traffic: Traffic = "real"
    if beacon.synthetic is not None:
        traffic = "synthetic"
    elif beacon.webdriver or client.bot:
        traffic = "bot"
    cleaned = scrub_beacon(beacon, site.cleaner)
    return Arrival(
        beacon=cleaned,
        received_at=datetime.now(UTC),
        pages=tuple(site.templates.of(view.url) if view.url else UNKNOWN for view in cleaned.views),
        traffic=traffic,
        browser=client.browser,
        system=client.system,
        device=client.device,
    )
