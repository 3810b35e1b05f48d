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

from runner.archive.archive import RAW, Archive
from runner.archive.run_id import run_id
from runner.browser.chromium import Browser
from runner.codec import encode
from runner.dsl.plan import Plan
from runner.events import Listener, Moment, RunEnded, RunStarted
from runner.execution.outcome import Execution
from runner.result import FailureKind, RunResult
from runner.settings.budgets import find_overruns
from runner.settings.settings import Settings
from runner.workers.machine_load import contended
from runner.workers.messages import Broken, BrowserWanted, FromWorker, Job, Ready, from_worker
from runner.workers.run_state import Slot, StartedRun

FOREVER = 3600.0
LAST_WORDS = 3.0
"""Seconds that a worker gets to close its browser before it is ended."""


class Worker:
    """One worker process and the pipe to it."""

    def __init__(self) -> None:
        ours, theirs = Pipe()
        self.pipe: Connection = ours
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which then ends runs in order.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runner.workers.main", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.run: StartedRun | None = None
        self.runs = 0
        self.worn = False
        """Whether another is to take its place."""
        self.ready = False
        """Whether it has said that its browser is there."""

    def memory(self) -> int:
        """Bytes that the worker and all that it has started hold, without what they share with others."""
        total = 0
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    held = one.memory_info()
                    total += held.rss - getattr(held, "shared", 0)
        return total

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
    """A pool of worker processes, started at once so that they get ready while the journeys are still being read.

    `run` does a list of plans. What decides as it goes calls `open` once: a smoke check then `make` for each run, a scheduler
    `begin` and `listen` as long as it lives.
    """

    def __init__(self, count: int) -> None:
        self._pool = [Worker() for _ in range(count)]
        self._wanted: BrowserWanted | None = None
        self._desk: _Desk | None = None
        self._most_runs: int | None = None
        self._most_memory: int | None = None
        self._spare: Worker | None = None
        """Gets ready to take the place of a worn one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._spare is not None:
            self._spare.kill()
        for worker in self._pool:
            if worker.run is None and kind is None:
                worker.dismiss()
            else:
                worker.kill()

    def open(self, browser: Browser, settings: Settings, archive: Archive, listeners: Sequence[Listener]) -> None:
        """Says with which browser and for whom the coming runs are."""
        self._wanted = BrowserWanted(
            browser=browser, headed=settings.headed, slow_mo=settings.slow_mo, min_free_memory=settings.min_free_memory
        )
        self._desk = _Desk(archive, listeners)
        for worker in list(self._pool):
            try:
                worker.send(self._wanted)
            except (BrokenPipeError, ConnectionResetError):
                # It has died since its last run.
                self._fresh(worker)

    def recycle(self, runs: int, memory: int) -> None:
        """From now on a worker is replaced after so many runs, or when it and its browser hold so many bytes.

        Another takes its place when that one's browser is there, so that no run waits for it.
        """
        self._most_runs, self._most_memory = runs, memory

    @property
    def running(self) -> list[StartedRun]:
        """The runs under way."""
        return [worker.run for worker in self._pool if worker.run]

    @property
    def count(self) -> int:
        """How many workers there are."""
        return len(self._pool)

    @property
    def idle(self) -> int:
        """How many workers wait for a run."""
        return sum(worker.run is None for worker in self._pool)

    def begin(self, plan: Plan, slot: Slot | None = None) -> StartedRun:
        """Starts a run in an idle worker. Raises ConfigError when its folder cannot be made."""
        worker = next(one for one in self._pool if one.run is None)
        others = self.running
        for other in others:
            other.meter.beside = max(other.meter.beside, len(others))
        return self._opened.begin(worker, plan, slot, len(others))

    def listen(self, timeout: float, also: Sequence[int] = ()) -> list[int]:
        """Takes in what the workers say, for `timeout` seconds at the most; returns those of the descriptors that are ready.

        Also returns as soon as any worker has said something.
        """
        busy = {worker.pipe: worker for worker in self._pool if worker.run}
        soonest = min((worker.run.deadline - time.monotonic() for worker in busy.values() if worker.run), default=timeout)
        ready = []
        spare = [self._spare.pipe] if self._spare is not None and not self._spare.ready else []
        for one in wait([*busy, *spare, *also], timeout=max(min(soonest, timeout), 0.0)):
            if isinstance(one, int):
                ready.append(one)
                continue
            if one in spare:
                self._hear_spare()
                continue
            worker = busy[one]  # type: ignore[index]  # wait() returns what it was given
            try:
                message = from_worker.decode(worker.pipe.recv_bytes())
            except (EOFError, OSError):
                self._replace(worker, "monitor", f"the worker process {worker.epitaph()}")
                continue
            if self._opened.hear(worker, message):
                worker.run = None
                self._recycle(worker)
                self._swap()
        for worker in busy.values():
            if worker.run and time.monotonic() >= worker.run.deadline:
                self._replace(worker, *worker.run.overdue())
        return ready

    def cancel(self, why: str) -> None:
        """Ends the runs under way; they are saved as `cancelled`."""
        for worker in self._pool:
            if worker.run:
                worker.kill()
                self._opened.cut_short(worker.run, worker.run.ended_by_us("cancelled", "monitor", why))
                worker.run = None

    def run(
        self,
        plans: Sequence[Plan],
        browser: Browser,
        settings: Settings,
        archive: Archive,
        listeners: Sequence[Listener],
    ) -> list[RunResult]:
        """Runs every plan once, as `make` does, for these; returns the results as they ended.

        Each result is saved in `archive` before the listeners hear that its run has ended.
        """
        results: list[RunResult] = []

        def collect(moment: Moment) -> None:
            if isinstance(moment, RunEnded):
                results.append(moment.result)

        self.open(browser, settings, archive, [collect, *listeners])
        self.make(plans)
        return results

    def make(self, plans: Sequence[Plan]) -> None:
        """Runs every plan once, in order, as many at a time as there are workers.

        On KeyboardInterrupt the runs under way are saved as `cancelled`, then the interrupt goes on.
        """
        waiting = deque(plans)
        try:
            while waiting or self.running:
                while waiting and self.idle:
                    self.begin(waiting.popleft())
                self.listen(FOREVER)
        except KeyboardInterrupt:
            self.cancel("cancelled from the keyboard")
            raise

    @property
    def _opened(self) -> "_Desk":
        if self._desk is None:
            raise RuntimeError("Workers.open was not called")
        return self._desk

    def _recycle(self, worker: Worker) -> None:
        worker.runs += 1
        old = self._most_runs is not None and worker.runs >= self._most_runs
        if old or (self._most_memory is not None and worker.memory() > self._most_memory):
            worker.worn = True
        if worker.worn and self._spare is None:
            self._spare = self._started(warm=True)

    def _hear_spare(self) -> None:
        spare = self._spare
        if spare is None:
            return
        try:
            spare.pipe.recv_bytes()
            spare.ready = True
        except (EOFError, OSError):
            # It has died before its first run; the next run of the worn one begins another.
            spare.kill()
            self._spare = None
        self._swap()

    def _swap(self) -> None:
        """Puts a spare that is ready in the place of a worn worker without a run."""
        worn = [one for one in self._pool if one.worn and one.run is None]
        if worn and self._spare is not None and self._spare.ready:
            self._pool[self._pool.index(worn[0])] = self._spare
            self._spare = self._started(warm=True) if any(one.worn for one in self._pool) else None
            worn[0].kill()

    def _replace(self, worker: Worker, kind: FailureKind, message: str) -> None:
        worker.kill()
        if worker.run:
            self._opened.cut_short(worker.run, worker.run.ended_by_us("error", kind, message))
            worker.run = None
        self._fresh(worker)

    def _fresh(self, worker: Worker) -> None:
        """Puts a new worker in the place of a dead one."""
        worker.kill()
        self._pool[self._pool.index(worker)] = self._started()

    def _started(self, warm: bool = False) -> Worker:
        fresh = Worker()
        if self._wanted is not None:
            fresh.send(replace(self._wanted, warm=warm))
        return fresh


class _Desk:
    """Gives out runs and takes in their results: saved first, then told."""

    def __init__(self, archive: Archive, listeners: Sequence[Listener]) -> None:
        self._archive = archive
        self._listeners = listeners

    def begin(self, worker: Worker, plan: Plan, slot: Slot | None, beside: int) -> StartedRun:
        identity = slot.run if slot else run_id()
        run = StartedRun(plan, self._archive.scratch(identity), identity, slot, beside)
        worker.run = run
        self._tell(RunStarted(run=run.run, journey=plan.journey))
        # A worker that has just died is found by its pipe a moment later, with this run in its name.
        with suppress(BrokenPipeError):
            worker.send(Job(run=run.run, plan=plan, folder=run.folder))
        return run

    def hear(self, worker: Worker, message: FromWorker) -> bool:
        """Takes one message of a worker; True when its run has ended with it."""
        run = worker.run
        if run is None or isinstance(message, Ready):
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
        load = run.meter.read(time.monotonic())
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
            release=run.plan.release,
            environment=execution.environment,
            notes=execution.notes,
            last_success_at=execution.ended_at if last.status == "passed" else self._archive.last_success(run.plan.journey),
            slot_at=run.slot.at if run.slot else None,
            delay_seconds=run.slot.delay(run.started_at) if run.slot else None,
            load=load,
            contended=contended(load),
        )
        result = replace(result, overruns=find_overruns(result, run.plan.budgets))
        folder: Path | None = None
        try:
            folder = self._archive.save(result, run.folder)
        except OSError as error:
            # A full disk must not change what the run has shown; it is told and pushed all the same.
            result, folder = self._save_bare(result, run.folder, error)
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
