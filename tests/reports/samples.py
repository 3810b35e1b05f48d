"""Smoke results and runs that tests make reports of: one for each thing that can come out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from msgspec.structs import replace

from reports.compare import Comparison, Rule
from reports.compare.comparison import Outcome
from reports.smoke.result import BaselineSource, BudgetCheck, JourneyCheck, SmokeResult, StepCheck, Verdict
from runner.archive.archive import Saved
from runner.result import Artifact, Environment, Failure, RunResult, StepResult

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SMOKE = "01b80000-0000-7000-8000-000000000001"
RUN = "01b80000-0000-7000-8000-0000000000aa"
MADE_WITH = Environment(
    runner="0.1.0", playwright="1.65.2", browser="chromium 156", base_url="https://next.shop.example", python="3.11.7"
)
FAILURE = Failure(
    kind="assertion",
    message="Locator expected to be visible\nActual value: None",
    step="pay",
    file="/repo/journeys/buy.py",
    line=14,
    code='expect(page.get_by_role("heading", name="Thank you")).to_be_visible()',
    url="https://next.shop.example/checkout",
)


def latencies(middle: float, count: int = 12, seed: int = 1) -> tuple[float, ...]:
    """Values around `middle`, always the same."""
    random = Random(seed)
    return tuple(round(middle * random.lognormvariate(0, 0.06), 6) for _ in range(count))


def step(
    name: str,
    middle: float = 0.12,
    *,
    before: float | None = None,
    outcome: Outcome = "same",
    count: int = 12,
    budgets: Sequence[BudgetCheck] = (),
    note: str = "",
) -> StepCheck:
    """A step whose latencies lie around `middle`; `before` is the baseline's."""
    values = latencies(middle, count)
    comparison = None
    old: tuple[float, ...] = ()
    if before is not None:
        old = latencies(before, count, seed=2)
        ratio = median(values) / median(old)
        comparison = Comparison(
            outcome=outcome,
            test="rank-sum",
            runs=(count, count),
            baseline_seconds=median(old),
            candidate_seconds=median(values),
            ratio=ratio,
            interval=(ratio * 0.95, ratio * 1.06),
            effect=0.4,
            p_slower=0.002,
            p_faster=0.9,
            p_changed=0.8,
        )
    figures = {"latency": values, "ttfb": tuple(one / 3 for one in values), "bytes": (13_400.0,) * count}
    return StepCheck(
        name=name,
        figures=figures,
        baseline_figures={"latency": old} if old else {},
        comparison=comparison,
        budgets=tuple(budgets),
        note=note,
    )


def budget(value: float | None, bound: float = 0.1, figure: str = "latency", where: str = "budgets.latency") -> BudgetCheck:
    """A budget on a p95; missed when the value is above the bound."""
    return BudgetCheck(
        figure=figure, statistic="p95", bound=bound, value=value, missed=value is None or value > bound, where=where
    )


def check(name: str, verdict: Verdict = "passed", *steps: StepCheck, **fields: Any) -> JourneyCheck:
    """A journey of a smoke check."""
    return JourneyCheck(
        name=name,
        verdict=verdict,
        file="/repo/journeys/buy.py",
        line=6,
        description="A customer buys a tea.",
        steps=steps or (step("open the shop", before=0.12), step("pay", 0.4, before=0.4)),
        runs=tuple(f"01b80000-0000-7000-8000-{number:012d}" for number in range(12)),
        **fields,
    )


def smoke(verdict: Verdict, *checks: JourneyCheck, **fields: Any) -> SmokeResult:
    """A smoke check."""
    values: dict[str, Any] = {
        "id": SMOKE,
        "verdict": verdict,
        "started_at": NOON,
        "ended_at": NOON + timedelta(seconds=61.5),
        "base_url": "https://next.shop.example",
        "location": "ci",
        "rule": Rule(floor_seconds=0.02),
        "warm_up": 1,
        "journeys": checks,
        "environment": MADE_WITH,
        "baseline": BaselineSource(kind="saved", name="main", made_at=NOON - timedelta(days=3), environment=MADE_WITH),
    }
    return SmokeResult(**values | fields)


