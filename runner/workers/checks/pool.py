"""The checks under way: in one process, which starts with the first of them, many at a time.

A process that cannot be used any more, as a check in it cannot be ended, takes no more runs and ends when its others have ended;
meanwhile another one takes the next. A process that dies costs the runs in it, and no others.
"""

import math
import time
from multiprocessing.connection import Connection

from runner.dsl.plan import Plan
from runner.result import FailureKind
from runner.workers.messages import Broken, FromWorker, Job, Kept, Ready, from_worker
from runner.workers.process import Worker
from runner.workers.run_state import Slot, StartedRun
from runner.workers.supervisor import EndedRun, Supervisor

AT_ONCE = 32
"""Checks at a time. Each mostly waits: a thousand a minute that take a second each are 17 at a time."""
MEASURED_EVERY = 500
"""Runs after which the memory of a process is looked at."""
MOST_RUNS = 10_000
"""Runs after which a process is replaced: it remembers the secrets of all of them, one-time codes too, to hide them in what is printed."""
PROGRAM = "runner.workers.checks.main"


class _Seat:
    """A run in the process, as the supervisor sees it."""

    def __init__(self, process: Worker) -> None:
        self._process = process
        self.run: StartedRun | None = None

    def send(self, message: Job, /) -> None:
        """Sends the run. Raises BrokenPipeError when the process has died."""
        self._process.send(message)


class CheckProcess:
    """One process, and the runs in it by their ids."""

    def __init__(self) -> None:
        self.worker = Worker(PROGRAM)
        self.seats: dict[str, _Seat] = {}
        self.retiring = False
        """Whether it takes no more runs."""

    @property
    def runs(self) -> list[StartedRun]:
        """The runs under way."""
        return [seat.run for seat in self.seats.values() if seat.run]


class CheckPool:
    """The processes of checks: one, and those that are retiring."""

    def __init__(self) -> None:
        self._processes: list[CheckProcess] = []
        self.max_memory: int | None = None
        """Bytes from which on a process is replaced."""

    @property
    def running(self) -> list[StartedRun]:
        """The runs under way."""
        return [run for process in self._processes for run in process.runs]

    @property
    def has_room(self) -> bool:
        """Whether another run can begin."""
        return sum(len(process.seats) for process in self._processes) < AT_ONCE

    @property
    def pipes(self) -> dict[Connection, CheckProcess]:
        """Where messages come from."""
        return {process.worker.pipe: process for process in self._processes}

    @property
    def seconds_left(self) -> float:
        """Seconds until a run is overdue."""
        return min((run.deadline for run in self.running), default=math.inf) - time.monotonic()

    def start_run(self, supervisor: Supervisor, plan: Plan, slot: Slot | None, beside: int) -> StartedRun:
        """Starts a run, for which there is room. Raises ConfigError when its folder cannot be created."""
        process = next((one for one in self._processes if not one.retiring), None)
        if process is None:
            process = CheckProcess()
            self._processes.append(process)
        seat = _Seat(process.worker)
        run = supervisor.start_run(seat, plan, slot, beside)
        process.seats[run.run] = seat
        return run

    def receive(self, process: CheckProcess, supervisor: Supervisor) -> list[EndedRun]:
        """Handles what has arrived from a process; returns the runs that have ended. All runs of a process that has died are finished."""
        ended: list[EndedRun] = []
        try:
            # The process may send faster than this one saves: not all is read at once.
            for _ in range(AT_ONCE * 4):
                ended += self._handle(process, process.worker.pipe.recv_bytes(), supervisor)
                if not process.worker.pipe.poll():
                    break
        except (EOFError, OSError):
            self._end_process(process, supervisor, "monitor", f"the process of the checks {process.worker.exit_reason()}")
            return ended
        if process.retiring and not process.seats:
            self._processes.remove(process)
            process.worker.kill()
        return ended

    def _handle(self, process: CheckProcess, content: bytes, supervisor: Supervisor) -> list[EndedRun]:
        message: FromWorker = from_worker.decode(content)
        if isinstance(message, Ready):
            return []
        identity = message.execution.run if isinstance(message, Kept) else message.run
        seat = process.seats.get(identity)
        if seat is None:
            return []
        ended = supervisor.handle_message(seat, message)
        if ended is None:
            return []
        del process.seats[identity]
        process.worker.runs += 1
        spent = isinstance(message, Broken) and message.worker_spent
        runs = process.worker.runs
        full = runs >= MOST_RUNS or (runs % MEASURED_EVERY == 0 and self._is_full(process))
        process.retiring = process.retiring or spent or full
        return [ended]

    def _is_full(self, process: CheckProcess) -> bool:
        return self.max_memory is not None and process.worker.memory() > self.max_memory

    def end_overdue(self, supervisor: Supervisor) -> None:
        """Kills a process that has not ended one of its runs in time: it no longer answers."""
        now = time.monotonic()
        for process in list(self._processes):
            late = [run for run in process.runs if now >= run.deadline]
            if late:
                names = ", ".join(run.plan.journey for run in late)
                message = f"the process of the checks no longer answered while {names} was overdue, and was ended"
                self._end_process(process, supervisor, "monitor", message)

    def cancel_runs(self, supervisor: Supervisor, why: str) -> None:
        """Ends all processes; their runs are saved as `cancelled`."""
        for process in list(self._processes):
            self._processes.remove(process)
            process.worker.kill()
            for run in process.runs:
                supervisor.finish_killed_run(run, run.unfinished_execution("cancelled", "monitor", why))

    def close(self) -> None:
        """Ends all processes."""
        for process in self._processes:
            process.worker.kill()
        self._processes.clear()

    def _end_process(self, process: CheckProcess, supervisor: Supervisor, kind: FailureKind, message: str) -> None:
        process.worker.kill()
        self._processes.remove(process)
        for run in process.runs:
            overdue = time.monotonic() >= run.deadline
            failure = run.overdue_failure() if overdue else (kind, message)
            supervisor.finish_killed_run(run, run.unfinished_execution("error", *failure))
