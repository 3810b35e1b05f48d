"""What one run may not leave behind for the next in the same worker process.

Restored after each run: the working directory, the environment, handlers of signals, the locale, the default timeout of sockets, the
filters of warnings, the recursion limit, the timeout of `expect`, `sys.path` and `sys.argv`, the umask, the time zone, the levels of
logging, hooks for exceptions, tracing and profiling functions, built-in names, garbage collection, blocked signals. Processes that the
journey has started are ended. What lives in modules (a cache, a patched function of a library) and threads is not undone: `worker_runs
= 1` gives each run a process of its own.
"""

import builtins
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import expect

GRACE = 2.0
"""Seconds that a process which the journey left running has to end before it is killed."""


@contextmanager
def isolated_run() -> Iterator[list[str]]:
    """Puts back what the block changes of the process; the list is filled with what was undone that may surprise, for the notes."""
    notes: list[str] = []
    folder, environment = os.open(".", os.O_RDONLY), dict(os.environ)  # holds also for a folder that is removed
    path, arguments, recursion = list(sys.path), list(sys.argv), sys.getrecursionlimit()
    timeout, words = socket.getdefaulttimeout(), locale.setlocale(locale.LC_ALL)
    handlers = {
        number: signal.getsignal(number) for number in signal.valid_signals() if number not in {signal.SIGKILL, signal.SIGSTOP}
    }
    children = _children()
    others = [(write, read()) for read, write in _OTHERS]
    try:
        with warnings.catch_warnings():
            yield notes
    finally:
        os.fchdir(folder)
        os.close(folder)
        _restore_environment(environment)
        for write, value in others:
            write(value)
        sys.path[:], sys.argv[:] = path, arguments
        sys.setrecursionlimit(recursion)
        socket.setdefaulttimeout(timeout)
        with suppress(locale.Error):  # a name that setlocale itself has returned
            locale.setlocale(locale.LC_ALL, words)
        for number, handler in handlers.items():
            # None stands for a handler that was not set from Python.
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        expect.set_options(timeout=None)
        notes += _end_processes(children)


def _read_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _restore_builtins(names: dict[str, Any]) -> None:
    for name in vars(builtins).keys() - names.keys():
        delattr(builtins, name)
    vars(builtins).update(names)


def _restore_hooks(hooks: tuple[Any, ...]) -> None:
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


_OTHERS: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (lambda: dict(vars(builtins)), _restore_builtins),
    (lambda: (sys.excepthook, sys.unraisablehook, threading.excepthook), _restore_hooks),
    (_read_umask, os.umask),
    (lambda: logging.root.manager.disable, logging.disable),
    (lambda: logging.root.level, logging.root.setLevel),
    (sys.gettrace, sys.settrace),
    (sys.getprofile, sys.setprofile),
    (sys.getswitchinterval, sys.setswitchinterval),
    (gc.isenabled, lambda enabled: gc.enable() if enabled else gc.disable()),
    (gc.get_threshold, lambda threshold: gc.set_threshold(*threshold)),
    (
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, []),
        lambda blocked: signal.pthread_sigmask(signal.SIG_SETMASK, blocked),
    ),
)
"""How to read and how to write further parts of a process's state."""


def _restore_environment(environment: dict[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    time.tzset()


def _children() -> set[int]:
    """The process ids of this process's own children; on Linux without a look at every process of the machine."""
    listings = list(Path("/proc/self/task").glob("*/children"))
    if listings:
        return {int(number) for listing in listings for number in listing.read_text().split()}
    return {one.pid for one in psutil.Process().children()}


def _end_processes(known: set[int]) -> Iterator[str]:
    """Ends the children that came since; the browser is not one of them: Playwright's driver, which is older, is its parent."""
    started = []
    for number in _children() - known:
        with suppress(psutil.NoSuchProcess):
            started.append(psutil.Process(number))
    if not started:
        return
    yield f"processes that the journey left running were ended: {', '.join(sorted(one.name() for one in started))}"
    for one in started:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    for one in psutil.wait_procs(started, GRACE)[1]:
        with suppress(psutil.NoSuchProcess):
            one.kill()
