"""From the digest of a bundle to its files, fetched from the storage unless they are here, and checked before any of it is used."""

import os
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from types import TracebackType

from runner.archive.object_storage import Storage
from runner.bundles.archive_file import decompress, unpack
from runner.bundles.bundle_cache import BundleCache
from runner.bundles.bundle_metrics import opened
from runner.bundles.make_bundle import archive_key, check_version, seal_key
from runner.bundles.manifest import LARGEST_MANIFEST, MOST_FILES, SEAL, Manifest
from runner.bundles.packages import check_packages
from runner.bundles.signature import Seal, check_digest, check_seal, short
from runner.errors import BundleError, StorageDown
from runner.private_files import make_private_folder, write_private_file
from runner.settings.secrets import Secret

OVERHEAD = LARGEST_MANIFEST + MOST_FILES * 2048
"""Bytes that an archive may have beside its files."""
LARGEST_SEAL = 10_000
SLACK = 100_000
"""Bytes by which gzip may make an archive larger, beside a hundredth of it."""


class OpenBundle:
    """The files of a bundle, which stay where they are until it is closed."""

    def __init__(self, digest: str, folder: Path, manifest: Manifest, notes: tuple[str, ...], lock: int, fetched: bool) -> None:
        self.digest = digest
        self.folder = folder
        self.manifest = manifest
        self.notes = notes
        """What a run from it is to say, such as packages of another version."""
        self.fetched = fetched
        """Whether it was not in the cache before."""
        self._lock: int | None = lock

    def close(self) -> None:
        """From now on the files may be removed."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "OpenBundle":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_bundle(source: Storage, digest: str, key: Secret, cache: BundleCache) -> OpenBundle:
    """A bundle whose signature, digest and files are right, and which this machine can run.

    Raises BundleError when it cannot be used, and StorageDown when it is not in the cache and the storage does not answer.
    """
    try:
        found = _open(source, check_digest(digest), key, cache)
    except BundleError:
        opened.labels("refused").inc()
        raise
    except StorageDown:
        opened.labels("storage").inc()
        raise
    opened.labels("fetched" if found.fetched else "cached").inc()
    return found


def _open(source: Storage, digest: str, key: Secret, cache: BundleCache) -> OpenBundle:
    before = cache.read(digest)
    try:
        lock, manifest = _share(source, digest, key, cache)
    except OSError as error:
        raise BundleError(
            f"bundle {short(digest)}: cannot be unpacked into {cache.folder}: {error.strerror}; make room there, or give the folder "
            "to the user of this process"
        ) from error
    try:
        check_version(digest, manifest)
        notes = check_packages(digest, manifest.packages)
        _link_local_files(cache, digest, manifest)
    except BaseException:
        os.close(lock)
        raise
    return OpenBundle(digest, cache.place(digest), manifest, notes, lock, fetched=before is None)


def _share(source: Storage, digest: str, key: Secret, cache: BundleCache) -> tuple[int, Manifest]:
    """The lock of the bundle, shared, and its manifest, fetched unless it is here. Raises BundleError, StorageDown, OSError."""
    while True:
        lock = cache.share(digest)
        manifest = cache.read(digest)
        if manifest is not None:
            try:
                _check_cached_seal(source, digest, key, cache)
            except BaseException:
                os.close(lock)
                raise
            return lock, manifest
        os.close(lock)
        with cache.alone(digest):
            # Another process may have fetched it while this one waited for the lock.
            if cache.read(digest) is None:
                _fetch(source, digest, key, cache)


def _check_cached_seal(source: Storage, digest: str, key: Secret, cache: BundleCache) -> None:
    """The key may have been changed since the bundle was fetched: then the storage has another seal."""
    try:
        check_seal((cache.place(digest) / SEAL).read_bytes(), digest, key)
    except (BundleError, FileNotFoundError):
        _read_seal(source, digest, key)


def _fetch(source: Storage, digest: str, key: Secret, cache: BundleCache) -> None:
    content, seal = _read_seal(source, digest, key)
    cache.evict(room=seal.bytes)
    partial = cache.partial(digest)
    rmtree(partial, ignore_errors=True)
    try:
        make_private_folder(partial)
        tar, files = _fetch_archive(source, seal, partial, cache.largest), partial / "files"
        unpack(tar, files, digest, cache.largest)
        write_private_file(files / SEAL, content)
        rmtree(cache.place(digest), ignore_errors=True)
        files.rename(cache.place(digest))
    finally:
        rmtree(partial, ignore_errors=True)


def fetch_manifest(source: Storage, digest: str, key: Secret, largest: int) -> Manifest:
    """The manifest of a bundle in the storage, all of which is checked; nothing stays on the disk. Raises BundleError, StorageDown."""
    _, seal = _read_seal(source, check_digest(digest), key)
    with TemporaryDirectory() as folder:
        tar = _fetch_archive(source, seal, Path(folder), largest)
        return unpack(tar, Path(folder) / "files", digest, largest)


def read_bundle_file(file: Path, largest: int) -> tuple[str, Manifest]:
    """Digest and manifest of a bundle on the disk, of which no signature is known. Raises BundleError."""
    if file.exists() and not file.is_file():
        # Reading a pipe would wait forever.
        raise BundleError(f"{file}: is not a regular file; name a file that `journey bundle make` has written")
    with TemporaryDirectory() as folder:
        tar = Path(folder) / "archive.tar"
        try:
            digest, _ = decompress(file, tar, largest + OVERHEAD)
        except OSError as error:
            raise BundleError(
                f"{file}: cannot be read: {error.strerror}; name a file that `journey bundle make` has written"
            ) from error
        return digest, unpack(tar, Path(folder) / "files", digest, largest)


def _fetch_archive(source: Storage, seal: Seal, folder: Path, largest: int) -> Path:
    """The archive, decompressed, whose digest and size are those that were signed."""
    name = f"bundle {short(seal.digest)}"
    if seal.bytes > largest + OVERHEAD:
        raise BundleError(f"{name}: has {seal.bytes} bytes, more than bundle_size = {largest}; raise bundle_size")
    packed, tar = folder / f"{seal.digest}.tar.gz", folder / "archive.tar"
    _download(source, seal.digest, packed, seal.bytes + seal.bytes // 100 + SLACK)
    if decompress(packed, tar, seal.bytes) != (seal.digest, seal.bytes):
        raise BundleError(f"{name}: its archive is not what was signed; remove {archive_key(seal.digest)} and upload it again")
    packed.unlink()
    return tar


def _read_seal(source: Storage, digest: str, key: Secret) -> tuple[bytes, Seal]:
    """The seal that this key has signed, before anything else of the bundle is looked at."""
    try:
        content = source.read(seal_key(digest, key), 0, LARGEST_SEAL)
    except FileNotFoundError:
        raise BundleError(
            f"bundle {short(digest)}: {source.shown} has no bundle of this digest that is signed with this bundle_key; set the same "
            "artifacts and bundle_key where it is made and where it is used"
        ) from None
    return content, check_seal(content, digest, key)


def _download(source: Storage, digest: str, target: Path, limit: int) -> None:
    try:
        with target.open("xb") as written:
            for chunk in source.stream(archive_key(digest)):
                if written.tell() + len(chunk) > limit:
                    raise BundleError(f"bundle {short(digest)}: its archive is larger than what was signed; upload it again")
                written.write(chunk)
    except FileNotFoundError:
        raise BundleError(f"bundle {short(digest)}: {source.shown} no longer has its archive; upload it again") from None


def _link_local_files(cache: BundleCache, digest: str, manifest: Manifest) -> None:
    """Puts the files that do not travel, and that this machine has, where the journeys look for them."""
    if cache.local_files is None:
        return
    for path in manifest.left_out:
        link, target = cache.place(digest) / path, (cache.local_files / path).absolute()
        if not target.is_file() or (link.is_symlink() and link.readlink() == target):
            continue
        make_private_folder(link.parent)
        link.unlink(missing_ok=True)
        # Another run of the same bundle may have been quicker.
        with suppress(FileExistsError):
            link.symlink_to(target)
