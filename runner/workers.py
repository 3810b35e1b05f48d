"""Worker processes, supervised: each does one run at a time; one that overruns its deadline or dies is replaced.

The supervisor owns the deadline: a worker that has not answered in time is ended with everything it started. Whatever
happens to a worker, its run ends with a result, and the result is saved before anybody is told of it.
"""

import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from shutil import rmtree
from types import TracebackType
from typing import Self

import psutil
from msgspec.structs import replace

from runner.archive import RAW, Archive
from runner.browser import Browser
from runner.config import Settings
from runner.identity import run_id
from runner.messages import Broken, BrowserWanted, Execution, FromWorker, Job, encode, from_worker
from runner.moments import Listener, Moment, RunEnded, RunStarted
from runner.plan import Plan
from runner.result import FailureKind, RunResult
from runner.started_run import StartedRun

LAST_WORDS = 3.0
"""Seconds that a worker gets to close its browser before it is ended."""


class Worker:
    """One worker process and the pipe to it."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        self.pipe: Connection = ours
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends runs in order.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runner.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.run: StartedRun | None = None

    def send(self, message: BrowserWanted | Job) -> None:
        """Sends one message. Raises BrokenPipeError when the worker has died."""
        self.pipe.send_bytes(encode(message))

    def dismiss(self) -> None:
        """Ends an idle worker by closing its pipe, so that it closes its browser; by force if it takes too long."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LAST_WORDS)
        self.kill()

    def kill(self) -> None:
        """Ends the worker and everything it has started. Playwright's browser is in a process group of its own, so the
        tree is walked."""
        self.pipe.close()
        tree: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            tree = [process, *process.children(recursive=True)]
        for one in tree:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait()
        psutil.wait_procs(tree[1:], timeout=LAST_WORDS)

    def epitaph(self) -> str:
        """How a dead worker has ended."""
        try:
            code = self._process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            return "does not answer any more"
        return f"was ended by signal {-code}" if code < 0 else f"ended by itself with code {code}; what it said is above"


