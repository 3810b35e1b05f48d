"""The memory that is left for a browser, and whether the kernel has ended a process because there was too little of it."""

from pathlib import Path

import psutil

CGROUP = Path("/sys/fs/cgroup")


def available() -> int:
    """Bytes that can still be used: of the machine, or of the container when that has less (cgroup v2)."""
    left = psutil.virtual_memory().available
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        if limit != "max":
            inactive = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())["inactive_file"]
            left = min(left, int(limit) - int((CGROUP / "memory.current").read_text()) + int(inactive))
    except (OSError, KeyError, ValueError):
        # Not in a container with a limit: the machine's figure holds.
        return left
    return left


def kills() -> int:
    """How many processes the kernel's OOM killer has ended, of the container or of the machine since it was started."""
    for file in (CGROUP / "memory.events", Path("/proc/vmstat")):
        try:
            counts = dict(line.split() for line in file.read_text().splitlines())
            return int(counts["oom_kill"])
        except (OSError, KeyError, ValueError):
            continue
    return 0


def shown(size: int) -> str:
    """Megabytes, as people read them."""
    return f"{size / 1e6:.0f} MB"
