"""The phases of a call, each timed: `resolve connect tls processing transfer`, as blackbox_exporter names them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Phases:
    """The seconds of each phase so far; phases that come again, as after a redirect, are added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.current = ""
        """The phase that is under way, or in which the call ended."""

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Times the block as this phase, also if it raises."""
        self.current, started = name, time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float) -> None:
        """Adds seconds to a phase."""
        self.seconds[name] = round(self.seconds.get(name, 0.0) + seconds, 6)
