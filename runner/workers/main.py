"""A worker process: one warm browser and one run at a time; a pipe carries jobs to it and events from it.

Started by process.py as `python -m runner.workers.main FD`; each message on the pipe is one JSON value. Playwright's driver is
started first: everything else is imported while the driver gets ready.
"""

import ctypes
import gc
import os
import signal
import sys
from contextlib import ExitStack
from importlib import import_module
from multiprocessing.connection import Connection
from threading import Thread

from playwright.sync_api import sync_playwright

# The first and the last set what the driver is started with.
from runner.browser.driver import driver_environment, event_waits, playwright_internals  # noqa: F401

PR_SET_PDEATHSIG = 1
"""An option of prctl(2): the signal that this process gets when its parent ends."""
PR_SET_CHILD_SUBREAPER = 36
"""An option of prctl(2): what a descendant of this process leaves when it ends becomes a child of this process."""


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans() -> None:
    """Makes a daemon that a journey starts (two forks, the first of which ends) a child of this process, so that it can be ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def main() -> None:
    """The process's entry: `python -m runner.workers.main FD`."""
    _die_with_parent()
    adopt_orphans()
    # The supervisor handles Ctrl-C and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = Connection(int(sys.argv[1]))
    # What a journey prints must not mix with the JSON that the supervisor may be writing to standard output.
    os.dup2(2, 1)
    # A daemon: a process whose driver does not start is not to wait for it.
    importing = Thread(target=import_module, args=("runner.workers.jobs",), daemon=True)
    importing.start()
    with ExitStack() as stack:
        with event_waits.preloaded():
            playwright = stack.enter_context(sync_playwright())
        importing.join()
        from runner.workers.jobs import serve

        # What is imported stays until the end; looking for garbage in it would only make the runs longer.
        gc.freeze()

        serve(connection, playwright)
        # The browser is closed and the driver ends with its pipe: an orderly shutdown of Python would only cost the user time.
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
