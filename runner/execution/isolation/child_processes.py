"""The processes that a journey has started, and that go on after it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

GRACE = 2.0
"""Seconds that a process which the journey left running has to end before it is killed."""
GENERATIONS = 5
"""How often the processes are looked for: a shell that is ended leaves its own children to the worker."""


def list_children() -> set[int]:
    """The process ids of this process's own children; on Linux without a look at every process of the machine."""
    listings = list(Path("/proc/self/task").glob("*/children"))
    if listings:
        found: set[int] = set()
        for listing in listings:
            with suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended meanwhile
                found.update(int(number) for number in listing.read_text().split())
        return found
    return {one.pid for one in psutil.Process().children()}


def end_processes(known: set[int]) -> Iterator[str]:
    """Ends the children that came since, and what they leave to this process when they end; says which."""
    ended: list[str] = []
    for _ in range(GENERATIONS):
        started = list(list_processes(known))
        if not started:
            break
        ended += [one.name() for one in started]
        for one in started:
            with suppress(psutil.Error):
                one.terminate()
        for one in psutil.wait_procs(started, GRACE)[1]:
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(started, GRACE)
    left = [one.name() for one in list_processes(known)]
    if ended:
        yield f"processes that the journey left running were ended: {', '.join(sorted(set(ended)))}"
    if left:
        yield f"processes that the journey left running could not be ended: {', '.join(sorted(set(left)))}"


def list_processes(known: set[int]) -> Iterator[psutil.Process]:
    """The processes that are this one's children since, except for the browser's. Those that have ended are removed from the system's table.

    Playwright's driver is the parent of the browser. But a worker inherits the processes whose parents have ended (see
    `adopt_orphans` in workers/main.py): daemons of the journey, which are to be ended, and some of a browser that was closed.
    """
    for number in list_children() - known:
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process = psutil.Process(number)
            if process.status() == psutil.STATUS_ZOMBIE:
                process.wait(0)
            elif os.getsid(number) == os.getsid(0) or not process.name().startswith(_BROWSER):
                yield process


_BROWSER = ("chrom", "headless_shell")
"""How the names of Chromium's processes begin. Playwright starts them in a session of their own."""
