"""The moments of a run, in the order in which they come. Reporters listen to them and to nothing else."""

from collections.abc import Callable
from pathlib import Path

from msgspec import UNSET, Struct
from msgspec.structs import replace

from runner.result import Requests, RunResult, StepResult


class RunStarted(Struct, frozen=True, kw_only=True, tag=True):
    """A run begins; no browser context is open yet."""

    run: str
    journey: str


class AttemptStarted(Struct, frozen=True, kw_only=True, tag=True):
    """A try begins; `number` counts from 1."""

    run: str
    journey: str
    number: int


class StepStarted(Struct, frozen=True, kw_only=True, tag=True):
    """A step begins."""

    run: str
    journey: str
    attempt: int
    name: str
    index: int


class StepEnded(Struct, frozen=True, kw_only=True, tag=True):
    """A step has ended, whatever its status."""

    run: str
    journey: str
    attempt: int
    step: StepResult


class AttemptEnded(Struct, frozen=True, kw_only=True, tag=True):
    """The journey's code has ended; its artifacts are being finished."""

    run: str
    journey: str
    number: int


class RunEnded(Struct, frozen=True, kw_only=True, tag=True):
    """A run has ended and is saved: `folder` holds `result.json` and the artifacts, None when they could not be written."""

    result: RunResult
    folder: Path | None = None


Moment = RunStarted | AttemptStarted | StepStarted | StepEnded | AttemptEnded | RunEnded
Listener = Callable[[Moment], None]


def slim_step(moment: StepEnded) -> StepEnded:
    """The moment without what nobody needs before the run has ended."""
    step = moment.step
    counts = Requests(ok=step.requests.ok, failed=step.requests.failed, transfer_bytes=step.requests.transfer_bytes)
    return replace(moment, step=replace(step, requests=counts, long_tasks=(), user_timing=(), navigations=(), signals=UNSET))
