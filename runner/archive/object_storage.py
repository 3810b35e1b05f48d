"""Object storage that holds the files of runs: a bucket of S3, Google or Azure, or a folder, behind one interface.

It is reached through `obstore`, which is imported only when the setting `artifacts` names a storage. Every failure becomes a
`StorageDown` whose message has no credentials in it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from runner.errors import ConfigError, StorageDown
from runner.installation import install_command
from runner.private_files import make_private_folder
from runner.redaction import HIDDEN
from runner.settings.parsers.addresses.storage import read_pairs
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CONNECT = timedelta(seconds=5)
LONGEST = timedelta(hours=2)
"""Of one request with its answer."""
RETRIES = 2
"""Of a request within the library; what still fails is tried again by those who call."""
PART = 5 * 1024 * 1024
"""Bytes of a part of a large upload; what is smaller is sent in one request. S3 rejects smaller parts."""
PARTS_AT_ONCE = 2
"""So an upload holds two parts in memory, whatever the size of the file."""
CHUNK = 1024 * 1024
"""Bytes that are read at a time."""
MOST_BYTES = 50_000_000
"""Of a file that is read as a whole."""
REASONS = (
    (("NoSuchBucket", "ContainerNotFound", "notFound"), "the bucket does not exist; create it, or name another"),
    (
        ("403", "401", "AccessDenied", "PermissionDenied", "Unauthenticated"),
        "it rejects the credentials; check artifacts_credentials",
    ),
    (
        ("credential", "169.254.169.254", "metadata"),
        "there are no credentials; set artifacts_credentials_file",
    ),
)
"""Words of an error of the library, and what is said in their place."""
_ENDPOINTS = {"s3": "endpoint", "gs": "base_url", "az": "endpoint"}


class Stat(Struct, frozen=True):
    """An object's size and its version."""

    size: int
    etag: str


class Storage:
    """The storage of the setting `artifacts`. Raises ConfigError when it cannot be used as it is set.

    Keys are paths below the prefix in the address. A method that talks to the storage raises StorageDown when that fails, and
    FileNotFoundError for an object that does not exist.
    """

    def __init__(self, settings: Settings) -> None:
        self.shown = settings.artifacts or ""
        """The address, which holds no credentials."""
        self._hidden = list(read_pairs(settings.artifacts_credentials).values()) if settings.artifacts_credentials else []
        self._store = _open(settings)

    def put(self, key: str, content: bytes | Path, digest: str = "", media_type: str = "") -> None:
        """Writes an object, whole or not at all. What exists with the same size is left as it is."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, GenericError

        size = content.stat().st_size if isinstance(content, Path) else len(content)
        attributes = {"Content-Type": media_type, "sha256": digest} if digest and not self.shown.startswith("file:") else None
        with _Guard(self, f"writing {key}"):
            if size > PART:
                obstore.put(self._store, key, content, attributes=attributes, chunk_size=PART, max_concurrency=PARTS_AT_ONCE)
                return
            try:
                # A second try after a lost answer finds what the first one has written.
                obstore.put(self._store, key, content, attributes=attributes, mode="create")
            except AlreadyExistsError:
                if obstore.head(self._store, key)["size"] != size:
                    obstore.put(self._store, key, content, attributes=attributes)
            except GenericError as error:
                # Some servers that speak S3 do not have conditional writes.
                if "501 Not Implemented" not in str(error):
                    raise
                obstore.put(self._store, key, content, attributes=attributes)

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """The objects below a folder (all without one), by their keys, with their sizes."""
        import obstore

        with _Guard(self, "listing"):
            return {one["path"]: one["size"] for page in obstore.list(self._store, prefix or None) for one in page}

    def folders(self, prefix: str = "") -> list[str]:
        """The names of the folders in a folder."""
        import obstore

        with _Guard(self, "listing"):
            found = obstore.list_with_delimiter(self._store, prefix or None)["common_prefixes"]
        return [one.rstrip("/").rpartition("/")[2] for one in found]

    def stat(self, key: str) -> Stat:
        """What is known of an object."""
        import obstore

        with _Guard(self, f"reading {key}"):
            found = obstore.head(self._store, key)
        return Stat(found["size"], found["e_tag"] or "")

    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        """A part of an object, up to before `end`; all of it without."""
        content = bytearray()
        for chunk in self.stream(key, start, end):
            content += chunk
            if len(content) > MOST_BYTES:
                raise StorageDown(
                    f"artifacts: {self.shown}: {key} is larger than {MOST_BYTES} bytes, and was not read as a whole"
                )
        return bytes(content)

    def stream(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The same, chunk by chunk."""
        import obstore

        with _Guard(self, f"reading {key}"):
            options: Any = {"range": {"offset": start} if end is None else (start, end)} if start or end is not None else None
            wanted = obstore.get(self._store, key, options=options)
            expected = wanted.range[1] - wanted.range[0]
            for chunk in wanted.stream(min_chunk_size=CHUNK):
                expected -= len(chunk)
                yield bytes(chunk)
            if expected > 0:
                raise StorageDown(f"artifacts: {self.shown}: {key} was cut off, {expected} bytes are missing")

    def download(self, key: str, file: Path, digest: str = "") -> None:
        """Writes an object to a file, which gets its name when all of it is there and its digest is right."""
        make_private_folder(file.parent)
        partial = file.with_name(f".{file.name}.partial")
        found = hashlib.sha256()
        try:
            with partial.open("wb") as written:
                for chunk in self.stream(key):
                    found.update(chunk)
                    written.write(chunk)
            if digest and found.hexdigest() != digest:
                raise StorageDown(f"artifacts: {self.shown}: {key} is not what was uploaded: its SHA-256 digest differs")
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)

    def delete(self, keys: Iterable[str]) -> None:
        """Removes objects; some may be gone already."""
        import obstore

        wanted = list(keys)
        with _Guard(self, "removing"):
            try:
                # Hundreds of them in one request, where the storage has that.
                obstore.delete(self._store, wanted)
            except FileNotFoundError:
                for key in wanted:
                    with suppress(FileNotFoundError):
                        obstore.delete(self._store, key)

    def failure(self, what: str, error: Exception) -> StorageDown:
        """An error of the library as a sentence that names the setting and the fix, without credentials."""
        text = str(error).split("\n\nDebug source")[0]
        reason = next(
            (said for words, said in REASONS if any(word in text or word in type(error).__name__ for word in words)), ""
        )
        if not reason:
            first = re.sub(r"\?\S+", "", text.splitlines()[0] if text else type(error).__name__)
            for secret in self._hidden:
                first = first.replace(secret, HIDDEN)
            reason = f"{first[:300]}; check that it answers"
        return StorageDown(f"artifacts: {self.shown}: {what} failed: {reason}")


