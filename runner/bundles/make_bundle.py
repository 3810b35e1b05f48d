"""From the files of a project to a bundle on the disk, and to the storage from which workers fetch it."""

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from runner.archive.object_storage import Storage
from runner.bundles.archive_file import write_archive
from runner.bundles.contents import BundleContents
from runner.bundles.manifest import BundledFile, Manifest
from runner.bundles.signature import check_seal, key_name, seal_bundle, short
from runner.errors import BundleError, ConfigError
from runner.private_files import make_private_folder
from runner.settings.secrets import Secret
from runner.version import __version__

MEDIA_TYPE = "application/gzip"
PLACE = ".bundles"
"""The folder of bundles in a storage, and below `runs_dir`. No journey can have this name."""


class Bundle(Struct, frozen=True, kw_only=True):
    """A bundle that was made here."""

    digest: str
    """SHA-256 of the archive before compression."""
    path: Path
    bytes: int
    """Of the archive before compression."""
    manifest: Manifest
    folder: Path
    """The root of the project that it was made of."""


def make_bundle(contents: BundleContents, target: Path) -> Bundle:
    """Writes the bundle of these files to the folder `target`, named by its digest; the same files give the same digest.

    Raises ConfigError for a file that cannot be read, and when the bundle cannot be written.
    """
    manifest = Manifest(
        runner=major(__version__),
        packages=contents.packages,
        files=tuple(_describe(name, contents.files[name]) for name in sorted(contents.files)),
        left_out=tuple(sorted(contents.left_out)),
    )
    partial = target / f".{uuid4().hex}.partial"
    try:
        make_private_folder(target)
        with partial.open("xb") as written:
            digest, size = write_archive(manifest, contents.files, written)
        path = target / f"{digest}.tar.gz"
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot create the bundle: {error.filename or target}: {error.strerror}") from error
    finally:
        # It is not there where the folder could not be created, as a file or a link to itself has its name.
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return Bundle(digest=digest, path=path, bytes=size, manifest=manifest, folder=contents.folder)


def upload_bundle(storage: Storage, bundle: Bundle, key: Secret) -> bool:
    """Uploads a bundle and its seal, unless the storage has both; returns whether it did. Raises StorageDown."""
    seal_at = seal_key(bundle.digest, key)
    seal = seal_bundle(bundle.digest, bundle.bytes, key)
    try:
        check_seal(storage.read(seal_at), bundle.digest, key)
        if storage.stat(archive_key(bundle.digest)).size == bundle.path.stat().st_size:
            return False
    except FileNotFoundError:
        pass
    except BundleError:
        # Someone has changed it; what is there with the same size would not be written over.
        storage.delete([seal_at])
    # The seal is last: what has one is there as a whole.
    storage.put(archive_key(bundle.digest), bundle.path, media_type=MEDIA_TYPE)
    storage.put(seal_at, seal, media_type="application/json")
    return True


def archive_key(digest: str) -> str:
    """Where a storage has the archive of a bundle."""
    return f"{PLACE}/{digest}.tar.gz"


def seal_key(digest: str, key: Secret) -> str:
    """Where a storage has the seal of a bundle that this key has signed."""
    return f"{PLACE}/{digest}.{key_name(key)}.json"


def major(version: str) -> str:
    """The major version: what bundles of another one mean is not known."""
    return version.partition(".")[0]


def check_version(digest: str, manifest: Manifest) -> None:
    """Raises BundleError for a bundle of another major version of this program."""
    if manifest.runner != major(__version__):
        raise BundleError(
            f"bundle {short(digest)}: was made by version {manifest.runner} of this program, and this is {__version__}; "
            "use the same major version for the scheduler and its workers"
        )


def _describe(name: str, file: Path) -> BundledFile:
    try:
        content = file.read_bytes()
        executable = bool(file.stat().st_mode & 0o100)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be packed: {error.strerror}; make it readable, or exclude it") from error
    return BundledFile(path=name, bytes=len(content), sha256=sha256(content).hexdigest(), executable=executable)
