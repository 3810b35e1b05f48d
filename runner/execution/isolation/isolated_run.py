"""Puts back, after each run, what it changed of its worker process.

Restored are the working directory, the environment, handlers of signals, the locale, the default timeout of sockets, the filters of
warnings, the recursion limit, the timeout of `expect`, `sys.path` and `sys.argv`, the state that `process_state` lists, and what was
replaced in modules and classes (`module_contents`). Processes that the journey has started are ended, on Linux daemons too. What
cannot be undone costs the worker, which is replaced: threads that are left, and a module that was imported in the run and patched.
What else lives in modules (a cache) stays: `worker_runs = 1` gives each run a process of its own.
"""

import locale
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from msgspec import Struct, field
from playwright.sync_api import expect

from runner.execution.isolation.child_processes import end_processes, list_children, list_processes
from runner.execution.isolation.module_contents import ModuleContents, Replaced, put_back
from runner.execution.isolation.process_state import PROCESS_STATE, read_hooks_for_imports, restore_hooks_for_imports


class Undone(Struct):
    """What was undone after a run."""

    notes: list[str] = field(default_factory=list)
    """What may surprise, for the notes of the result."""
    spent: bool = False
    """Whether something of it is left in the process that nobody can undo."""
    replaced: list[str] = field(default_factory=list)
    """The names in modules and classes that it had replaced."""
    contents: ModuleContents = field(default_factory=ModuleContents)

    def keep_names(self) -> Callable[[], None]:
        """What it returns puts back what modules and classes hold now. For an attempt, whose artifacts are saved with them."""
        wanted, hooks = self.contents.find_replaced(), read_hooks_for_imports()

        def put_back_kept() -> None:
            self.put_back(wanted)
            restore_hooks_for_imports(hooks)

        return put_back_kept

    def put_back(self, wanted: Replaced | None = None) -> None:
        """Puts back what modules and classes held at first, or when `wanted` was found."""
        self.replaced += self.contents.restore_builtins()  # every line needs them
        names = put_back(self.contents.find_replaced(), wanted)
        self.replaced += [one for one in names if one not in self.replaced]

    def describe_replaced(self) -> str:
        """What the journey replaced, to follow an error that may come from it."""
        return f"the journey had replaced {_list_first(self.replaced)}, which this tool and Playwright use too"


@contextmanager
def isolated_run() -> Iterator[Undone]:
    """Puts back what the block changes of the process; afterwards what it yields says what was undone."""
    notes: list[str] = []
    folder, environment = os.open(".", os.O_RDONLY), dict(os.environ)  # holds also for a folder that is removed
    path, arguments, recursion = list(sys.path), list(sys.argv), sys.getrecursionlimit()
    timeout, words = socket.getdefaulttimeout(), locale.setlocale(locale.LC_ALL)
    handlers = {
        number: signal.getsignal(number) for number in signal.valid_signals() if number not in {signal.SIGKILL, signal.SIGSTOP}
    }
    for _ in list_processes(set()):
        pass
    children, threads = list_children(), set(threading.enumerate())
    others = [(write, read()) for read, write in PROCESS_STATE]
    threading.excepthook = lambda error: notes.append(_describe_thread_error(error))
    undone = Undone(notes=notes)
    try:
        with warnings.catch_warnings():
            yield undone
    finally:
        undone.put_back()
        for write, value in others:
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
        undone.notes += end_processes(children)
        left = [one for one in threading.enumerate() if one not in threads and not one.name.startswith(_OWN_THREADS)]
        if left:
            undone.spent = True
            names = ", ".join(sorted(one.name for one in left))
            undone.notes.append(
                f"threads that the journey left running cannot be ended: {names}; the next run gets another worker"
            )
        undone.notes += _describe_replaced(undone)


def _describe_replaced(undone: Undone) -> Iterator[str]:
    if undone.replaced:
        yield f"what the journey replaced and did not put back is as before: {_list_first(undone.replaced)}"
    left = undone.contents.find_spent()
    if left:
        undone.spent = True
        yield f"what the journey replaced cannot be undone: {_list_first(left)}; the next run gets another worker"


def _list_first(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


MOST_NAMES = 5
"""How many names of what was replaced a note has."""
_OWN_THREADS = "asyncio_"
"""How the names of threads begin that Playwright's event loop starts, for files and host names."""


def _describe_thread_error(error: threading.ExceptHookArgs) -> str:
    name = error.thread.name if error.thread else "a thread"
    return f"the thread {name!r} of the journey ended with {error.exc_type.__name__}: {error.exc_value}"


def _restore_environment(environment: dict[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)  # also what os.unsetenv has removed, which os.environ does not know
    time.tzset()