class Workers:
    """A pool of worker processes, started at once so that they get ready while the journeys are still being read."""

    def __init__(self, count: int) -> None:
        self._pool = [Worker() for _ in range(count)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for worker in self._pool:
            if worker.run is None and kind is None:
                worker.dismiss()
            else:
                worker.kill()

    def run(
        self,
        plans: Sequence[Plan],
        browser: Browser,
        settings: Settings,
        archive: Archive,
        listeners: Sequence[Listener],
    ) -> list[RunResult]:
        """Runs every plan once, in order, as many at a time as there are workers; returns the results as they ended.

        Each result is saved in `archive` before the listeners hear that its run has ended. On KeyboardInterrupt the runs
        under way are saved as `cancelled`, then the interrupt goes on.
        """
        wanted = BrowserWanted(browser=browser, headed=settings.headed, slow_mo=settings.slow_mo)
        for worker in list(self._pool):
            try:
                worker.send(wanted)
            except (BrokenPipeError, ConnectionResetError):
                # It has died since its last run.
                self._fresh(worker, wanted)
        desk = _Desk(archive, listeners)
        waiting = deque(plans)
        try:
            while waiting or any(worker.run for worker in self._pool):
                for worker in self._pool:
                    if worker.run is None and waiting:
                        desk.begin(worker, waiting.popleft())
                self._listen(desk, wanted)
        except KeyboardInterrupt:
            for worker in self._pool:
                if worker.run:
                    worker.kill()
                    desk.cut_short(worker.run, worker.run.ended_by_us("cancelled", "monitor", "cancelled from the keyboard"))
            raise
        return desk.results

    def _listen(self, desk: "_Desk", wanted: BrowserWanted) -> None:
        busy = {worker.pipe: worker for worker in self._pool if worker.run}
        soonest = min(worker.run.deadline for worker in busy.values() if worker.run)
        for pipe in wait(list(busy), timeout=max(soonest - time.monotonic(), 0.0)):
            worker = busy[pipe]  # type: ignore[index]  # wait() returns what it was given
            try:
                message = from_worker.decode(worker.pipe.recv_bytes())
            except (EOFError, OSError):
                self._replace(worker, desk, wanted, "monitor", f"the worker process {worker.epitaph()}")
                continue
            if desk.hear(worker, message):
                worker.run = None
        for worker in busy.values():
            if worker.run and time.monotonic() >= worker.run.deadline:
                self._replace(worker, desk, wanted, *worker.run.overdue())

    def _replace(self, worker: Worker, desk: "_Desk", wanted: BrowserWanted, kind: FailureKind, message: str) -> None:
        worker.kill()
        if worker.run:
            desk.cut_short(worker.run, worker.run.ended_by_us("error", kind, message))
            worker.run = None
        self._fresh(worker, wanted)

    def _fresh(self, worker: Worker, wanted: BrowserWanted) -> None:
        """Puts a new worker in the place of a dead one."""
        worker.kill()
        fresh = Worker()
        fresh.send(wanted)
        self._pool[self._pool.index(worker)] = fresh


class _Desk:
    """Gives out runs and takes in their results: saved first, then told."""

    def __init__(self, archive: Archive, listeners: Sequence[Listener]) -> None:
        self._archive = archive
        self._listeners = listeners
        self.results: list[RunResult] = []

    def begin(self, worker: Worker, plan: Plan) -> None:
        identity = run_id()
        run = StartedRun(plan, self._archive.scratch(identity), identity)
        worker.run = run
        self._tell(RunStarted(run=run.run, journey=plan.journey))
        # A worker that has just died is found by its pipe a moment later, with this run in its name.
        with suppress(BrokenPipeError):
            worker.send(Job(run=run.run, plan=plan, folder=run.folder))

    def hear(self, worker: Worker, message: FromWorker) -> bool:
        """Takes one message of a worker; True when its run has ended with it."""
        run = worker.run
        if run is None:
            return False
        if isinstance(message, Execution):
            self.end(message, run)
            return True
        if isinstance(message, Broken):
            self.end(run.ended_by_us("error", "journey", message.message), run)
            return True
        run.note(message)
        self._tell(message)
        return False

    def cut_short(self, run: StartedRun, execution: Execution) -> None:
        """Takes in what is known of a run whose worker was ended; what that one had half written is thrown away."""
        for folder in (run.folder, run.folder.with_name(run.folder.name + RAW)):
            rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            run.folder.mkdir()
        self.end(execution, run)

    def end(self, execution: Execution, run: StartedRun) -> None:
        """Makes the result, saves it, tells the listeners."""
        last = execution.attempts[-1]
        result = RunResult(
            id=run.run,
            journey=run.plan.journey,
            status=last.status,
            started_at=execution.started_at,
            ended_at=execution.ended_at,
            duration_seconds=execution.duration_seconds,
            location=run.plan.location,
            attempts=last.number,
            steps=last.steps,
            failure=last.failure,
            earlier_attempts=execution.attempts[:-1],
            artifacts=execution.artifacts,
            tags=run.plan.tags,
            environment=execution.environment,
            notes=execution.notes,
            last_success_at=execution.ended_at if last.status == "passed" else self._archive.last_success(run.plan.journey),
        )
        folder: Path | None = None
        try:
            folder = self._archive.save(result, run.folder)
        except OSError as error:
            # A full disk must not change what the run has shown; it is told and pushed all the same.
            result, folder = self._save_bare(result, run.folder, error)
        self.results.append(result)
        self._tell(RunEnded(result=result, folder=folder))

    def _save_bare(self, result: RunResult, scratch: Path, why: OSError) -> tuple[RunResult, Path | None]:
        """Tries again without artifacts, for which there may be no room."""
        if result.artifacts:
            result = replace(result, artifacts=(), notes=(*result.notes, f"artifacts dropped to save the result: {why}"))
        try:
            rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            return result, self._archive.save(result, scratch)
        except OSError as error:
            return replace(result, notes=(*result.notes, f"not saved: {error}")), None

    def _tell(self, moment: Moment) -> None:
        for listener in self._listeners:
            listener(moment)


def run(
    plans: Sequence[Plan],
    *,
    settings: Settings,
    browser: Browser,
    archive: Archive,
    listeners: Sequence[Listener],
    workers: int = 1,
) -> list[RunResult]:
    """Runs every plan once in a pool of its own; see Workers.run."""
    with Workers(min(workers, max(len(plans), 1))) as pool:
        return pool.run(plans, browser, settings, archive, listeners)
