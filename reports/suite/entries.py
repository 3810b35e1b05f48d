"""Tests and runs as entries of a report, which knows no other form: how each ended, its attempts, its steps, its files."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from msgspec import Struct

from reports.suite.records import BAD, RecordedTest
from reports.text.formatting import format_failure, format_status, list_ended_quarantine, list_over_budget
from reports.text.problems import describe_held
from runner.archive.archive import Saved
from runner.result import Artifact, Attempt, Environment, RunResult, StepResult

Group = Literal["bad", "quarantined", "flaky", "passed", "other"]
"""What a reader looks for; `other`: skipped, cancelled, expected to fail."""


class EntryAttempt(Struct, frozen=True, kw_only=True):
    """One try."""

    number: int
    status: str
    """A class of the style sheet: `passed failed error skipped cancelled`."""
    label: str
    started_at: datetime
    seconds: float
    worker: str = ""
    step: str = ""
    """Where it failed."""
    message: str = ""
    """The first line of the reason."""
    text: str = ""
    """The rest of it, or all that pytest shows."""
    steps: tuple[StepResult, ...] = ()

    @property
    def ordered_steps(self) -> list[StepResult]:
        """What failed first, then the rest in its order."""
        return sorted(self.steps, key=lambda one: one.status not in {"failed", "error"})

    @property
    def ended_at(self) -> datetime:
        """When it ended."""
        return self.started_at + timedelta(seconds=self.seconds)


class Entry(Struct, frozen=True, kw_only=True):
    """A test, or a run of a journey."""

    name: str
    place: str
    """What tells entries of one name apart: the test's file, or the run's location and id."""
    status: str
    label: str
    group: Group
    attempts: tuple[EntryAttempt, ...]
    remarks: tuple[str, ...] = ()
    folder: Path | None = None
    artifacts: tuple[Artifact, ...] = ()
    run: Saved | None = None
    """The run, where there is one."""
    stored: bool = False
    """Whether the run is in the archive, so that `journey show` finds it."""

    @property
    def last(self) -> EntryAttempt:
        """The attempt that counts."""
        return self.attempts[-1]

    @property
    def seconds(self) -> float:
        """All attempts together."""
        return sum(one.seconds for one in self.attempts)

    @property
    def environment(self) -> Environment | None:
        """What it was measured with."""
        return self.run.result.environment if self.run else None


LABELS = {"xfailed": "expected to fail", "xpassed": "passed, but was expected to fail", "crashed": "its process died"}
CLASSES = {"xfailed": "skipped", "xpassed": "passed", "crashed": "error"}


def list_run_entries(runs: Iterable[Saved], stored: bool = True) -> list[Entry]:
    """Runs as entries, in their order."""
    return [_make_run_entry(saved, stored) for saved in runs]


def list_test_entries(records: Iterable[RecordedTest], runs: Mapping[str, Saved]) -> list[Entry]:
    """The tests of a pytest session; `runs` are those of its journeys by their ids."""
    return [_make_test_entry(record, runs.get(record.run)) for record in records]


def _make_run_entry(saved: Saved, stored: bool) -> Entry:
    result = saved.result
    last = last_attempt(result)
    return Entry(
        name=result.journey,
        place=f"{result.location}, {result.id}",
        status=result.status,
        label=format_status(result),
        group=_group_run(result),
        attempts=tuple(_from_attempt(one) for one in (*result.earlier_attempts, last)),
        remarks=_remarks(result),
        folder=saved.folder,
        artifacts=result.artifacts,
        run=saved,
        stored=stored,
    )


def last_attempt(result: RunResult) -> Attempt:
    """The last attempt of a run; of several, its beginning is known from the time that the others took."""
    seconds = max(result.duration_seconds - sum(one.duration_seconds for one in result.earlier_attempts), 0.0)
    return Attempt(
        number=result.attempts,
        status=result.status,
        started_at=result.ended_at - timedelta(seconds=seconds) if result.earlier_attempts else result.started_at,
        duration_seconds=seconds,
        steps=result.steps,
        failure=result.failure,
    )


def _group_run(result: RunResult) -> Group:
    if result.set_aside:
        return "quarantined"
    if result.status in {"failed", "error"} or result.over_budget:
        return "bad"
    if result.flaky:
        return "flaky"
    return "passed" if result.status == "passed" else "other"


def _remarks(result: RunResult) -> tuple[str, ...]:
    held = describe_held(result.quarantine)
    return (*([held] if held else []), *list_ended_quarantine(result), *list_over_budget(result), *result.notes)


def _from_attempt(one: Attempt) -> EntryAttempt:
    failure = one.failure
    return EntryAttempt(
        number=one.number,
        status=one.status,
        label=one.status,
        started_at=one.started_at,
        seconds=one.duration_seconds,
        step=(failure.step or "") if failure else "",
        message=next(iter(failure.message.splitlines()), "") if failure else "",
        text="\n".join(format_failure(failure)[1:]) if failure else "",
        steps=one.steps,
    )


def _make_test_entry(record: RecordedTest, journey_run: Saved | None) -> Entry:
    run = journey_run or (Saved(record.steps_run, Path(record.folder or "")) if record.steps_run else None)
    result = run.result if run else None
    known: dict[int, Attempt] = {}
    if result is not None:
        known = {one.number: one for one in result.earlier_attempts}
        known[result.attempts] = Attempt(
            number=result.attempts,
            status=result.status,
            started_at=result.started_at,
            duration_seconds=0.0,
            steps=result.steps,
            failure=result.failure,
        )
    file, _, name = record.id.partition("::")
    outcome = record.last.outcome
    label = LABELS.get(outcome, outcome)
    return Entry(
        name=name or file,
        place=file if name else "",
        status=CLASSES.get(outcome, outcome),
        label=f"passed at attempt {len(record.attempts)} (flaky)" if record.flaky else label,
        group=_group_test(record, result),
        attempts=tuple(_test_attempt(record, index, known) for index in range(len(record.attempts))),
        remarks=_remarks(result) if result else (),
        folder=Path(record.folder) if record.folder else None,
        artifacts=record.artifacts,
        run=run,
    )


def _group_test(record: RecordedTest, result: RunResult | None) -> Group:
    if record.last.outcome in BAD:
        return "bad"
    if result is not None and result.set_aside:
        return "quarantined"
    if record.flaky:
        return "flaky"
    return "passed" if record.last.outcome == "passed" else "other"


def _test_attempt(record: RecordedTest, index: int, known: Mapping[int, Attempt]) -> EntryAttempt:
    one = record.attempts[index]
    run = known.get(index + 1)
    failure = run.failure if run else None
    return EntryAttempt(
        number=index + 1,
        status=CLASSES.get(one.outcome, one.outcome),
        label=LABELS.get(one.outcome, one.outcome),
        started_at=one.started_at,
        seconds=one.duration_seconds,
        worker=one.worker,
        step=(failure.step or "") if failure else "",
        message=next(iter(failure.message.splitlines()), "") if failure else one.message,
        text=one.text or ("\n".join(format_failure(failure)[1:]) if failure else ""),
        steps=run.steps if run else (),
    )


def list_slowest_steps(entries: Sequence[Entry], most: int) -> list[tuple[Entry, StepResult]]:
    """The steps with the greatest latency, the slowest first."""
    measured = [(one, step) for one in entries for step in one.last.steps if step.latency_seconds is not None]
    return sorted(measured, key=lambda pair: -(pair[1].latency_seconds or 0.0))[:most]