FAILED = check(
    "buy", "failed", failure=FAILURE, failed_run=RUN, failed_folder="/repo/runs/buy/x", trace="/repo/runs/buy/x/trace.zip"
)
SLOWER = check("buy", "missed", step("open the shop", before=0.12), step("pay", 0.54, before=0.4, outcome="slower"))
OVER = check(
    "buy",
    "missed",
    step("open the shop", budgets=[budget(0.31, 0.125, where="/repo/journeys/buy.py:9"), budget(0.06, 0.2, "ttfb")]),
    whole=StepCheck(name="", figures={"duration": latencies(0.9)}, budgets=(budget(1.4, 1.2, "duration", "budgets.duration"),)),
)
UNSURE = check("buy", "passed", step("pay", 0.42, before=0.39, outcome="undecided"), contended_runs=3, flaky_runs=(RUN,))
LONG = "a name that nobody would give to a step, but somebody does, because it is made from a sentence of the tester " * 2

SMOKES: dict[str, SmokeResult] = {
    "passed": smoke("passed", check("buy"), check("search")),
    "failed": smoke("failed", FAILED, check("search")),
    "monitor": smoke(
        "error",
        check(
            "buy",
            "error",
            step("open the shop"),
            failure=Failure(kind="browser", message="the browser was gone"),
            failed_run=RUN,
            failed_side="baseline",
        ),
    ),
    "slower": smoke("missed", SLOWER),
    "over": smoke("missed", OVER, baseline=None),
    "undecided": smoke("passed", UNSURE),
    "undecided fails": smoke("missed", replace(UNSURE, verdict="missed"), fail_undecided=True),
    "no baseline": smoke("passed", check("buy", "passed", step("open the shop", budgets=[budget(0.13, 0.5)])), baseline=None),
    "no step of that name": smoke("passed", check("buy", "passed", step("new", note="the baseline has no step of this name"))),
    "never measured": smoke("missed", check("buy", "missed", step("open", budgets=[budget(None, 0.2, "lcp")]))),
    "nothing": smoke("passed"),
    "no steps": smoke("failed", JourneyCheck(name="bare", verdict="failed")),
    "long": smoke(
        "missed",
        check(
            "a_journey_with_a_name_that_has_no_end_" * 4,
            "missed",
            step(LONG, 0.54, before=0.4, outcome="slower", budgets=[budget(0.6, 0.5)]),
        ),
    ),
    "forty": smoke(
        "missed",
        check("buy", "missed", step("pay", 0.54, before=0.4, outcome="slower", count=40), step("go", before=0.12, count=40)),
        notes=("the machine had 2 processors",),
    ),
}


def run(status: Any = "passed", folder: Path = Path("/repo/runs/buy/x"), **fields: Any) -> Saved:
    """A saved run of three steps; one that did not pass stopped at the second."""
    steps = [
        StepResult(name="open the shop", index=0, status="passed", latency_seconds=0.2, wall_seconds=0.3, budget_seconds=0.5),
        StepResult(name="pay", index=1, status="passed", latency_seconds=0.4, wall_seconds=0.6),
        StepResult(name="leave", index=2, status="passed", latency_seconds=0.1, wall_seconds=0.1),
    ]
    failure = None
    artifacts: tuple[Artifact, ...] = ()
    if status in {"failed", "error"}:
        failure = FAILURE if status == "failed" else Failure(kind="browser", message="the browser was gone", step="pay")
        steps[1:] = [
            replace(steps[1], status=status, failure=failure),
            replace(steps[2], status="skipped", latency_seconds=None, wall_seconds=None),
        ]
        artifacts = (
            Artifact(kind="trace", path="trace.zip", bytes=1000),
            Artifact(kind="screenshot", path="screenshots/pay.png", bytes=1000, step="pay"),
        )
    values: dict[str, Any] = {
        "id": RUN,
        "journey": "buy",
        "status": status,
        "started_at": NOON,
        "ended_at": NOON,
        "duration_seconds": 1.2,
        "location": "ci",
        "steps": tuple(steps),
        "failure": failure,
        "artifacts": artifacts,
        "environment": MADE_WITH,
    }
    return Saved(RunResult(**values | fields), folder)


RUNS: dict[str, list[Saved]] = {
    "passed": [run()],
    "failed": [run("failed")],
    "monitor": [run("error")],
    "over budget": [
        run(
            steps=(StepResult(name="pay", index=0, status="passed", latency_seconds=0.9, wall_seconds=1.0, budget_seconds=0.5),)
        )
    ],
    "no step": [
        run("error", steps=(), failure=Failure(kind="browser", message="the browser could not be started"), artifacts=())
    ],
    "cancelled": [run("cancelled", steps=(), notes=("it waited longer than max_delay",))],
    "flaky": [run(attempts=2)],
    "several": [
        run("failed"),
        run(id="01b80000-0000-7000-8000-0000000000bb"),
        run("error", id="01b80000-0000-7000-8000-0000000000cc", journey="search"),
    ],
    "none": [],
}
