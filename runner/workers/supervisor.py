"""Hands out runs to workers and turns what they report into results: saved first, then sent to the listeners.

Every run ends with a result, whatever happens to its worker.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from runner.archive.archive import RAW, Archive
from runner.archive.run_id import run_id
from runner.dsl.plan import Plan
from runner.events import Listener, Moment, RunEnded, RunStarted
from runner.execution.outcome import Execution
from runner.private_files import FOLDER
from runner.result import Load, RunResult
from runner.settings.sections.budgets import find_overruns
from runner.settings.sections.quarantine import find_quarantine
from runner.telemetry.trace_ids import trace_id
from runner.workers.machine_load import contended
from runner.workers.messages import Broken, FromWorker, Job, Kept, Ready
from runner.workers.run_state import Slot, StartedRun


class EndedRun(Struct, frozen=True):
    """A run that its worker has finished, and that is not saved yet."""

    run: StartedRun
    execution: Execution
    load: Load


class RunHolder(Protocol):
    """A worker, or a seat of the process of checks: it makes one run at a time."""

    run: StartedRun | None

    def send(self, message: Job, /) -> None:
        """Sends a run to do. Raises BrokenPipeError when the process has died."""


class Supervisor:
    """Starts runs in workers, follows their messages, and saves their results in `archive`."""

    def __init__(self, archive: Archive, listeners: Sequence[Listener]) -> None:
        self._archive = archive
        self._listeners = listeners

    def start_run(self, worker: RunHolder, plan: Plan, slot: Slot | None, beside: int) -> StartedRun:
        """Starts a run in an idle worker, beside so many others. Raises ConfigError when its folder cannot be created."""
        identity = slot.run if slot else run_id()
        run = StartedRun(plan, self._archive.scratch(identity), identity, slot, beside)
        worker.run = run
        self._notify(RunStarted(run=run.run, journey=plan.journey))
        # A worker that has just died is found through its pipe a moment later, with this run assigned to it.
        with suppress(BrokenPipeError):
            worker.send(Job(run=run.run, plan=plan, folder=run.folder))
        return run

    def handle_message(self, worker: RunHolder, message: FromWorker) -> EndedRun | None:
        """Handles one message of a worker; returns its run if that has ended, for `finish_run`."""
        run = worker.run
        if run is None or isinstance(message, Ready):
            return None
        if isinstance(message, Broken):
            message = run.unfinished_execution("error", message.kind, message.message)
        if isinstance(message, Execution):
            return EndedRun(run, message, run.meter.read(time.monotonic()))
        if isinstance(message, Kept):
            run.kept, run.settled = message.execution, message.settled
            return None
        run.record_progress(message)
        self._notify(message)
        return None

    def finish_killed_run(self, run: StartedRun, execution: Execution) -> None:
        """Finishes a run whose worker was killed; artifacts of the attempt that it was in are deleted."""
        rmtree(run.folder.with_name(run.folder.name + RAW), ignore_errors=True)
        whole = {run.folder / artifact.path for artifact in execution.artifacts}
        for file in run.folder.rglob("*"):
            if file.is_file() and file not in whole:
                file.unlink()
        with suppress(OSError):
            run.folder.mkdir(FOLDER, exist_ok=True)
        self.finish_run(EndedRun(run, execution, run.meter.read(time.monotonic())))

    def finish_run(self, ended: EndedRun) -> None:
        """Makes the result, saves it, notifies the listeners."""
        run, execution, load = ended.run, ended.execution, ended.load
        last = execution.attempts[-1]
        result = RunResult(
            id=run.run,
            journey=run.plan.journey,
            kind=run.plan.kind,
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
            last_success_at=execution.ended_at
            if last.status == "passed"
            else self._archive.last_success(run.plan.journey, run.plan.location),
            slot_at=run.slot.at if run.slot else None,
            delay_seconds=run.slot.delay(run.started_at) if run.slot else None,
            trigger=run.slot.trigger if run.slot else "",
            load=load,
            contended=contended(load),
            certificates=execution.certificates,
            trace_id=trace_id(run.run) if run.plan.traced else "",
            bundle=run.plan.bundle,
        )
        quarantine = find_quarantine(result, run.plan.quarantine, execution.ended_at)
        result = replace(result, overruns=find_overruns(result, run.plan.budgets), quarantine=quarantine)
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
