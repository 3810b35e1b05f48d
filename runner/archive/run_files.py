"""The files of one saved run, wherever they are: in its folder, or in object storage.

Paths come from a database or from a result, so each is checked: none leads out of the run's folder.
"""

import io
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar

import msgspec
from msgspec import Struct

from runner.archive.object_storage import Stat, Storage
from runner.errors import StorageDown
from runner.private_files import make_private_folder
from runner.result import RunResult

RESULT = "result.json"
PAUSE = 10.0
"""Seconds for which a storage that did not answer is not asked again: a page must not wait for it once per file."""
BUFFER = 256 * 1024
"""Bytes that are read at a time from a file in the storage that is read in parts."""
T = TypeVar("T")
_decoder = msgspec.json.Decoder(RunResult)


class RemoteFile(Struct, frozen=True):
    """A file in the storage."""

    storage: Storage
    key: str

    def stat(self) -> Stat:
        """Its size and version. Raises StorageDown, and FileNotFoundError when it is not there."""
        return self.storage.stat(self.key)


class RunFiles:
    """The files of a run in a folder; `folder` is None for one that was removed."""

    trouble = ""
    """Why the storage could not be read; empty while it could."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def result(self) -> RunResult | None:
        """The run's result; None when it is not there or cannot be read."""
        file = self.local(RESULT)
        try:
            return _decoder.decode(file.read_bytes()) if file else None
        except (OSError, msgspec.DecodeError):
            return None

    def there(self, path: str) -> bool:
        """Whether a file exists; also True where the storage does not say."""
        return self.local(path) is not None

    def local(self, path: str) -> Path | None:
        """The file on this machine, fetched if necessary; None when it does not exist."""
        return file_inside(self.folder, path) if self.folder else None

    def remote(self, path: str) -> RemoteFile | None:  # noqa: ARG002 (for runs that are elsewhere)
        """The file in the storage, for one that is not on this machine."""
        return None

    def folder_holding(self, path: str) -> Path | None:
        """The folder on this machine in which a file has its path, fetched if necessary."""
        file = self.local(path)
        return None if file is None else self.folder


class Availability:
    """When a storage failed last: what is asked soon after fails at once."""

    def __init__(self) -> None:
        self._until = 0.0
        self._why = ""

    def ask(self, work: Callable[[], T]) -> T:
        """What `work` returns. Raises StorageDown."""
        if time.monotonic() < self._until:
            raise StorageDown(self._why)
        try:
            return work()
        except StorageDown as error:
            self._why, self._until = str(error), time.monotonic() + PAUSE
            raise


class RemoteRunFiles(RunFiles):
    """The files of a run that may be in a storage; small ones are fetched into the folder `copy`."""

    def __init__(self, folder: Path | None, storage: Storage, place: str, copy: Path, availability: Availability) -> None:
        super().__init__(folder)
        self._storage = storage
        self._place = place
        self._copy = copy
        self._availability = availability
        self._sizes: dict[str, int] | None = None
        self._digests: dict[str, str] | None = None

    def there(self, path: str) -> bool:
        if not _is_inside(path):
            return False
        if super().local(path) is not None or file_inside(self._copy, path) is not None:
            return True
        if self._sizes is None:
            try:
                self._sizes = self._availability.ask(lambda: self._storage.sizes(self._place))
            except StorageDown as error:
                self.trouble = str(error)
                return True
        return f"{self._place}/{path}" in self._sizes

    def local(self, path: str) -> Path | None:
        found = super().local(path) or file_inside(self._copy, path)
        if found is not None or not _is_inside(path) or self.trouble:
            return found
        digest = "" if path == RESULT else self._digest(path)
        try:
            make_private_folder(self._copy)
            self._availability.ask(lambda: self._storage.download(f"{self._place}/{path}", self._copy / path, digest))
        except FileNotFoundError:
            return None
        except StorageDown as error:
            self.trouble = str(error)
            return None
        return file_inside(self._copy, path)

    def remote(self, path: str) -> RemoteFile | None:
        if not _is_inside(path) or super().local(path) is not None or file_inside(self._copy, path) is not None:
            return None
        return RemoteFile(self._storage, f"{self._place}/{path}")

    def folder_holding(self, path: str) -> Path | None:
        file = self.local(path)
        return self.folder if super().local(path) is not None else self._copy if file is not None else None

    def _digest(self, path: str) -> str:
        if self._digests is None:
            result = self.result()
            self._digests = {one.path: one.sha256 for one in result.artifacts} if result else {}
        return self._digests.get(path, "")


class RemoteReader(io.RawIOBase):
    """A file in the storage that is read in parts, as a ZIP archive is: only what is asked for is transferred."""

    def __init__(self, file: RemoteFile, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError("before the start of the file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        content = self._file.storage.read(self._file.key, self._at, end)
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)


def open_remote(file: RemoteFile) -> BinaryIO:
    """A file in the storage as one that can be read anywhere. Raises StorageDown, and FileNotFoundError."""
    return io.BufferedReader(RemoteReader(file, file.stat().size), BUFFER)


def file_inside(folder: Path, path: str) -> Path | None:
    """The file at a stored path if it is inside the folder; links and `..` cannot lead out of it."""
    file = (folder / path).resolve()
    return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


def _is_inside(path: str) -> bool:
    """Whether a path can be that of a file in a run's folder."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts
