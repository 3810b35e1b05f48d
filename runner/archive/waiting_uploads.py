"""Which saved runs wait to be uploaded, and which were: a small file for each in `runs/.uploads/`.

The file is written before a run gets its place, so a process that is killed at any moment leaves no run that nobody uploads. While
its files are uploaded, the marker is locked: several processes may share the folder.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from runner.archive.file_lock import lock_file
from runner.private_files import make_private_folder, write_private_file

FOLDER = ".uploads"
DONE = ".done"
"""Suffix of the marker of a run that was uploaded, and whose artifacts are still here too."""
ABANDONED = 86_400.0
"""Seconds after which a marker whose run never got its place is removed."""


class Marker(Struct, frozen=True):
    """What a marker says."""

    folder: str
    """`<journey>/<run's folder>`, below the folder of the runs."""
    bytes: int = 0
    """Of the run's artifacts."""


class WaitingUpload(Struct, frozen=True):
    """A run that waits to be uploaded."""

    run: str
    folder: Path
    bytes: int


_decoder = msgspec.json.Decoder(Marker)


class WaitingUploads:
    """The markers below the folder of the runs."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._folder = runs / FOLDER

    def add(self, run: str, folder: Path, size: int) -> None:
        """Notes that a run is to be uploaded, which is about to get its place. Raises OSError."""
        make_private_folder(self._folder)
        marker = Marker(str(folder.relative_to(self._runs)), size)
        temporary = self._folder / f".{run}"
        write_private_file(temporary, msgspec.json.encode(marker), sync=True)
        temporary.replace(self._folder / run)

    def pending(self) -> list[WaitingUpload]:
        """The runs that wait, oldest first; markers whose run never got its place are removed after a day."""
        found = []
        for file in self._markers(done=False):
            marker = self._read(file)
            folder = self._runs / marker.folder if marker else None
            if marker and folder and folder.is_dir():
                found.append(WaitingUpload(file.name, folder, marker.bytes))
            elif _age(file) > ABANDONED:
                file.unlink(missing_ok=True)
        return sorted(found, key=lambda one: one.run)

    @contextmanager
    def locked(self, run: str) -> Iterator[bool]:
        """Whether the run still waits and no other process uploads it, for as long as the block lasts."""
        marker = self._folder / run
        if not marker.is_file():
            yield False
            return
        held = lock_file(marker)
        try:
            # The lock creates the file where another process has just finished with it.
            waits = held is not None and self._read(marker) is not None
            if held is not None and not waits:
                marker.unlink(missing_ok=True)
            yield waits
        finally:
            if held is not None:
                os.close(held)

    def finish(self, run: str) -> None:
        """The run is uploaded; its artifacts here are a copy now. Raises OSError."""
        marker = self._folder / run
        os.utime(marker)
        marker.rename(marker.with_name(run + DONE))

    def remove(self, run: str) -> None:
        """The run is not to be uploaded, or is gone. Raises OSError."""
        (self._folder / run).unlink(missing_ok=True)
        (self._folder / (run + DONE)).unlink(missing_ok=True)

    def copies(self, older_than: float) -> list[WaitingUpload]:
        """The runs that were uploaded at least so many seconds ago and whose artifacts are still here."""
        found = []
        for file in self._markers(done=True):
            marker = self._read(file)
            if marker and _age(file) >= older_than:
                found.append(WaitingUpload(file.name.removesuffix(DONE), self._runs / marker.folder, marker.bytes))
        return found

    def _markers(self, done: bool) -> list[Path]:
        try:
            files = [one for one in self._folder.iterdir() if not one.name.startswith(".")]
        except FileNotFoundError:
            return []
        return [one for one in files if one.name.endswith(DONE) == done]

    def _read(self, file: Path) -> Marker | None:
        """What a marker says; None for one that another process has just removed, or that leads out of the folder."""
        try:
            marker = _decoder.decode(file.read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        parts = Path(marker.folder).parts
        return marker if len(parts) == 2 and ".." not in parts and not Path(marker.folder).is_absolute() else None


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
