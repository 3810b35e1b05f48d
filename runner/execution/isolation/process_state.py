"""The parts of a process's state that are read before a run and written back after it."""

import builtins
import codecs
import decimal
import faulthandler
import gc
import logging
import os
import random
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


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


_ImportHooks = tuple[list[Any], list[Any], list[Any], list[Any]]


def read_hooks_for_imports() -> _ImportHooks:
    """The lists of Python's hooks for imports, and what is in them."""
    return sys.meta_path, sys.meta_path[:], sys.path_hooks, sys.path_hooks[:]


def restore_hooks_for_imports(kept: _ImportHooks) -> None:
    """Puts the lists and what was in them back."""
    sys.meta_path, sys.meta_path[:] = kept[:2]
    if sys.path_hooks is not kept[2] or sys.path_hooks != kept[3]:
        sys.path_hooks, sys.path_hooks[:] = kept[2:]
        sys.path_importer_cache.clear()  # what the other hooks have made


_CODEC_ERRORS = ("strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass", "xmlcharrefreplace")


def _restore_codec_errors(handlers: list[tuple[str, Any]]) -> None:
    for name, handler in handlers:
        codecs.register_error(name, handler)


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


PROCESS_STATE: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (lambda: dict(vars(builtins)), _restore_builtins),
    (read_hooks_for_imports, restore_hooks_for_imports),
    (lambda: [(one, codecs.lookup_error(one)) for one in _CODEC_ERRORS], _restore_codec_errors),
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
