"""A pool of worker processes: each does one run at a time; a worker that overruns its deadline or dies is replaced.

The pool enforces the deadline: a worker that has not answered in time is killed with everything it has started.
"""

import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from types import TracebackType
from typing import Never, Self

from msgspec.structs import replace

from runner.archive.archive import Archive
from runner.browser.chromium import Browser, LaunchOptions
from runner.browser.engines import given_paths
from runner.dsl.plan import Plan
from runner.events import Listener
from runner.execution.outcome import Execution
from runner.result import FailureKind, RunResult
from runner.settings.settings import Settings
from runner.workers.checks.pool import CheckPool
from runner.workers.interrupts import held_interrupts
from runner.workers.messages import Broken, BrowserWanted, from_worker
from runner.workers.process import Worker, take_worker
from runner.workers.run_state import Slot, StartedRun
from runner.workers.supervisor import EndedRun, Supervisor
from runner.workers.temporary_folder import sweep_temporary_folders


class Workers:
    """A pool of worker processes, which start at once, so that they get ready while the journeys are still being read.

    After `open`, `start_run` starts runs in idle workers and `poll` handles what the workers report.
    """

    def __init__(self, count: int) -> None:
        self._pool = [take_worker() for _ in range(count)]
        self._checks = CheckPool()
        self._wanted: BrowserWanted | None = None
        self._opened_for: Supervisor | None = None
        self._max_runs: int | None = None
        self._max_memory: int | None = None
        self._ended: list[EndedRun] = []
        """Runs that their workers have finished, and that are not saved yet."""
        self._replacement: Worker | None = None
        """Gets ready to take the place of a retiring worker."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._replacement is not None:
            self._replacement.kill()
        self._checks.close()
        for worker in self._pool:
            if worker.run is None and kind is None:
                worker.stop()
            else:
                worker.kill()

    def open(self, browser: Browser | None, settings: Settings, archive: Archive, listeners: Sequence[Listener]) -> None:
        """Sets the browser, the archive and the listeners for the coming runs; without a browser, these are runs of checks only."""
        self._opened_for = Supervisor(archive, listeners)
        sweep_temporary_folders()
        if browser is None:
            return
        launch = LaunchOptions(headed=settings.headed, slow_mo=settings.slow_mo, http2=settings.http2, ca_file=settings.ca_file)
        self._wanted = BrowserWanted(
            browser=browser, paths=given_paths(settings), launch=launch, min_free_memory=settings.min_free_memory
        )
        for worker in list(self._pool):
            try:
                worker.send(self._wanted)
            except (BrokenPipeError, ConnectionResetError):
                # It has died since its last run.
                self._restart_worker(worker)

    def recycle_after(self, runs: int, memory: int) -> None:
        """From now on a worker is replaced after this many runs, or when it and its browser hold more than `memory` bytes.

        The replacement takes its place when its browser is started, so that no run waits for it.
        """
        self._max_runs, self._max_memory = runs, memory
        self._checks.max_memory = memory

    @property
    def running(self) -> list[StartedRun]:
        """The runs under way."""
        return [*self._walking, *self._checks.running]

    @property
    def _walking(self) -> list[StartedRun]:
        """The runs in a browser."""
        return [worker.run for worker in self._pool if worker.run]

    @property
    def count(self) -> int:
        """The number of workers."""
        return len(self._pool)

    def can_start(self, plan: Plan) -> bool:
        """Whether a run can begin now: in an idle worker, or among the checks."""
        return self._checks.has_room if plan.kind == "check" else any(worker.run is None for worker in self._pool)

    def start_run(self, plan: Plan, slot: Slot | None = None) -> StartedRun:
        """Starts a run for which there is room. Raises ConfigError when its folder cannot be created."""
        others = self._walking
        if plan.kind == "check":
            # It takes so little of the machine that it does not count as a run beside others.
            return self._checks.start_run(self._supervisor, plan, slot, len(others))
        worker = next(worker for worker in self._pool if worker.run is None)
        for other in others:
            other.meter.beside = max(other.meter.beside, len(others))
        return self._supervisor.start_run(worker, plan, slot, len(others))

    def poll(self, timeout: float, also: Sequence[int] = (), save: bool = True) -> list[int]:
        """Waits for messages of the workers and handles them; returns the file descriptors in `also` that are ready to be read.

        Returns after the first messages, when a descriptor is ready, or after `timeout` seconds. Kills workers whose run is
        overdue. Without `save`, runs that have ended wait for `save_ended`, so that their workers can be given the next ones first.
        """
        busy = {worker.pipe: worker for worker in self._pool if worker.run}
        soonest = min((worker.run.deadline - time.monotonic() for worker in busy.values() if worker.run), default=timeout)
        ready = []
        soonest = min(soonest, self._checks.seconds_left)
        checking = self._checks.pipes
        starting = [self._replacement.pipe] if self._replacement is not None and not self._replacement.ready else []
        for source in wait([*busy, *starting, *checking, *also], timeout=max(min(soonest, timeout), 0.0)):
            if isinstance(source, int):
                ready.append(source)
                continue
            if source in checking:
                with held_interrupts():
                    self._ended += self._checks.receive(checking[source], self._supervisor)
                continue
            if source in starting:
                self._receive_from_replacement()
                continue
            worker = busy[source]  # type: ignore[index]  # wait() returns what it was given
            try:
                message = from_worker.decode(worker.pipe.recv_bytes())
            except (EOFError, OSError):
                reason = f"the worker process {worker.exit_reason()}"
                self._handle_dead_worker(worker, "monitor", reason, worker.end_left_processes())
                continue
            # An interrupt between the end of a run and its departure from the worker would end it a second time.
            with held_interrupts():
                ended = self._supervisor.handle_message(worker, message)
                if ended is not None:
                    self._ended.append(ended)
                    worker.run = None
            if ended is not None:
                if isinstance(message, Execution | Broken) and message.worker_spent:
                    self._restart_worker(worker)
                    continue
                self._retire_if_worn(worker)
                self._swap_in_replacement()
        if save:
            self.save_ended()
        self._checks.end_overdue(self._supervisor)
        for worker in busy.values():
            if worker.run and time.monotonic() >= worker.run.deadline:
                self._handle_dead_worker(worker, *worker.run.overdue_failure())
        return ready

    def save_ended(self) -> None:
        """Saves the runs that have ended and notifies the listeners."""
        while self._ended:
            with held_interrupts():
                self._supervisor.finish_run(self._ended.pop(0))

    # What only pools of workers elsewhere have

    def explain_lack(self, plan: Plan) -> str:  # noqa: ARG002
        """Why no worker could ever start a run: always empty, as the workers are this pool's own."""
        return ""

    def adopt(self, plan: Plan, slot: Slot) -> bool:  # noqa: ARG002
        """Whether a run of an earlier scheduler goes on: never, as its workers have died with it."""
        return False

    def revoke_runs(self, journey: str | None = None, location: str | None = None) -> None:
        """Takes back the runs that have not begun: here they all have."""

    def take_abandoned(self) -> Sequence[Never]:
        """The runs that were given up: here they end with a result."""
        return ()

    def take_strays(self) -> Sequence[RunResult]:
        """Results that nobody expected: there are no others who make any."""
        return ()

    def confirm(self, run: str) -> None:
        """A result is stored: it is kept nowhere else."""

    def begin_closing(self) -> None:
        """Lets the workers, which have no runs, close their browsers while this process does other work. No run can follow."""
        for worker in self._pool:
            if worker.run is None:
                worker.begin_stop()

    def cancel_runs(self, why: str) -> int:
        """Kills the workers of the runs under way; the runs are saved as `cancelled`. Returns how many go on: none."""
        self.save_ended()
        self._checks.cancel_runs(self._supervisor, why)
        for worker in self._pool:
            if worker.run:
                worker.kill()
                self._supervisor.finish_killed_run(worker.run, worker.run.unfinished_execution("cancelled", "monitor", why))
                worker.run = None
        return 0

    @property
    def _supervisor(self) -> Supervisor:
        if self._opened_for is None:
            raise RuntimeError("Workers.open was not called")
        return self._opened_for

    def _retire_if_worn(self, worker: Worker) -> None:
        worker.runs += 1
        old = self._max_runs is not None and worker.runs >= self._max_runs
        if old or (self._max_memory is not None and worker.memory() > self._max_memory):
            worker.retiring = True
        if worker.retiring and self._replacement is None:
            self._replacement = self._start_worker(warm=True)

    def _receive_from_replacement(self) -> None:
        replacement = self._replacement
        if replacement is None:
            return
        try:
            replacement.pipe.recv_bytes()
            replacement.ready = True
        except (EOFError, OSError):
            # It has died before its first run; the next run of the retiring worker starts another.
            replacement.kill()
            self._replacement = None
        self._swap_in_replacement()

    def _swap_in_replacement(self) -> None:
        """Puts a replacement that is ready in the place of a retiring worker without a run."""
        retiring = [worker for worker in self._pool if worker.retiring and worker.run is None]
        if retiring and self._replacement is not None and self._replacement.ready:
            self._pool[self._pool.index(retiring[0])] = self._replacement
            self._replacement = self._start_worker(warm=True) if any(worker.retiring for worker in self._pool) else None
            retiring[0].kill()

    def _handle_dead_worker(self, worker: Worker, kind: FailureKind, message: str, left: Sequence[str] = ()) -> None:
        worker.kill()
        if worker.run:
            execution = worker.run.unfinished_execution("error", kind, message)
            if left:
                note = f"processes that the journey left running were ended: {', '.join(left)}"
                execution = replace(execution, notes=(*execution.notes, note))
            with held_interrupts():
                self._supervisor.finish_killed_run(worker.run, execution)
                worker.run = None
        self._restart_worker(worker)

    def _restart_worker(self, worker: Worker) -> None:
        """Puts a new worker in the place of a dead one."""
        worker.kill()
        self._pool[self._pool.index(worker)] = self._start_worker()

    def _start_worker(self, warm: bool = False) -> Worker:
        worker = Worker()
        if self._wanted is not None:
            worker.send(replace(self._wanted, warm=warm))
        return worker