class _Guard:
    """Turns what the library raises in a block into StorageDown; FileNotFoundError of an object passes."""

    def __init__(self, storage: Storage, what: str) -> None:
        self._storage = storage
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from obstore.exceptions import BaseError

        if isinstance(error, FileNotFoundError):
            if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
                raise self._storage.failure(self._what, error) from None
            raise FileNotFoundError(self._what) from None
        if isinstance(error, BaseError | OSError | ValueError | NotImplementedError):
            raise self._storage.failure(self._what, error) from None


def open_storage(settings: Settings) -> Storage | None:
    """The storage of the settings; None without one, and then nothing is imported. Raises ConfigError."""
    return Storage(settings) if settings.artifacts else None


def _open(settings: Settings) -> "ObjectStore":
    address = settings.artifacts or ""
    scheme = urlsplit(address).scheme
    try:
        from obstore.exceptions import BaseError
        from obstore.store import from_url
    except ModuleNotFoundError as error:
        raise ConfigError(f"artifacts: obstore is missing; install it with: {install_command('storage')}") from error
    try:
        if scheme == "file":
            make_private_folder(Path(urlsplit(address).path))
            return from_url(address)
        return from_url(
            address,
            config=_config(settings, scheme),
            client_options=_client_options(settings),
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=settings.artifacts_timeout)},
        )
    except OSError as error:
        named = (
            "artifacts_ca_file"
            if settings.artifacts_ca_file and error.filename == str(settings.artifacts_ca_file)
            else "artifacts"
        )
        raise ConfigError(f"{named}: {error.filename or address} cannot be used: {error.strerror}") from error
    except (BaseError, ValueError) as error:
        # Not chained: the error of the library may show the value.
        wrong = re.search(r"Configuration key: '(\w+)' is not valid", str(error))
        what = f"{wrong[1].upper()} is not a name of {scheme}://" if wrong else type(error).__name__
        raise ConfigError(f"artifacts_credentials: cannot be used for {address}: {what}; check its names and values") from None


def _config(settings: Settings, scheme: str) -> Any:
    config = (
        {name.lower(): value for name, value in read_pairs(settings.artifacts_credentials).items()}
        if (settings.artifacts_credentials)
        else {}
    )
    if settings.artifacts_endpoint:
        config[_ENDPOINTS[scheme]] = settings.artifacts_endpoint
    if settings.artifacts_region and scheme == "s3":
        config["region"] = settings.artifacts_region
    return config


def _client_options(settings: Settings) -> Any:
    options: dict[str, Any] = {
        "connect_timeout": CONNECT,
        # Of a part of an upload until its answer begins, and between two pieces of an answer. All of a large file may take much
        # longer, as the browser that it is sent to may be slow.
        "read_timeout": timedelta(seconds=settings.artifacts_timeout),
        "timeout": LONGEST,
        "allow_http": (settings.artifacts_endpoint or "").lower().startswith("http://"),
    }
    if settings.artifacts_ca_file is not None:
        options["root_certificate"] = settings.artifacts_ca_file.read_bytes()
    return options
