"""`/v1/replay`, which takes the chunks of recordings, and `/log-session-event`, which takes single events of a session."""

import asyncio
import gzip
import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from reports.collector.admission import user_agent
from reports.collector.admission.anonymous_ids import AnonymousIds
from reports.collector.admission.app_policy import AppPolicy
from reports.collector.admission.intake import WAIT, Incoming, Intake
from reports.collector.admission.rate_limit import CHUNK
from reports.collector.errors import Refusal
from reports.collector.http.body import GZIP, Limits
from reports.collector.http.endpoint import Answer
from reports.collector.protocols.native import refuse_unreadable
from reports.collector.protocols.simple import STATUS_OK, site_of
from reports.replay.chunk import LARGEST, Chunk, decode
from reports.replay.chunk_store import ChunkContext, ChunkStore, NumberTaken
from reports.replay.page_origin import find_foreign_page
from runner.store import StoreDown
from runner.untrusted_text import tamed

LIMITS = Limits(raw=1_048_576, inflated=LARGEST)
TAKEN = Answer()
AT_ONCE = 4
"""Chunks that are read and written at a time: each may have 8 MiB."""
AHEAD = 86_400.0
"""Seconds by which a browser's clock may be ahead."""
_SESSION = re.compile(r"[A-Za-z0-9-]{1,70}")


class ReplayProtocol:
    """Takes chunks."""

    def __init__(self, intake: Intake, chunk_store: ChunkStore) -> None:
        self._intake = intake
        self._chunk_store = chunk_store
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def take(self, incoming: Incoming) -> Answer:
        """Answers when the chunk is on disk. Raises Refusal."""
        async with self._turns:
            chunk, addresses = await asyncio.to_thread(parse_chunk, incoming.body)
            site = self._intake.register.find(chunk.app)
            self._intake.admit(site, chunk.key, incoming, CHUNK)
            try:
                new = await asyncio.to_thread(self._store, site, chunk, addresses, incoming)
            except NumberTaken as error:
                raise Refusal(
                    409, "invalid", str(error), field="sequence", fix="count the chunks of each tab from 0"
                ) from error
            except (StoreDown, OSError) as error:
                raise refuse_unavailable() from error
        self._intake.metrics.chunk(site.app.name, len(incoming.packed), new)
        return TAKEN

    def _store(self, site: AppPolicy, chunk: Chunk, addresses: Sequence[str], incoming: Incoming) -> bool:
        client = user_agent.parse_user_agent(incoming.header(b"user-agent"))
        foreign = find_foreign_page(addresses, site.origins)
        if foreign:
            raise Refusal(
                422,
                "wrong_origin",
                f"a page at {tamed(foreign, 200)} is not at an origin of app {site.app.name!r}",
                field="events",
                fix="add its origin to the origins of the app",
            )
        address = next((one for one in addresses if one), "")
        packed = incoming.packed
        if not packed.startswith(GZIP):
            # The last chunk of a page comes as it is: there was no time to pack it.
            packed = gzip.compress(incoming.body, 6, mtime=0)
        kept = ChunkContext(
            app=site.app.name,
            received_at=time.time(),
            traffic="bot" if chunk.webdriver or client.bot else "real",
            page=site.templates.of(site.cleaner.url(address)) if address else "",
        )
        return self._chunk_store.put(chunk, packed, kept)


def parse_chunk(body: bytes) -> tuple[Chunk, list[str]]:
    """The chunk in a body, and the addresses of its pages. Raises Refusal."""
    try:
        chunk = decode(body)
        addresses = list(chunk.addresses())
    except (ValueError, RecursionError) as error:
        raise refuse_unreadable(error) from error
    if chunk.last_at > time.time() + AHEAD:
        raise Refusal(422, "invalid", "events of the future", field="events", fix="send times in milliseconds since the epoch")
    return chunk, addresses


def refuse_unavailable() -> Refusal:
    """The response when nothing can be stored."""
    return Refusal(503, "unavailable", "it could not be stored", fix="send it again", retry_after=WAIT)


class SessionEvent(Struct, frozen=True):
    """An event of a session as a page reports it: what was done, to what, when."""

    type: Annotated[str, Meta(min_length=1, max_length=200)]
    target: Annotated[str, Meta(max_length=1_000)] = ""
    timestamp: float | str | None = None
    """Milliseconds or seconds since the epoch, or RFC 3339; now, where it is missing."""
    session: Annotated[str, Meta(max_length=70)] = ""


_decoder = msgspec.json.Decoder(SessionEvent)


class SessionEventProtocol:
    """Takes single events."""

    def __init__(self, intake: Intake, chunk_store: ChunkStore, anonymous_ids: AnonymousIds) -> None:
        self._intake = intake
        self._chunk_store = chunk_store
        self._anonymous_ids = anonymous_ids

    async def take(self, incoming: Incoming) -> Answer:
        """Answers when the event is on disk. Raises Refusal."""
        try:
            event = _decoder.decode(incoming.body)
        except (ValueError, RecursionError) as error:
            raise refuse_unreadable(error) from error
        if event.session and not _SESSION.fullmatch(event.session):
            raise Refusal(422, "invalid", "not a session id", field="session", fix="letters, digits and '-', at most 70")
        at = parse_event_time(event.timestamp)
        site = site_of(self._intake, incoming)
        app = site.app.name
        session = event.session or self._anonymous_ids.id(app, incoming.network, incoming.header(b"user-agent"))
        type_, target = (site.cleaner.text(text)[:200] for text in (event.type, event.target))
        try:
            await asyncio.to_thread(self._chunk_store.note, app, session, type_, target, at)
        except StoreDown as error:
            raise refuse_unavailable() from error
        self._intake.metrics.outcome("accepted")
        return STATUS_OK


def parse_event_time(written: float | str | None) -> float:
    """Seconds since the epoch. Raises Refusal.

    >>> parse_event_time(1_700_000_000_500), parse_event_time(1_700_000_000), parse_event_time("2026-01-01T00:00:00Z")
    (1700000000.5, 1700000000.0, 1767225600.0)
    """
    now = time.time()
    if written is None:
        return now
    try:
        at = datetime.fromisoformat(written).timestamp() if isinstance(written, str) else float(written)
    except (ValueError, OverflowError):
        at = -1.0
    if not isinstance(written, str) and at > 1e11:
        # No browser's clock reports a time before 1973 in milliseconds.
        at /= 1000
    if not 0 <= at <= now + AHEAD:
        raise Refusal(
            422,
            "invalid",
            "not a valid time",
            field="timestamp",
            fix="send milliseconds since the epoch, or RFC 3339",
        )
    return at
