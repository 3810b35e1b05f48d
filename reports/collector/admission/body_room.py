"""How much memory bodies may take that are still arriving."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from reports.collector.errors import Refusal

TOTAL = 67_108_864
"""Bytes."""
SHARE = 4
"""One network may have this part of them: a quarter."""
WAIT = 2.0
"""Seconds after which a sender may try again."""


class BodyRoom:
    """The memory for bodies that are still arriving, beyond a small part of each: in all, and for one network a part of it.

    Thousands of connections could each hold back the end of a large body.
    """

    def __init__(self, total: int = TOTAL, share: int = SHARE) -> None:
        self._total = total
        self._share = total // share
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Bytes that are in use."""
        return self._taken.total()

    @contextmanager
    def reserve(self, network: str) -> Iterator[Callable[[int], None]]:
        """While the block runs: takes bytes for a body from `network`. Raises Refusal when there is no room."""
        own = 0

        def take(size: int) -> None:
            nonlocal own
            if self._taken[network] + size > self._share or self.taken + size > self._total:
                raise Refusal(503, "unavailable", "too many large bodies are arriving", fix="send it again", retry_after=WAIT)
            own += size
            self._taken[network] += size

        try:
            yield take
        finally:
            self._taken[network] -= own
            if not self._taken[network]:
                del self._taken[network]
