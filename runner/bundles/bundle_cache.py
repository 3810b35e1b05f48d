"""The bundles that a worker has fetched: unpacked below one folder, which is bounded; one that is in use is never removed.

Each bundle has a lock file. Whoever unpacks or removes holds it alone, whoever runs journeys from it shares it; a process that dies
lets go of it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from msgspec import Struct

from runner.archive.archive import measure_folder
from runner.archive.file_lock import lock_file
from runner.bundles.archive_file import TIME, decode_manifest
from runner.bundles.make_bundle import PLACE
from runner.bundles.manifest import MANIFEST, Manifest
from runner.errors import BundleError
from runner.private_files import make_private_folder
from runner.settings.settings import Settings

LOCK = ".lock"


class CachedBundle(Struct, frozen=True):
    """A bundle in the cache."""

    digest: str
    bytes: int
    used_at: float
    """Seconds since the epoch."""


class BundleCache:
    """Unpacked bundles in `folder`, of about `limit` bytes together.

    `largest` bounds one of them; `local_files` has the files that do not travel, by their paths in the bundle.
    """

    def __init__(self, folder: Path, limit: int, largest: int, local_files: Path | None = None) -> None:
        self.folder = folder
        self.limit = limit
        self.largest = largest
        self.local_files = local_files

    def place(self, digest: str) -> Path:
        """Where a bundle is, or would be."""
        return self.folder / digest

    def partial(self, digest: str) -> Path:
        """Where it is while it is fetched."""
        return self.folder / f".{digest}.partial"

    def read(self, digest: str) -> Manifest | None:
        """The manifest of a bundle that is here as it was unpacked; None when it is not."""
        folder = self.place(digest)
        try:
            manifest = decode_manifest((folder / MANIFEST).read_bytes(), digest)
            stats = ((one, (folder / one.path).lstat()) for one in manifest.files)
            intact = all(stat.st_size == one.bytes and int(stat.st_mtime) == TIME for one, stat in stats)
        except (OSError, BundleError):
            return None
        return manifest if intact else None

    @contextmanager
    def alone(self, digest: str) -> Iterator[None]:
        """Holds the lock of a bundle alone; waits for those that have it. Raises OSError."""
        descriptor = self._open_lock(digest, fcntl.LOCK_EX)
        try:
            yield
        finally:
            os.close(descriptor)

    def share(self, digest: str) -> int:
        """Holds the lock of a bundle together with others, until the descriptor is closed. Raises OSError."""
        descriptor = self._open_lock(digest, fcntl.LOCK_SH)
        os.utime(descriptor)
        return descriptor

    def list_cached(self) -> list[CachedBundle]:
        """What is here, the one that was used longest ago first."""
        found = []
        for lock in self.folder.glob(f"*{LOCK}"):
            folder = self.place(lock.name.removesuffix(LOCK))
            with suppress(FileNotFoundError):
                if folder.is_dir():
                    found.append(CachedBundle(folder.name, measure_folder(folder), lock.stat().st_mtime))
        return sorted(found, key=lambda one: one.used_at)

    def evict(self, room: int = 0) -> list[str]:
        """Removes bundles that were not used for longest until the others, with `room` more bytes, are within the limit.

        Returns their digests. What a process that died has begun to unpack is removed, too.
        """
        for partial in self.folder.glob(".*.partial"):
            self._remove(partial.name[1:].partition(".")[0], partial)
        cached = self.list_cached()
        total = sum(one.bytes for one in cached) + room
        removed = []
        for one in cached:
            if total <= self.limit:
                break
            if self._remove(one.digest, self.place(one.digest)):
                total -= one.bytes
                removed.append(one.digest)
        return removed

    def _remove(self, digest: str, folder: Path) -> bool:
        """Removes a folder, unless its bundle is in use."""
        lock = self.folder / f"{digest}{LOCK}"
        descriptor = lock_file(lock)
        if descriptor is None:
            return False
        try:
            rmtree(folder, ignore_errors=True)
            if not self.place(digest).exists():
                lock.unlink(missing_ok=True)
        finally:
            os.close(descriptor)
        return True

    def _open_lock(self, digest: str, how: int) -> int:
        make_private_folder(self.folder)
        file = self.folder / f"{digest}{LOCK}"
        while True:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, how)
            with suppress(FileNotFoundError):
                # Whoever removed the bundle meanwhile has removed the file of the lock, too.
                if os.fstat(descriptor).st_ino == file.stat().st_ino:
                    return descriptor
            os.close(descriptor)


def open_cache(settings: Settings) -> BundleCache:
    """The cache of a worker with these settings."""
    return BundleCache(
        settings.runs_dir / PLACE / "unpacked", settings.bundle_cache_size, settings.bundle_size, settings.bundle_files
    )
