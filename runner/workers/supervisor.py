"""Hands out runs to workers and turns what they report into results: saved first, then sent to the listeners.

Every run ends with a result, whatever happens to its worker.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from msgspec.structs import replace

from runner.archive.archive import RAW, Archive
from runner.archive.run_id import run_id
from runner.dsl.plan import Plan
from runner.events import Listener, Moment, RunEnded, RunStarted
from runner.execution.outcome import Execution
from runner.private_files import FOLDER
from runner.result import RunResult
from runner.settings.budgets import find_overruns
from runner.workers.machine_load import contended
from runner.workers.messages import Broken, FromWorker, Job, Ready
from runner.workers.process import Worker
from runner.workers.run_state import Slot, StartedRun


class Supervisor:
    """Starts runs in workers, follows their messages, and saves their results in `archive`."""

    def __init__(self, archive: Archive, listeners: Sequence[Listener]) -> None:
        self._archive = archive
        self._listeners = listeners

    def start_run(self, worker: Worker, plan: Plan, slot: Slot | None, beside: int) -> StartedRun:
        """Starts a run in an idle worker, beside so many others. Raises ConfigError when its folder cannot be created."""
        identity = slot.run if slot else run_id()
        run = StartedRun(plan, self._archive.scratch(identity), identity, slot, beside)
        worker.run = run
        self._notify(RunStarted(run=run.run, journey=plan.journey))
        # A worker that has just died is found through its pipe a moment later, with this run assigned to it.
        with suppress(BrokenPipeError):
            worker.send(Job(run=run.run, plan=plan, folder=run.folder))
        return run

    def handle_message(self, worker: Worker, message: FromWorker) -> bool:
        """Handles one message of a worker; True when its run has ended with it."""
        run = worker.run
        if run is None or isinstance(message, Ready):
            return False
        if isinstance(message, Execution):
            self._finish_run(message, run)
            return True
        if isinstance(message, Broken):
            self._finish_run(run.unfinished_execution("error", "journey", message.message), run)
            return True
        run.record_progress(message)
        self._notify(message)
        return False

    def finish_killed_run(self, run: StartedRun, execution: Execution) -> None:
        """Finishes a run whose worker was killed; artifacts that it had half written are deleted."""
        for folder in (run.folder, run.folder.with_name(run.folder.name + RAW)):
            rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            run.folder.mkdir(FOLDER)
        self._finish_run(execution, run)

    def _finish_run(self, execution: Execution, run: StartedRun) -> None:
        """Makes the result, saves it, notifies the listeners."""
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
            second_look=execution.second_look,
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
            # A full disk must not change what the run has shown; it is reported and pushed all the same.
            result, folder = self._save_without_artifacts(result, run.folder, error)
        self._notify(RunEnded(result=result, folder=folder))

    def _save_without_artifacts(self, result: RunResult, scratch: Path, why: OSError) -> tuple[RunResult, Path | None]:
        """Tries again without artifacts, for which there may be no room."""
        if result.artifacts:
            result = replace(result, artifacts=(), notes=(*result.notes, f"artifacts dropped to save the result: {why}"))
        try:
            rmtree(scratch, ignore_errors=True)
            scratch.mkdir(FOLDER)
            return result, self._archive.save(result, scratch)
        except OSError as error:
            return replace(result, notes=(*result.notes, f"not saved: {error}")), None

    def _notify(self, moment: Moment) -> None:
        for listener in self._listeners:
            listener(moment)
