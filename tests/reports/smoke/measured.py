"""Runs as values, for what is decided of them: made up, so that every figure in them is known."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reports.compare import Rule
from reports.smoke import verdict
from reports.smoke.check import Check, Round
from reports.smoke.question import Question
from reports.smoke.result import SmokeResult
from runner.archive.run_id import run_id
from runner.dsl.discovery import load_journeys
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan, plan
from runner.events import RunEnded
from runner.result import Environment, Failure, RunResult, StepResult
from runner.settings.settings import Settings

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CANDIDATE, REFERENCE = "http://candidate.example", "http://reference.example"
QUICK = Rule(tolerance=0.1, floor_seconds=0.0, alarm=0.4, miss=0.4, looks=(5, 8))
"""Five pairs that all point one way are enough."""
Made = Callable[[Plan], RunEnded]


def journeys(folder: Path, *names: str) -> list[tuple[Journey, Plan]]:
    """Journeys with two steps, ready to be run."""
    code = "from runner import journey\n"
    for name in names:
        code += f"@journey\ndef {name}(page, step):\n    with step('open'): ...\n    with step('pay'): ...\n"
    (folder / "walks.py").write_text(code)
    return [(one, plan(one, Settings(base_url=CANDIDATE))) for one in load_journeys(folder / "walks.py")]


def run(of: Plan, latencies: Mapping[str, float], **changed: Any) -> RunEnded:
    """A run that has passed, with a step for each latency; `changed` are fields of its result."""
    steps = tuple(
        StepResult(name=name, index=index, status="passed", latency_seconds=value, wall_seconds=value + 0.1)
        for index, (name, value) in enumerate(latencies.items())
    )
    result = RunResult(
        id=run_id(),
        journey=of.journey,
        status="passed",
        started_at=NOW,
        ended_at=NOW,
        duration_seconds=sum(latencies.values()) + 1,
        location="x",
        steps=steps,
        environment=Environment(browser="chromium 156", base_url=of.base_url, runner="1", platform="Linux"),
    )
    return RunEnded(result=replace(result, **changed), folder=Path("/runs") / result.id)


def failed(of: Plan, status: str = "failed") -> RunEnded:
    """A run that has not."""
    failure = Failure(kind="assertion" if status == "failed" else "crash", message="it is not there\nat all", step="pay")
    return run(of, {"open": 0.1}, status=status, failure=failure)


def sides(candidate: float, reference: float, noise: float = 0.0) -> Made:
    """A site on which every step takes so long, and one on which it takes so long; in turn a bit more and a bit less."""
    counts = {CANDIDATE: 0, REFERENCE: 0}

    def made(of: Plan) -> RunEnded:
        base = of.base_url or CANDIDATE
        counts[base] += 1
        shift = noise if counts[base] % 2 else -noise
        value = (candidate + shift) if base == CANDIDATE else (reference - shift)
        return run(of, {"open": value + counts[base] / 1e6, "pay": value + counts[base] / 1e6})

    return made


def one_after_the_other(*runs: Callable[[Plan], RunEnded]) -> Made:
    """Each run in its turn; the last again and again."""
    waiting: Iterator[Callable[[Plan], RunEnded]] = iter(runs)
    last = [runs[-1]]

    def made(of: Plan) -> RunEnded:
        last[0] = next(waiting, last[0])
        return last[0](of)

    return made


def check(folder: Path, made: Made, names: tuple[str, ...] = ("buy",), **question: Any) -> tuple[SmokeResult, list[Round]]:
    """A whole smoke check of these runs; its rounds."""
    asked = Question(**{"warm_up": 0, "rule": QUICK, "base_url": CANDIDATE, **question})
    begun = Check(asked, journeys(folder, *names))
    rounds: list[Round] = []
    begun.measure(made, rounds.append)
    return verdict.result(begun, run_id(), NOW), rounds
