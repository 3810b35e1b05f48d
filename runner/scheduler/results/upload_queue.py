"""Runs that have ended on their way to object storage: uploaded before their results go on, unless the storage is away.

What the storage does to an upload never changes a run: its result goes on as soon as the first try has failed, or has taken
`artifacts_timeout`. The files wait in the folder of the runs, also across restarts, within `artifacts_queue_size`.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from runner.archive.archive import Archive
from runner.archive.object_storage import Storage
from runner.archive.upload import drop_oldest, remove_copies, upload_run
from runner.errors import StorageDown
from runner.result import RunResult
from runner.scheduler.results.retry_queue import RetryQueue
from runner.settings.settings import Settings

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two tries while the storage cannot be reached; doubled each time."""
TIDY = 60.0
"""Seconds between two looks for copies that are old enough to be removed here."""
Outcome = Literal["uploaded", "failed", "dropped"]
log = logging.getLogger("journey.artifacts")


class PendingUpload:
    """A run in the queue; `result` is None for a run of an earlier process, whose result has gone on."""

    def __init__(self, folder: Path, result: RunResult | None) -> None:
        self.folder = folder
        self.result = result
        self.since = time.monotonic()


class UploadQueue:
    """Uploads runs in a thread of its own.

    `pass_on` is called once for each run that is put in, mostly in that thread; `report` with the outcome of each try, and what
    there is to say about it. Runs that an earlier process has not uploaded are uploaded too.
    """

    def __init__(
        self,
        storage: Storage,
        archive: Archive,
        settings: Settings,
        pass_on: Callable[[RunResult, Path | None], None],
        report: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._storage = storage
        self._archive = archive
        self._settings = settings
        self._pass_on = pass_on
        self._report = report
        self._passing = threading.Lock()
        self._ending = False
        self._tidied = -TIDY
        self.down = ""
        """Why the storage does not accept uploads; empty while it does."""
        self._queue = RetryQueue[PendingUpload](
            "uploads",
            self._upload,
            error=StorageDown,
            failed=self._note_failure,
            done=self._note_success,
            first_pause=FIRST_PAUSE,
            longest_pause=LONGEST_PAUSE,
        )
        for one in archive.waiting.pending():
            self._queue.put(one.run, PendingUpload(one.folder, None))

    def put(self, result: RunResult, folder: Path | None) -> None:
        """Adds a run that has ended. While the storage is away, its result goes on at once."""
        pending = PendingUpload(folder or Path(), result)
        if folder is None or self.down:
            self._pass(pending)
        if folder is not None:
            self._queue.put(result.id, pending)

    @property
    def waiting(self) -> int:
        """The number of runs that are not uploaded yet."""
        return self._queue.waiting

    def stop(self, timeout: float) -> int:
        """Uploads what waits, until the first failure and for about `timeout` seconds; returns how many runs are left.

        Every result has gone on then.
        """
        left = self._queue.stop(timeout)
        if left:
            # The request that is under way ends by its own time limit; nothing follows it.
            self._ending = True
            left = self._queue.stop(timeout)
        for pending in self._queue.left():
            self._pass(pending)
        return left

    def _upload(self, run: str, pending: PendingUpload) -> None:
        self._pass_late(pending)
        with self._archive.waiting.locked(run) as waits:
            if not waits:
                # Another process uploads it or has done so, or it was removed.
                return
            try:
                upload_run(self._storage, pending.folder, lambda: self._pass_late(pending))
                self._archive.waiting.finish(run)
            except FileNotFoundError as error:
                if pending.folder.is_dir():
                    raise StorageDown(f"{pending.folder}: cannot be uploaded: {error}") from error
                self._archive.waiting.remove(run)
                return
            except OSError as error:
                raise StorageDown(f"{pending.folder}: cannot be uploaded: {error}") from error
        if self.down:
            log.info("%s works again", self._storage.shown)
            self.down = ""
        self._report("uploaded")

    def _pass_late(self, pending: PendingUpload) -> None:
        if self._ending:
            raise StorageDown("the upload was stopped")
        now = time.monotonic()
        for one in [pending, *self._queue.left()]:
            if now - one.since >= self._settings.artifacts_timeout:
                self._pass(one)

    def _pass(self, pending: PendingUpload) -> None:
        with self._passing:
            result, pending.result = pending.result, None
        if result is not None:
            self._pass_on(result, pending.folder if pending.folder != Path() else None)

    def _note_failure(self, _: str, error: Exception) -> None:
        if not self.down:
            log.error("%s; runs go on, and their files wait in %s until it works again", error, self._archive.folder)
        self.down = str(error)
        self._report("failed")
        for pending in self._queue.left():
            self._pass(pending)
        try:
            for one in drop_oldest(self._archive, self._settings.artifacts_queue_size):
                log.error(
                    "%s: its artifacts were removed without having been uploaded: more than artifacts_queue_size = %d bytes wait",
                    one.folder,
                    self._settings.artifacts_queue_size,
                )
                self._report("dropped")
        except OSError as why:
            log.warning("old artifacts cannot be removed: %s", why)

    def _note_success(self, _: str, pending: PendingUpload) -> None:
        self._pass(pending)
        if time.monotonic() - self._tidied >= TIDY:
            self._tidied = time.monotonic()
            try:
                remove_copies(self._archive, self._settings.artifacts_keep_local)
            except OSError as error:
                log.warning("copies of uploaded artifacts cannot be removed: %s", error)
