"""Made-up runs, each varied from a real run of the same journey."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from reports.sample.calendar import BETWEEN_RUNS, BROKEN_PAGE, HOURS, NOTE, OUTAGE, SLOW_RELEASE, busyness, release_at
from runner.archive.run_id import run_id
from runner.result import Attempt, Failure, Navigation, Request, RunResult, StepResult, Vitals, skipped, status_of

SLOW_STEPS = {"search", "find black teas", "pay"}
"""Which the slow release has made slower."""
PAUSE = 0.05
"""Seconds between two steps."""


class Incident(Struct, frozen=True):
    """What is particular about a run."""

    factor: float
    """By which everything takes longer than in the real run."""
    slow: float = 1.0
    """By which SLOW_STEPS take longer still."""
    failure: Failure | None = None
    flaky: bool = False


def make_sample_runs(real: Sequence[RunResult], end: datetime) -> list[RunResult]:
    """Runs of each journey in the week before `end`, oldest first; always the same for the same real runs."""
    made = [run for number, one in enumerate(real) for run in _make_journey(one, end, number)]
    return sorted(made, key=lambda one: one.started_at)


def _make_journey(real: RunResult, end: datetime, number: int) -> Iterator[RunResult]:
    dice = Random(real.journey)  # noqa: S311 (it must be the same again)
    whole = _as_passed(real)
    last_success = None
    for hour in range(HOURS, 0, -BETWEEN_RUNS):
        at = end - timedelta(hours=hour - 0.5) + timedelta(minutes=3 * number, seconds=dice.uniform(0, 40))
        release = release_at(hour)
        about = Incident(
            factor=dice.lognormvariate(0, 0.12) * (0.9 + 0.25 * busyness(end, hour)),
            slow=dice.uniform(2.0, 2.6) if release == SLOW_RELEASE else 1.0,
            failure=_failure(real, hour),
            flaky=dice.random() < 0.02,
        )
        run = _make_run(real, whole, about, at, release)
        last_success = run.ended_at if run.status == "passed" else last_success
        yield replace(run, last_success_at=last_success)


def _failure(real: RunResult, hour: int) -> Failure | None:
    """What went wrong in the run of a journey so many hours before the end."""
    if real.journey == "browse" and hour <= BROKEN_PAGE:
        return real.failure
    if real.journey == "buy" and hour in OUTAGE:
        return Failure(kind="http", message=f"HTTP 503 from {real.environment.base_url}/pay/frame", step="pay")
    if real.journey == "search" and hour == 54:
        return Failure(kind="timeout", message="Locator expected to be visible\nActual value: None", step="open one")
    if real.journey == "stock" and hour == 39:
        return Failure(kind="browser", message="the browser was gone (made up)", step="look at the page")
    return None


def _as_passed(real: RunResult) -> tuple[StepResult, ...]:
    """The steps as they would be had the run passed."""
    steps: list[StepResult] = []
    for one in real.steps:
        steps.append(_answered(one, steps[-1]) if one.status != "passed" and steps else one)
    return tuple(steps)


def _answered(failed: StepResult, before: StepResult) -> StepResult:
    """A step that failed, had the site answered: it loads the same page, and takes as long as the step before it."""
    requests = failed.requests
    return replace(
        failed,
        clock=before.clock,
        ended_by=before.ended_by,
        latency_seconds=before.latency_seconds,
        wall_seconds=before.wall_seconds,
        navigations=tuple(replace(one, status=200) for one in failed.navigations),
        requests=replace(
            requests,
            ok=requests.ok + requests.failed,
            failed=0,
            failures=(),
            slowest=tuple(_answered_request(one) for one in requests.slowest),
            entries=tuple(_answered_request(one) for one in requests.entries),
        ),
    )


def _answered_request(one: Request) -> Request:
    return replace(one, status=200) if one.status and one.status >= 400 else one


def _make_run(real: RunResult, whole: tuple[StepResult, ...], about: Incident, at: datetime, release: str) -> RunResult:
    failing = about.failure.step if about.failure else None
    steps: list[StepResult] = []
    passed: float = 0.0
    for one in whole:
        factor = about.factor * (about.slow if one.name in SLOW_STEPS else 1.0)
        begin = at + timedelta(seconds=passed)
        step = _vary_step(one, factor, begin)
        if one.name == failing and about.failure is not None:
            if about.failure == real.failure:
                step = _vary_step(real.steps[one.index], factor, begin)
            lasted = real.steps[one.index].wall_seconds if about.failure == real.failure else 5.0
            status = status_of(about.failure)
            step = replace(
                step, status=status, failure=about.failure, latency_seconds=lasted, wall_seconds=lasted, clock="stopwatch"
            )
        steps.append(step)
        passed += (step.wall_seconds or 0.0) + PAUSE
        if step.status != "passed":
            break
    left = [one.name for one in whole[len(steps) :]]
    earlier: tuple[Attempt, ...] = ()
    if about.flaky and about.failure is None:
        again = Failure(kind="timeout", message="Locator expected to be visible\nActual value: None", step=whole[-1].name)
        earlier = (Attempt(number=1, status="failed", started_at=at, duration_seconds=passed, failure=again),)
    duration = (passed + 0.3) * (1 + len(earlier))
    return RunResult(
        id=run_id(at),
        journey=real.journey,
        status=status_of(about.failure),
        started_at=at,
        ended_at=at + timedelta(seconds=duration),
        duration_seconds=duration,
        location=real.location,
        attempts=1 + len(earlier),
        steps=(*steps, *skipped(left, len(steps))),
        failure=about.failure,
        earlier_attempts=earlier,
        tags=(*real.tags, "sample"),
        release=release,
        environment=real.environment,
        notes=(NOTE,),
    )


def _vary_step(step: StepResult, factor: float, at: datetime) -> StepResult:
    """A step that takes longer by a factor, and began at another time."""
    requests = step.requests
    return replace(
        step,
        status="passed",
        started_at=at,
        latency_seconds=_times(step.latency_seconds, factor),
        wall_seconds=_times(step.wall_seconds, factor),
        navigations=tuple(_vary_navigation(one, factor, at) for one in step.navigations),
        vitals=_vary_vitals(step.vitals, factor),
        requests=replace(
            requests,
            slowest=tuple(_vary_request(one, factor) for one in requests.slowest),
            entries=tuple(_vary_request(one, factor) for one in requests.entries),
        ),
        user_timing=(),
        long_tasks=(),
        page_errors=(),
        failure=None,
    )


def _vary_navigation(one: Navigation, factor: float, at: datetime) -> Navigation:
    return replace(one, started_at=at, phases={name: seconds * factor for name, seconds in one.phases.items()})


def _vary_vitals(one: Vitals, factor: float) -> Vitals:
    return Vitals(
        ttfb=_times(one.ttfb, factor),
        fcp=_times(one.fcp, factor),
        lcp=_times(one.lcp, factor),
        inp=_times(one.inp, factor),
        cls=one.cls,
    )


def _vary_request(one: Request, factor: float) -> Request:
    return replace(one, at_seconds=one.at_seconds * factor, duration_seconds=one.duration_seconds * factor)


def _times(seconds: float | None, factor: float) -> float | None:
    return seconds * factor if seconds is not None else None
