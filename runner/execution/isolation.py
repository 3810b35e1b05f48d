"""What one run may not leave behind for the next in the same worker process.

Restored after each run: the working directory, the environment, handlers of signals, the locale, the default timeout of sockets, the
filters of warnings, the recursion limit, the timeout of `expect`, `sys.path` and `sys.argv`, the umask, the time zone, handlers and levels
of loggers, hooks for exceptions, tracing and profiling functions, built-in names, garbage collection, blocked signals, soft limits of
resources, the priority, standard descriptors, the folder of temporary files, timers, the context of decimal numbers, the state of `random`,
modules that were taken out of `sys.modules`, and what was replaced in the modules and classes of _PATCHED. Processes that the journey has
started are ended, on Linux daemons too. Threads cannot be: a worker in which some are left is replaced. What else lives in modules (a
cache, a patched function of another library, a hook for imports) is not undone: `worker_runs = 1` gives each run a process of its own.
"""

import asyncio
import builtins
import datetime
import decimal
import faulthandler
import gc
import json
import locale
import logging
import os
import pathlib
import random
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from msgspec import Struct, field
from playwright import sync_api
from playwright.sync_api import expect

GRACE = 2.0
"""Seconds that a process which the journey left running has to end before it is killed."""
GENERATIONS = 5
"""How often the processes are looked for: a shell that is ended leaves its own children to the worker."""


class Undone(Struct):
    """What was undone after a run."""

    notes: list[str] = field(default_factory=list)
    """What may surprise, for the notes of the result."""
    threads: bool = False
    """Whether threads of it go on, which nobody can end."""


@contextmanager
def isolated_run() -> Iterator[Undone]:
    """Puts back what the block changes of the process; afterwards what it yields says what was undone."""
    undone = Undone()
    folder, environment = os.open(".", os.O_RDONLY), dict(os.environ)  # holds also for a folder that is removed
    path, arguments, recursion = list(sys.path), list(sys.argv), sys.getrecursionlimit()
    timeout, words = socket.getdefaulttimeout(), locale.setlocale(locale.LC_ALL)
    handlers = {
        number: signal.getsignal(number) for number in signal.valid_signals() if number not in {signal.SIGKILL, signal.SIGSTOP}
    }
    for _ in _list_processes(set()):
        pass
    children, threads = _children(), set(threading.enumerate())
    others = [(write, read()) for read, write in _OTHERS]
    threading.excepthook = lambda error: undone.notes.append(_describe_thread_error(error))
    try:
        with warnings.catch_warnings():
            yield undone
    finally:
        for write, value in others:  # the functions of modules first, as the lines below call them
            write(value)
        os.fchdir(folder)
        os.close(folder)
        _restore_environment(environment)
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
        undone.notes += _end_processes(children)
        left = [one for one in threading.enumerate() if one not in threads and not one.name.startswith(_OWN_THREADS)]
        if left:
            undone.threads = True
            names = ", ".join(sorted(one.name for one in left))
            undone.notes.append(
                f"threads that the journey left running cannot be ended: {names}; the next run gets another worker"
            )


_OWN_THREADS = "asyncio_"
"""How the names of threads begin that Playwright's event loop starts, for files and host names."""


def _describe_thread_error(error: threading.ExceptHookArgs) -> str:
    name = error.thread.name if error.thread else "a thread"
    return f"the thread {name!r} of the journey ended with {error.exc_type.__name__}: {error.exc_value}"


def _read_umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _restore_builtins(names: dict[str, Any]) -> None:
    for name in vars(builtins).keys() - names.keys():
        delattr(builtins, name)
    vars(builtins).update(names)


def _read_hooks() -> tuple[Any, ...]:
    return sys.excepthook, sys.unraisablehook, threading.excepthook, sys.displayhook, sys.breakpointhook, sys.stdin


def _restore_hooks(hooks: tuple[Any, ...]) -> None:
    sys.excepthook, sys.unraisablehook, threading.excepthook, sys.displayhook, sys.breakpointhook, sys.stdin = hooks


_PATCHED: tuple[Any, ...] = (
    *(time, datetime, os, socket, json, re, pathlib, subprocess, threading, asyncio, ssl, sync_api),
    *(one for one in vars(sync_api).values() if isinstance(one, type) and one.__module__.startswith("playwright.")),
)
"""Modules and classes whose functions are replaced to freeze the time, to accept any certificate, or to click twice; the next run would be
measured with what they were replaced by."""


def _restore_functions(before: list[dict[str, Any]]) -> None:
    for owner, names in zip(_PATCHED, before, strict=True):
        for name, value in names.items():
            if vars(owner).get(name) is not value:
                setattr(owner, name, value)


def _restore_modules(modules: dict[str, Any]) -> None:
    # What was imported since stays. None stands for a module that must not be imported.
    now: dict[str, Any] = sys.modules
    for name in [name for name, module in now.items() if module is None and name not in modules]:
        del now[name]
    for name, module in modules.items():
        if now.get(name) is None:
            now[name] = module


def _list_loggers() -> list[logging.Logger]:
    return [logging.root, *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]


def _read_loggers() -> dict[logging.Logger, tuple[list[logging.Handler], int, bool, bool]]:
    return {one: (one.handlers[:], one.level, one.disabled, one.propagate) for one in _list_loggers()}


