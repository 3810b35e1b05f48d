"""One worker process, as its pool sees it. Little is imported here: a command starts its first worker before anything else."""

import os
import subprocess
import sys
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from runner.workers.temporary_folder import TemporaryFolder

if TYPE_CHECKING:
    from runner.workers.messages import BrowserWanted, Job
    from runner.workers.run_state import StartedRun

CLOSE_TIMEOUT = 3.0
"""Seconds that a worker gets to close its browser before it is killed."""


class Worker:
    """A worker process and the pipe to it."""

    def __init__(self, program: str = "runner.workers.main") -> None:
        """`program` is the module that the process runs."""
        ours, theirs = Pipe()
        self.pipe: Connection = ours
        self._temporary = _make_temporary_folder()
        place = {"TMPDIR": str(self._temporary.path)} if self._temporary else {}
        # A session of its own: Ctrl-C in the terminal reaches only the parent process, which then ends the runs in order.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", program, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | place,
        )
        theirs.close()
        self.run: StartedRun | None = None
        """The run under way; None while the worker is idle."""
        self.runs = 0
        """How many runs it has ended."""
        self.retiring = False
        """Whether a replacement is to take its place after the current run."""
        self.ready = False
        """Whether it has reported that its browser is started."""

    def memory(self) -> int:
        """Bytes held by the worker and all its child processes, without shared memory."""
        import psutil

        total = 0
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    held = one.memory_info()
                    total += held.rss - getattr(held, "shared", 0)
        return total

    def send(self, message: "BrowserWanted | Job") -> None:
        """Sends one message. Raises BrokenPipeError when the worker has died."""
        from runner.codec import encode

        self.pipe.send_bytes(encode(message))

    def begin_stop(self) -> None:
        """Closes the pipe of an idle worker, so that it closes its browser and ends."""
        self.pipe.close()

    def stop(self) -> None:
        """Stops an idle worker; kills it if that takes too long."""
        self.begin_stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_TIMEOUT)
        self.kill()

    def kill(self) -> None:
        """Kills the worker and its child processes, and removes their temporary files. Playwright starts the browser in a process
        group of its own, so the tree of processes is walked."""
        import psutil

        self.pipe.close()
        tree: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            tree = [process, *process.children(recursive=True)]
        for one in tree:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait()
        psutil.wait_procs(tree[1:], timeout=CLOSE_TIMEOUT)
        if self._temporary is not None:
            self._temporary.remove()

    def end_left_processes(self) -> list[str]:
        """Kills what its journey has started, after it has died; returns the names."""
        from runner.workers.left_processes import end_left_processes

        return end_left_processes(self._temporary.path, self._process.pid) if self._temporary is not None else []

    def exit_reason(self) -> str:
        """How a dead worker ended, to follow "the worker process"."""
        try:
            code = self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            return "no longer answers"
        return f"was ended by signal {-code}" if code < 0 else f"ended by itself with code {code}; see its output above"


def _make_temporary_folder() -> TemporaryFolder | None:
    """None where TMPDIR does not name a folder, or none can be made: the browser then reports what is wrong."""
    given = os.environ.get("TMPDIR")
    if given and not os.path.isdir(given):  # noqa: PTH112 (pathlib is not imported yet)
        return None
    try:
        return TemporaryFolder()
    except OSError:
        return None


_early: list[Worker] = []


def start_early() -> None:
    """Starts a worker for the first call of `take_worker`. It ends with this process if nothing takes it."""
    _early.append(Worker())


def take_worker() -> Worker:
    """The worker that was started early, or a new one."""
    return _early.pop() if _early else Worker()
