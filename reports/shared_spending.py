"""Servers on one PostgreSQL tell each other what senders have used up of their limits, so that a limit holds for all servers together.

What a server has let in, it says once a second, with the database's notifications: nothing of it is in a table. Whoever sends little is
never mentioned, and of a network only a hash is.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Protocol

import msgspec

from reports.attempts import Attempts
from runner.store import Store, StoreDown
from runner.store.bulk_insert import Link

PERIOD = 1.0
"""Seconds between two messages: how long a server may not know what others let in."""
PART = 20
"""Of a key, a server says what it has let in as soon as that is one part in so many of what may come at once."""
LARGEST = 7_000
"""Bytes of a message; PostgreSQL takes 8,000."""
CHANNEL = "journey_spent"
log = logging.getLogger("journey.serve")
_Message = dict[str, dict[str, int]]
_decoder = msgspec.json.Decoder(_Message)


class Spender(Protocol):
    """A limit that holds for several servers together."""

    def share(self) -> None:
        """Begins to note what is let in."""

    def take_unsaid(self) -> Mapping[str, int]:
        """What was let in of each key and not said yet."""

    def hear(self, spent: Mapping[str, int]) -> None:
        """Takes into account what another server has let in."""


class Unsaid:
    """What was let in and not said yet, by key; nothing is kept while nobody is `shared` with."""

    def __init__(self, kept: int) -> None:
        self.shared = False
        self._kept = kept
        self._spent: OrderedDict[str, int] = OrderedDict()
        self._due: dict[str, int] = {}

    def add(self, key: str, tokens: int, burst: int) -> None:
        """Notes what was let in; `burst` is what may come at once."""
        if not self.shared:
            return
        spent = self._spent.pop(key, 0) + tokens
        if spent * PART >= burst:
            self._due[key] = self._due.get(key, 0) + spent
            return
        self._spent[key] = spent
        if len(self._spent) > self._kept:
            self._spent.popitem(last=False)

    def take(self) -> dict[str, int]:
        """What is to be said, once."""
        due, self._due = self._due, {}
        return due


def hash_key(key: str) -> str:
    """How a key is named to others."""
    return blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()


class SpendingExchange:
    """A thread that does this until it is closed; only where several servers may use the store."""

    def __init__(self, store: Store, parts: Mapping[str, Spender]) -> None:
        self._parts = parts
        self._link = Link(store)
        self._attempts = Attempts(log, StoreDown)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="spending", daemon=True)
        if store.shared:
            for one in parts.values():
                one.share()
            self._thread.start()

    def close(self) -> None:
        """Ends it."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(30.0)

    def _work(self) -> None:
        while not self._closing.wait(PERIOD):
            self._attempts.make("telling other servers what was let in", self._turn)
        self._link.close()

    def _turn(self) -> None:
        self._link.listen(CHANNEL, self._hear)
        with self._link.reading():
            # With any answer comes what others have said.
            self._link.select("SELECT 1")
            for message in self._messages():
                self._link.select("SELECT pg_notify(?, ?)", CHANNEL, message)

    def _messages(self) -> Iterator[str]:
        for name, part in self._parts.items():
            message: _Message = {name: {}}
            size = 0
            for key, tokens in part.take_unsaid().items():
                message[name][key] = tokens
                size += len(key) + 16
                if size > LARGEST:
                    yield msgspec.json.encode(message).decode()
                    message, size = {name: {}}, 0
            if size:
                yield msgspec.json.encode(message).decode()

    def _hear(self, text: str) -> None:
        try:
            message = _decoder.decode(text)
        except msgspec.MsgspecError as error:
            log.warning("another program sends notifications named %s, which are ignored: %s", CHANNEL, error)
            return
        for name, spent in message.items():
            if name in self._parts:
                self._parts[name].hear(spent)
