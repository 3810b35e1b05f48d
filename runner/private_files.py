"""Files and folders that are their owner's alone, whatever the umask is: runs, recordings, the database."""

import errno
import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def make_private_folder(folder: Path) -> None:
    """Creates the folder and those above it that are missing; what exists stays as it is. Raises OSError when that fails."""
    for one in reversed([folder, *folder.parents]):
        if not one.is_dir():
            try:
                one.mkdir(FOLDER)
            except FileExistsError:
                # Another process was quicker, or it is a file.
                if one.is_dir():
                    continue
                if one == folder:
                    raise
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(one)) from None


def create_private_file(file: Path) -> None:
    """Creates an empty file, unless it exists. Raises OSError when that fails."""
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE))


def write_private_file(file: Path, content: bytes, sync: bool = False) -> None:
    """Writes a file; `sync`: it survives a power failure. Raises OSError when that fails."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE), "wb") as written:
        written.write(content)
        if sync:
            written.flush()
            os.fsync(written.fileno())


def sync_to_disk(path: Path) -> None:
    """Makes what was written to a file, or renamed in a folder, survive a power failure. Raises OSError when that fails."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
