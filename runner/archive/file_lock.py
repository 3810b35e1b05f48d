"""A lock that a process holds on a file until it ends."""

import fcntl
import os
from pathlib import Path


def lock_file(file: Path) -> int | None:
    """Locks `file`, created if necessary, until the descriptor is closed or the process ends; None when another process holds it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if file.exists() and os.fstat(descriptor).st_ino == file.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None
