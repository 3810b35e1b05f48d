"""A bundle as a file: a tar archive, compressed with gzip, that `tar tzf` lists.

The archive is the same for the same files: sorted, without times and owners. Whoever reads it has checked the digest of all of it
before the first member is looked at, and then reads nothing but the regular files that the manifest lists.
"""

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from runner.bundles.manifest import (
    FORMAT,
    LARGEST_MANIFEST,
    MANIFEST,
    BundledFile,
    Manifest,
    encode_manifest,
    find_path_problem,
)
from runner.bundles.signature import short
from runner.errors import BundleError, ConfigError
from runner.private_files import make_private_folder
from runner.untrusted_text import decode_strictly

CHUNK = 1024 * 1024
READ_ONLY, EXECUTABLE = 0o400, 0o500
TIME = 315_532_800
"""The time of unpacked files (1980-01-01): one with another time was changed since."""
UNREADABLE = (tarfile.TarError, UnicodeError, ValueError, RecursionError)
"""What `tarfile` raises for archives that it cannot read, the last for one with a long row of headers."""
_decoder = msgspec.json.Decoder(Manifest)


class _HashedStream(io.RawIOBase):
    """Passes what is written on, and hashes it."""

    def __init__(self, target: BinaryIO | gzip.GzipFile) -> None:
        self.digest = sha256()
        self.size = 0
        self._target = target

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size

    def write(self, content: bytes) -> int:  # type: ignore[override]
        self.digest.update(content)
        self.size += len(content)
        return self._target.write(content)


def write_archive(manifest: Manifest, files: Mapping[str, Path], target: BinaryIO) -> tuple[str, int]:
    """Writes the archive; returns its digest and its size before compression.

    Raises ConfigError when a file is no longer what the manifest says.
    """
    with gzip.GzipFile(filename="", mode="wb", fileobj=target, mtime=0) as compressed:
        stream = _HashedStream(compressed)
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
            content = encode_manifest(manifest)
            archive.addfile(_member(MANIFEST, len(content), False), io.BytesIO(content))
            for one in manifest.files:
                content = files[one.path].read_bytes()
                if sha256(content).hexdigest() != one.sha256:
                    raise ConfigError(f"{files[one.path]}: was changed while the bundle was made; try again")
                archive.addfile(_member(one.path, one.bytes, one.executable), io.BytesIO(content))
    return stream.digest.hexdigest(), stream.size


def _member(path: str, size: int, executable: bool) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path)
    member.size = size
    member.mode = 0o755 if executable else 0o644
    return member


def decompress(source: Path, target: Path, limit: int) -> tuple[str, int]:
    """Writes the archive of a compressed bundle to `target`; returns its digest and size.

    Raises BundleError when it is damaged, or larger than `limit`, which is never exceeded, and OSError when it cannot be written.
    """
    found, written = sha256(), 0
    with source.open("rb") as opened, target.open("xb") as tar:
        try:
            with gzip.GzipFile(fileobj=opened) as compressed:
                while chunk := compressed.read(min(CHUNK, limit + 1 - written)):
                    written += len(chunk)
                    if written > limit:
                        raise BundleError(f"{source.name}: has more than {limit} bytes when it is decompressed; it is refused")
                    found.update(chunk)
                    tar.write(chunk)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BundleError(f"{source.name}: is damaged: {error}; upload the bundle again") from error
    return found.hexdigest(), written


def unpack(tar: Path, folder: Path, digest: str, limit: int) -> Manifest:
    """Unpacks an archive whose digest was checked into a new folder. Raises BundleError for anything but the listed files, and OSError."""
    try:
        with tarfile.open(tar, mode="r:", format=tarfile.PAX_FORMAT, encoding="utf-8", errors="strict") as archive:
            manifest = _read_manifest(archive, digest, limit)
            make_private_folder(folder)
            for one in manifest.files:
                _unpack_file(archive, one, folder, digest)
            if archive.next() is not None:
                raise _hostile(digest, "it has members that its manifest does not list")
    except UNREADABLE as error:
        raise _hostile(digest, f"its archive cannot be read: {error}") from error
    (folder / MANIFEST).write_bytes(encode_manifest(manifest))
    return manifest


def decode_manifest(content: bytes, digest: str) -> Manifest:
    """A manifest from its JSON. Raises BundleError."""
    try:
        return decode_strictly(content, _decoder)
    except msgspec.DecodeError as error:
        raise _hostile(digest, f"its manifest cannot be read: {error}") from error


def _read_manifest(archive: tarfile.TarFile, digest: str, limit: int) -> Manifest:
    member = archive.next()
    if member is None or member.name != MANIFEST or not member.isreg() or member.size > LARGEST_MANIFEST:
        raise _hostile(digest, "it does not begin with a manifest")
    opened = archive.extractfile(member)
    manifest = decode_manifest(opened.read() if opened else b"", digest)
    if manifest.version != FORMAT:
        raise _hostile(digest, f"its manifest has format {manifest.version}, and this version reads {FORMAT}")
    problem = find_path_problem((*(one.path for one in manifest.files), *manifest.left_out))
    if problem:
        raise _hostile(digest, problem)
    if len({one.path for one in manifest.files}) != len(manifest.files):
        raise _hostile(digest, "it lists a file twice")
    if any(one.bytes < 0 for one in manifest.files) or manifest.bytes > limit:
        raise BundleError(
            f"bundle {short(digest)}: has {manifest.bytes} bytes, more than bundle_size = {limit}; raise bundle_size"
        )
    return manifest


def _unpack_file(archive: tarfile.TarFile, wanted: BundledFile, folder: Path, digest: str) -> None:
    member = archive.next()
    if member is None or member.name != wanted.path:
        raise _hostile(digest, f"{wanted.path!r} is listed, and {member.name if member else 'nothing'!r} is in its place")
    # Neither a link, nor a device, nor a sparse file, whose size in the archive is not its own.
    if not member.isreg() or member.issparse() or member.size != wanted.bytes:
        raise _hostile(digest, f"{wanted.path!r} is not a regular file of {wanted.bytes} bytes")
    opened = archive.extractfile(member)
    target = folder / wanted.path
    make_private_folder(target.parent)
    found = sha256()
    with target.open("xb") as written:
        while opened is not None and (chunk := opened.read(CHUNK)):
            found.update(chunk)
            written.write(chunk)
    if found.hexdigest() != wanted.sha256:
        raise _hostile(digest, f"{wanted.path!r} is not what the manifest says")
    target.chmod(EXECUTABLE if wanted.executable else READ_ONLY)
    os.utime(target, (TIME, TIME))


def _hostile(digest: str, what: str) -> BundleError:
    return BundleError(f"bundle {short(digest)}: is refused: {what}; make it with `journey bundle make` of this version")
