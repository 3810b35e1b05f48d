"""Writes each run's page, `report.html`, in a thread of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from runner.archive.archive import Archive, Saved


class ReportWriter:
    """Writes each run's page beside the runs: while the next one is under way, this process only waits."""

    def __init__(self, archive: Archive, tell: Callable[[str], object]) -> None:
        """`tell` hears, in the writer's thread, what kept a page from being written."""
        self._archive = archive
        self._tell = tell
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        self._pool.submit(self._prepare)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown()

    def write(self, saved: Saved) -> None:
        """Has the page written; all are when the block ends."""
        self._pool.submit(self._write, saved)

    def _prepare(self) -> None:
        from reports.formats.html import run

        run.load_run_template()

    def _write(self, saved: Saved) -> None:
        from reports.formats.html import run

        try:
            self._archive.add(saved.folder, run.FILE, run.render_run(saved))
        except Exception as error:  # noqa: BLE001 (told below; a page that cannot be made must not end the command)
            self._tell(f"no {run.FILE} in {saved.folder}: {type(error).__name__}: {error}")
