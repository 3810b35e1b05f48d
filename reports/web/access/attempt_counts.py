"""Where attempts are counted: in this process, or in a database that several servers share, so that guesses are slowed down together."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Protocol
from zlib import crc32

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, delete, func, insert, select, text

from runner.store import Store, StoreDown
from runner.store.tables.access_counts import access_counts

MOST = 10_000
"""Keys of one kind that are remembered."""
FORGOTTEN = 3_600.0
"""Seconds after which a key is forgotten."""
NOTED_AGAIN = 60.0
_LOCK = 0x6A70
"""The first key of the advisory lock that whoever changes a count holds."""
log = logging.getLogger("journey.serve")
_parts = msgspec.json.Decoder(dict[str, int])


class AttemptCount(Struct):
    """What is known of one key, such as a network."""

    level: float
    at: float
    """When it was changed last."""
    until: float = 0.0
    parts: dict[str, int] = {}


Change = Callable[[AttemptCount | None], AttemptCount | None]
"""Makes the new count from the one before; None for none."""


class AttemptCounts(Protocol):
    """Counts of one kind, by key."""

    def label(self, name: str) -> str:
        """How a name is written in `parts`."""

    def read(self, key: str) -> AttemptCount | None:
        """The count of a key."""

    def change(self, key: str, change: Change) -> None:
        """Changes a count; nobody else changes it meanwhile."""

    def __len__(self) -> int:
        """How many keys there are."""


class MemoryCounts:
    """Counts of this process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[str, AttemptCount] = OrderedDict()

    def label(self, name: str) -> str:
        """As it is."""
        return name

    def read(self, key: str) -> AttemptCount | None:
        """The count of a key."""
        return self._known.get(key)

    def change(self, key: str, change: Change) -> None:
        """Changes a count; the one that was changed longest ago is forgotten when there are too many."""
        changed = change(self._known.pop(key, None))
        if changed is not None:
            self._known[key] = changed
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def __len__(self) -> int:
        return len(self._known)


class StoredCounts:
    """Counts in a database that several servers share. While it is away, each server counts for itself."""

    def __init__(self, store: Store, kind: str, most: int = MOST, digits: int = 16) -> None:
        """`digits` of a key's hash are stored: few, where a key may be a password that somebody typed into the wrong field."""
        self._store = store
        self._kind = kind
        self._most = most
        self._digits = digits
        self._away = MemoryCounts(most)
        self._noted_at = float("-inf")

    def label(self, name: str) -> str:
        """A hash that many names share."""
        return _shorten(name, 4)

    def read(self, key: str) -> AttemptCount | None:
        """The count of a key."""
        columns = [access_counts.c[name] for name in ("level", "at", "until", "parts")]
        try:
            with self._store.connected() as connection:
                row = connection.execute(select(*columns).where(*self._is(_shorten(key, self._digits)))).first()
        except StoreDown as error:
            self._note(error)
            return self._away.read(key)
        return AttemptCount(row.level, row.at, row.until, _parts.decode(row.parts)) if row else None

    def change(self, key: str, change: Change) -> None:
        """Changes a count, in one transaction."""
        short = _shorten(key, self._digits)
        try:
            with self._store.connected() as connection:
                if self._store.shared:
                    lock = {"kind": _LOCK, "key": crc32(f"{self._kind} {short}".encode()) >> 1}
                    connection.execute(text("SELECT pg_advisory_xact_lock(:kind, :key)"), lock)
                columns = [access_counts.c[name] for name in ("level", "at", "until", "parts")]
                row = connection.execute(select(*columns).where(*self._is(short))).first()
                found = AttemptCount(row.level, row.at, row.until, _parts.decode(row.parts)) if row else None
                changed = change(found)
                connection.execute(delete(access_counts).where(*self._is(short)))
                if changed is not None:
                    values = {"level": changed.level, "at": changed.at, "until": changed.until}
                    parts = msgspec.json.encode(changed.parts).decode()
                    connection.execute(insert(access_counts), [{"kind": self._kind, "key": short, "parts": parts} | values])
            if row is None and changed is not None:
                self._forget(changed.at)
        except StoreDown as error:
            self._note(error)
            self._away.change(key, change)

    def _note(self, error: StoreDown) -> None:
        if time.monotonic() - self._noted_at > NOTED_AGAIN:
            self._noted_at = time.monotonic()
            log.warning("%s; meanwhile each server counts attempts to sign in for itself", error)

    def _forget(self, now: float) -> None:
        """Removes what is old, and the oldest when there are too many: whoever guesses must not fill the database."""
        of_kind = access_counts.c.kind == self._kind
        with self._store.connected() as connection:
            connection.execute(delete(access_counts).where(access_counts.c.at < now - FORGOTTEN))
            kept = select(access_counts.c.at).where(of_kind).order_by(access_counts.c.at.desc()).offset(self._most).limit(1)
            last = connection.execute(kept).scalar()
            if last is not None:
                connection.execute(delete(access_counts).where(of_kind, access_counts.c.at <= last))

    def _is(self, key: str) -> tuple[ColumnElement[bool], ...]:
        return access_counts.c.kind == self._kind, access_counts.c.key == key

    def __len__(self) -> int:
        with self._store.connected() as connection:
            counted = select(func.count()).select_from(access_counts).where(access_counts.c.kind == self._kind)
            return int(connection.execute(counted).scalar_one())


class UsedOnce:
    """What may be used once, such as the answer of an identity provider."""

    def __init__(self, counts: AttemptCounts, now: Callable[[], float]) -> None:
        self._counts = counts
        self._now = now

    def is_first(self, what: str) -> bool:
        """Whether it is used for the first time."""
        before: list[AttemptCount] = []

        def use(found: AttemptCount | None) -> AttemptCount:
            before.extend([found] if found else [])
            return found or AttemptCount(1.0, self._now())

        self._counts.change(what, use)
        return not before

    def forget(self, what: str) -> None:
        """Lets it be used again."""
        self._counts.change(what, lambda _: None)


def _shorten(key: str, digits: int) -> str:
    return blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()[:digits]
