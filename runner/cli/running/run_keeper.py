"""What a command does with each of its runs: store it, write its page, report what did not work."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from runner.archive.archive import Archive, Saved
from runner.archive.object_storage import open_storage
from runner.browser.chromium import Browser
from runner.browser.sandbox import describe_sandbox
from runner.cli.running.report_writer import ReportWriter
from runner.cli.running.run_store import RunStore
from runner.events import Moment, RunEnded
from runner.result import RunResult
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from runner.scheduler.results.upload_queue import UploadQueue


class RunKeeper:
    """Listens to runs. If the database or a page fails, there is a warning; everything is written when the block ends."""

    def __init__(
        self, archive: Archive, settings: Settings, warn: Callable[[str], object], note: Callable[[str], object]
    ) -> None:
        """`warn` is for what did not work, `note` for what users should know of their machine."""
        self._settings = settings
        self._archive = archive
        self._warn = warn
        self._note = note
        self._problems: list[str] = []
        self._pages = ReportWriter(archive, self._problems.append)
        self._store = RunStore(settings.database_url)
        self._open = ExitStack()
        self._storage = open_storage(settings)
        self._uploads: UploadQueue | None = None
        self._outcomes: list[str] = []
        self.ended: list[tuple[RunResult, Path | None]] = []
        """Each run that has ended, and where it is saved."""
        self._noted_sandbox = False

    def __enter__(self) -> Self:
        self._open.enter_context(self._pages)
        self._open.enter_context(self._store)
        if self._storage is not None:
            from runner.scheduler.results import upload_queue
            from runner.scheduler.results.upload_queue import UploadQueue

            # What its log says of a scheduler, a command says once at its end.
            upload_queue.log.addHandler(logging.NullHandler())
            self._uploads = UploadQueue(self._storage, self._archive, self._settings, self._keep, self._outcomes.append)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._uploads is not None and (left := self._uploads.stop(self._settings.artifacts_timeout)):
            runs = "1 run was" if left == 1 else f"{left} runs were"
            self._problems.append(f"{runs} not uploaded; the next command tries again: {self._uploads.down}")
        if dropped := self._outcomes.count("dropped"):
            self._problems.append(
                f"the artifacts of {dropped} old runs were removed before they were uploaded: artifacts_queue_size"
            )
        self._open.close()
        for problem in self._problems:
            self._warn(problem)

    def note_sandbox_of(self, browser: Browser | None) -> None:
        """As `note_sandbox`, for a browser that is about to be started."""
        if browser is not None and browser.engine == "chromium":
            self.note_sandbox(describe_sandbox(browser.path))

    def note_sandbox(self, state: str) -> None:
        """Says once that the sandbox is off; `state` is as in `Environment.sandbox`."""
        if state.startswith("off") and not self._noted_sandbox:
            self._noted_sandbox = True
            self._note(f"the browser's sandbox is {state}")

    def __call__(self, moment: Moment) -> None:
        """Handles a run that has ended."""
        if not isinstance(moment, RunEnded):
            return
        self.ended.append((moment.result, moment.folder))
        # Where the first start of a browser has found out.
        self.note_sandbox(moment.result.environment.sandbox)
        (self._uploads.put if self._uploads else self._keep)(moment.result, moment.folder)

    def _keep(self, result: RunResult, folder: Path | None) -> None:
        """Stores a run and has its page written; called in the thread of the uploads where there are any."""
        warning = self._store.add(result, folder)
        if warning:
            (self._problems.append if self._uploads else self._warn)(warning)
        if folder is not None:
            self._pages.write(Saved(result, folder))
