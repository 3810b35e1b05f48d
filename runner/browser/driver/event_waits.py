"""Event-driven waits: Playwright's driver is started with preload.cjs, whose event_waits.cjs cuts its polling intervals short.

Playwright polls after 20, 50, 100, 100, 500, 500 … ms: for every matcher of `expect`, for `wait_for` and `wait_for_selector`, and
for the element that an action needs. In browser contexts whose init scripts carry MARK it checks again as soon as the page has
changed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path

SCRIPT = Path(__file__).with_name("preload.cjs")
MARK = "// journey: waits=events\n"
"""Searched for by event_waits.cjs in a context's init scripts."""
TESTED = ((1, 65),)
"""The minor versions of Playwright that event_waits.cjs has been tested with."""
_NODE_OPTIONS = "NODE_OPTIONS"
_ORIGINAL = "JOURNEY_NODE_OPTIONS"
"""Passes the user's own NODE_OPTIONS to event_waits.cjs, which restores them for the driver's child processes."""
_preloaded = False


@contextmanager
def preloaded() -> Iterator[None]:
    """Loads preload.cjs into the driver that is started inside the block, if Playwright's version has been tested."""
    global _preloaded
    if untested_version() is not None:
        yield
        return
    original = os.environ.get(_NODE_OPTIONS)
    quoted = str(SCRIPT).replace("\\", "\\\\").replace('"', '\\"')
    os.environ[_NODE_OPTIONS] = f'{original or ""} --require "{quoted}"'.lstrip()
    os.environ[_ORIGINAL] = original or ""
    try:
        yield
        _preloaded = True
    finally:
        del os.environ[_ORIGINAL]
        if original is None:
            del os.environ[_NODE_OPTIONS]
        else:
            os.environ[_NODE_OPTIONS] = original


@cache
def untested_version() -> str | None:
    """Why waits poll with the installed Playwright, for the run's notes; None for a tested version."""
    installed = version("playwright")
    if tuple(int(part) for part in installed.split(".")[:2]) in TESTED:
        return None
    tested = ", ".join(".".join(map(str, one)) for one in TESTED)
    return f"waits are polling: event-driven waits have been tested with Playwright {tested}, and {installed} is installed"


def is_preloaded() -> bool:
    """Whether the drivers of this process have been started with it."""
    return _preloaded


def unavailable() -> str | None:
    """Why waits poll in this process, for the run's notes; None where they can be event-driven."""
    if _preloaded:
        return None
    return untested_version() or "waits are polling: Playwright was started outside the runner"
