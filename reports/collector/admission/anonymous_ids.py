"""Ids for senders that send none: the small version's pages, browsers' own reports, other agents."""

from collections import OrderedDict
from hashlib import blake2b
from secrets import token_bytes
from uuid import uuid4

from reports.collector.beacon import View

VIEWS = 10_000
"""Page views that are remembered for later messages."""
SHARE = 4
"""One network may have this part of them: a quarter."""


def new_id() -> str:
    """A new unique id."""
    return str(uuid4())


class AnonymousIds:
    """Derives ids from a sender's properties, with a salt that is lost with the process: nobody can be recognized by them later.

    Senders are distinguished only by their network (/24, /48) and User-Agent.
    """

    def __init__(self, views: int = VIEWS) -> None:
        self._salt = token_bytes(32)
        self._limit = views
        self._views: OrderedDict[str, tuple[View, str]] = OrderedDict()
        self._keys_of: dict[str, OrderedDict[str, None]] = {}

    def id(self, *parts: str) -> str:
        """Always the same for the same parts, as long as this process lives."""
        digest = blake2b("\0".join(parts).encode("utf-8", "replace"), key=self._salt, digest_size=16).hexdigest()
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))

    def opened(self, key: str, view: View, network: str) -> None:
        """Remembers the newest view of a sender's page. One network may have a part of the memory, so that it cannot displace all others'."""
        self._forget(key)
        self._views[key] = (View(id=view.id, url=view.url, started_at=view.started_at), network)
        own = self._keys_of.setdefault(network, OrderedDict())
        own[key] = None
        if len(own) > max(self._limit // SHARE, 1):
            self._forget(next(iter(own)))
        elif len(self._views) > self._limit:
            self._forget(next(iter(self._views)))

    def newest(self, key: str) -> View | None:
        """The newest view of a sender's page, if it is known: id, address and start."""
        found = self._views.get(key)
        return found[0] if found else None

    def _forget(self, key: str) -> None:
        found = self._views.pop(key, None)
        if found is None:
            return
        own = self._keys_of[found[1]]
        del own[key]
        if not own:
            del self._keys_of[found[1]]
