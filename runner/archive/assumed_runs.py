"""Which saved runs only say what a scheduler assumed: an empty file for each in `runs/.assumed/`.

The run's own result may be saved elsewhere later; then what is here is wrong, and nothing but its marker leads to it.
"""

import time
from collections.abc import Iterable

from runner.archive.archive import Archive
from runner.private_files import make_private_folder, write_private_file

FOLDER = ".assumed"
LONGEST_WAIT = 7 * 86_400.0
"""Seconds after which no result of such a run is expected any more."""


class AssumedRuns:
    """The markers below the folder of the runs."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._folder = archive.folder / FOLDER

    def add(self, run: str) -> None:
        """Notes that what is about to be saved of a run is assumed. Raises OSError."""
        make_private_folder(self._folder)
        write_private_file(self._folder / run, b"")

    def list(self) -> list[str]:
        """The runs whose own result may still come; markers that are too old are removed. Raises OSError."""
        found = []
        for file in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            if time.time() - file.stat().st_mtime > LONGEST_WAIT:
                file.unlink(missing_ok=True)
            else:
                found.append(file.name)
        return found

    def remove(self, replaced: Iterable[str]) -> int:
        """Removes what is saved here of runs whose own result is stored; returns how many there were. Raises OSError."""
        count = 0
        for run in replaced:
            folder = self._archive.folder_of(run)
            saved = self._archive.read(folder) if folder is not None else None
            if saved is not None and saved.result.assumed:
                self._archive.delete(saved)
                count += 1
            (self._folder / run).unlink(missing_ok=True)
        return count
