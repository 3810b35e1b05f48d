"""Ids for senders that send none: the small version's pages, browsers' own reports, other agents."""

import sys
from collections import OrderedDict
from hashlib import blake2b
from secrets import token_bytes
from uuid import uuid4

from msgspec import Struct

from reports.collector.beacon import View

VIEWS = 10_000
"""Page views that are remembered for later messages."""
SIZE = 16_000_000
"""Bytes of their addresses: a stranger's may be four thousand characters long, of four bytes each."""
SHARE = 4
"""One network may have this part of them: a quarter."""


def new_id() -> str:
    """A new unique id."""
    return str(uuid4())


class AnonymousIds:
    """Derives ids from a sender's properties, with a salt that is lost with the process: nobody can be recognized by them later.

    Senders are distinguished only by their network (/24, /48) and User-Agent.
    """

    def __init__(self, views: int = VIEWS, size: int = SIZE) -> None:
        self._salt = token_bytes(32)
        self._most = _Memory(views, size)
        self._all = _Memory()
        self._views: OrderedDict[str, tuple[View, str, int]] = OrderedDict()
        self._keys_of: dict[str, OrderedDict[str, None]] = {}
        self._of: dict[str, _Memory] = {}

    def id(self, *parts: str) -> str:
        """Always the same for the same parts, as long as this process lives."""
        digest = blake2b("\0".join(parts).encode("utf-8", "replace"), key=self._salt, digest_size=16).hexdigest()
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))

    def opened(self, key: str, view: View, network: str) -> None:
        """Remembers the newest view of a sender's page. One network may have a part of the memory, so that it cannot displace all others'."""
        self._forget(key)
        size = sys.getsizeof(key) + sys.getsizeof(view.url)
        self._views[key] = (View(id=view.id, url=view.url, started_at=view.started_at), network, size)
        keys, own = self._keys_of.setdefault(network, OrderedDict()), self._of.setdefault(network, _Memory())
        keys[key] = None
        for memory in (own, self._all):
            memory.add(1, size)
        while len(keys) > 1 and own.exceeds(self._most, SHARE):
            self._forget(next(iter(keys)))
        while self._all.exceeds(self._most):
            self._forget(next(iter(self._views)))

    def newest(self, key: str) -> View | None:
        """The newest view of a sender's page, if it is known: id, address and start."""
        found = self._views.get(key)
        return found[0] if found else None

    def _forget(self, key: str) -> None:
        found = self._views.pop(key, None)
        if found is None:
            return
        _, network, size = found
        keys, own = self._keys_of[network], self._of[network]
        del keys[key]
        for memory in (own, self._all):
            memory.add(-1, -size)
        if not keys:
            del self._keys_of[network], self._of[network]


class _Memory(Struct):
    """How many views, and how many bytes they take."""

    views: int = 0
    size: int = 0

    def add(self, views: int, size: int) -> None:
        """Counts some more, or fewer."""
        self.views += views
        self.size += size

    def exceeds(self, most: "_Memory", share: int = 1) -> bool:
        """Whether this is more than a part of `most`."""
        return self.views > most.views // share or self.size > most.size // share