def _restore_loggers(known: dict[logging.Logger, tuple[list[logging.Handler], int, bool, bool]]) -> None:
    for one in _list_loggers():
        quiet = [handler for handler in one.handlers if isinstance(handler, logging.NullHandler)]
        one.handlers[:], level, one.disabled, one.propagate = known.get(one, (quiet, one.level, one.disabled, one.propagate))
        one.setLevel(level)


_LIMITS = tuple({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})


def _restore_priority(priority: int) -> None:
    if os.getpriority(os.PRIO_PROCESS, 0) != priority:
        with suppress(PermissionError):  # only root raises it again
            os.setpriority(os.PRIO_PROCESS, 0, priority)


def _keep_streams() -> dict[int, int]:
    """Copies of the standard descriptors that are open."""
    kept = {}
    for number in (0, 1, 2):
        with suppress(OSError):
            kept[number] = os.dup(number)
    return kept


def _restore_streams(kept: dict[int, int]) -> None:
    for number, copy in kept.items():
        os.dup2(copy, number)
        os.close(copy)


def _restore_limits(limits: list[tuple[int, tuple[int, int]]]) -> None:
    for one, (soft, hard) in limits:
        now = resource.getrlimit(one)
        if now == (soft, hard):
            continue
        # Only root raises a hard limit again; nobody raises a soft one above it.
        allowed = hard if os.geteuid() == 0 else now[1]
        bounded = allowed != resource.RLIM_INFINITY and (soft == resource.RLIM_INFINITY or soft > allowed)
        resource.setrlimit(one, (allowed if bounded else soft, allowed))


_OTHERS: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (lambda: [dict(vars(module)) for module in _PATCHED], _restore_functions),
    (lambda: dict(vars(builtins)), _restore_builtins),
    (_keep_streams, _restore_streams),
    (_read_hooks, _restore_hooks),
    (_read_umask, os.umask),
    (lambda: decimal.getcontext().copy(), decimal.setcontext),
    (random.getstate, random.setstate),
    (lambda: signal.getitimer(signal.ITIMER_VIRTUAL), lambda timer: signal.setitimer(signal.ITIMER_VIRTUAL, *timer)),
    (lambda: signal.getitimer(signal.ITIMER_PROF), lambda timer: signal.setitimer(signal.ITIMER_PROF, *timer)),
    (lambda: [(one, resource.getrlimit(one)) for one in _LIMITS], _restore_limits),
    (lambda: logging.root.manager.disable, logging.disable),
    (_read_loggers, _restore_loggers),
    (lambda: dict(sys.modules), _restore_modules),
    (sys.gettrace, sys.settrace),
    (sys.getprofile, sys.setprofile),
    (threading.gettrace, threading.settrace),
    (threading.getprofile, threading.setprofile),
    (sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    (lambda: sys.dont_write_bytecode, lambda wanted: setattr(sys, "dont_write_bytecode", wanted)),
    (sys.getswitchinterval, sys.setswitchinterval),
    (gc.isenabled, lambda enabled: gc.enable() if enabled else gc.disable()),
    (gc.get_debug, gc.set_debug),
    (lambda: gc.callbacks[:], lambda callbacks: gc.callbacks.__setitem__(slice(None), callbacks)),
    (lambda: None, lambda _: faulthandler.cancel_dump_traceback_later()),
    (lambda: tempfile.tempdir, lambda folder: setattr(tempfile, "tempdir", folder)),
    (lambda: os.getpriority(os.PRIO_PROCESS, 0), _restore_priority),
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
    os.environ.update(environment)  # also what os.unsetenv has removed, which os.environ does not know
    time.tzset()


def _children() -> set[int]:
    """The process ids of this process's own children; on Linux without a look at every process of the machine."""
    listings = list(Path("/proc/self/task").glob("*/children"))
    if listings:
        return {int(number) for listing in listings for number in listing.read_text().split()}
    return {one.pid for one in psutil.Process().children()}


def _end_processes(known: set[int]) -> Iterator[str]:
    """Ends the children that came since, and what they leave to this process when they end; says which."""
    ended: list[str] = []
    for _ in range(GENERATIONS):
        started = list(_list_processes(known))
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
    left = [one.name() for one in _list_processes(known)]
    if ended:
        yield f"processes that the journey left running were ended: {', '.join(sorted(set(ended)))}"
    if left:
        yield f"processes that the journey left running could not be ended: {', '.join(sorted(set(left)))}"


def _list_processes(known: set[int]) -> Iterator[psutil.Process]:
    """The processes that are this one's children since, except for the browser's. Those that have ended are removed from the system's table.

    Playwright's driver is the parent of the browser. But a worker inherits the processes whose parents have ended (see
    `adopt_orphans` in workers/main.py): daemons of the journey, which are to be ended, and some of a browser that was closed.
    """
    for number in _children() - known:
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            process = psutil.Process(number)
            if process.status() == psutil.STATUS_ZOMBIE:
                process.wait(0)
            elif os.getsid(number) == os.getsid(0) or not process.name().startswith(_BROWSER):
                yield process


_BROWSER = ("chrom", "headless_shell")
"""How the names of Chromium's processes begin. Playwright starts them in a session of their own."""
