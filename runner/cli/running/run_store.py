"""Stores the runs of a command: the database is opened in a thread while the first run is under way."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from runner.errors import JourneyError
from runner.result import RunResult

if TYPE_CHECKING:
    from runner.store import Store


class RunStore:
    """Stores each run as it ends. If the database fails, there is a warning; the run is saved in its folder all the same."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1)
        self._store: Future[Store] | None = None
        self._warned = False

    def __enter__(self) -> Self:
        self._store = self._thread.submit(self._open)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._thread.shutdown()
        if self._store is not None and self._store.exception() is None:
            self._store.result().close()

    def _open(self) -> "Store":
        from runner.store import Store

        return Store(self._url)

    def add(self, result: RunResult, folder: Path | None) -> str:
        """Stores a run; returns a warning, only once."""
        if self._store is None:
            return ""
        try:
            self._store.result().add(result, folder)
        except JourneyError as error:
            first, self._warned = not self._warned, True
            return f"not stored: {error}" if first else ""
        return ""
