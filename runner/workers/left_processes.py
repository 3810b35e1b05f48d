"""The processes that are left of a worker that was killed from outside (SIGKILL, no memory left), or whose supervisor was.

Its driver and its browser end by themselves when their pipes close; what a journey has started, such as a server of its own or a tunnel,
does not.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

PATIENCE = 3.0
"""Seconds to wait for a killed process to be gone."""
GENERATIONS = 5
"""How often they are looked for: one that is under way to be started can be missed."""
_BROWSER = ("chrom", "headless_shell")


def end_left_processes(folder: Path, session: int | None = None) -> list[str]:
    """Kills what was started by the worker with this folder for temporary files, or in its session; returns the names, without
    those of browser and driver."""
    names: set[str] = set()
    for _ in range(GENERATIONS):
        found = list(_list_left(str(folder), session))
        if not found:
            break
        for one in found:
            with suppress(psutil.Error):
                if not one.name().startswith(_BROWSER) and not any("playwright/driver" in word for word in one.cmdline()):
                    names.add(one.name())
                one.kill()
        psutil.wait_procs(found, timeout=PATIENCE)
    return sorted(names)


def _list_left(folder: str, session: int | None) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        if process.pid in {os.getpid(), session}:
            continue
        with suppress(psutil.Error, OSError):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if (session is not None and os.getsid(process.pid) == session) or process.environ().get("TMPDIR") == folder:
                yield process
