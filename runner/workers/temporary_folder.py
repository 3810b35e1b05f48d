"""A folder for the temporary files of one worker, its journeys, Playwright's driver and Chromium: removed with the worker.

What they write there is not redacted: traces, profiles with cookies, downloads. The process that has made the folder locks it until it
ends, for whatever reason; what is not locked was left by a process that was killed, and is removed by the next one.
"""

import fcntl
import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

PREFIX = "journey-worker-"


class TemporaryFolder:
    """A new folder that only its owner can read. Raises OSError when it cannot be created."""

    def __init__(self) -> None:
        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX))
            lock = _lock_folder(path)
            # Another process may have swept it away between its creation and the lock.
            if lock is not None:
                break
        self.path = path
        self.remove = weakref.finalize(self, _remove, path, lock)
        """Removes the folder; when the process ends at the latest."""


def _remove(path: Path, lock: int) -> None:
    rmtree(path, ignore_errors=True)
    os.close(lock)


def sweep_temporary_folders() -> None:
    """Removes the folders that ended processes of this user have left, and ends what their journeys had started."""
    from runner.workers.left_processes import end_left_processes  # imports psutil, for which no command waits

    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(PREFIX)]
    for path in left:
        lock = _lock_folder(path)
        if lock is not None:
            end_left_processes(path)
            _remove(path, lock)


def _lock_folder(path: Path) -> int | None:
    """Locks a folder of this user until the descriptor is closed or the process ends; None if another process holds or removes it."""
    try:
        # The folder for temporary files is everybody's: what another user has put there is not followed and not touched.
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked = os.fstat(descriptor)
        if locked.st_uid == os.geteuid() and locked.st_ino == path.stat(follow_symlinks=False).st_ino:
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None
