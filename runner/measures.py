"""The figures of a step or a run that can have a bound, by name."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from runner.accessibility import IMPACTS, read_audit
from runner.result import RunResult, StepResult

Unit = Literal["seconds", "score", "count", "bytes", "share"]
FIGURES: dict[str, Unit] = {
    "latency": "seconds",
    "wall": "seconds",
    "duration": "seconds",
    "ttfb": "seconds",
    "fcp": "seconds",
    "lcp": "seconds",
    "inp": "seconds",
    "cls": "score",
    "requests": "count",
    "failed_requests": "count",
    "bytes": "bytes",
    "page_errors": "count",
    "picture": "share",
    **{f"axe.{impact}": "count" for impact in IMPACTS},
}
"""Every figure with its unit; docs/smoke.md says what each is."""
VITALS = ("ttfb", "fcp", "lcp", "inp", "cls")
OF_A_RUN = {"duration"}
"""Those that a step does not have."""
OF_A_STEP = {"picture"}
"""Those that a journey as a whole does not have. It is not measured in a run, but by comparing several: see docs/pictures.md."""


def measure_step(step: StepResult) -> dict[str, float]:
    """The figures of a step that has run; what it does not have, such as the `inp` of a step without input, is absent."""
    found: dict[str, float | None] = {
        "latency": step.latency_seconds,
        "wall": step.wall_seconds,
        **{name: getattr(step.vitals, name) for name in VITALS},
        "requests": step.requests.ok + step.requests.failed,
        "failed_requests": step.requests.failed,
        "bytes": step.requests.transfer_bytes,
        "page_errors": len(step.page_errors),
        **_count_violations(step),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def _count_violations(step: StepResult) -> dict[str, int]:
    audit = read_audit(step)
    return {f"axe.{impact}": audit.count(impact) for impact in IMPACTS} if audit and not audit.failed else {}


def measure_run(result: RunResult) -> dict[str, float]:
    """The figures of a run as a whole: its duration, the worst of its steps for vitals, the sum over them for the others."""
    steps = [measure_step(step) for step in result.steps if step.status == "passed"]
    found = {"duration": result.duration_seconds}
    for name in FIGURES:
        values = [one[name] for one in steps if name in one]
        if values:
            found[name] = max(values) if name in VITALS else math.fsum(values)
    return {name: found[name] for name in FIGURES if name in found}


def gather_values(measured: Iterable[Mapping[str, float]]) -> dict[str, tuple[float, ...]]:
    """Each figure's values over several steps or runs, in their order.

    >>> gather_values([{"latency": 1.0, "lcp": 0.5}, {"latency": 2.0}])
    {'latency': (1.0, 2.0), 'lcp': (0.5,)}
    """
    found: dict[str, list[float]] = {}
    for one in measured:
        for name, value in one.items():
            found.setdefault(name, []).append(value)
    return {name: tuple(found[name]) for name in FIGURES if name in found}


def percentile(values: Sequence[float], percent: int) -> float:
    """Between the two nearest values, linearly: type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([1.0, 2.0], 95), percentile([5.0], 99)
    (2.5, 1.95, 5.0)
    """
    ordered = sorted(values)
    at = (len(ordered) - 1) * percent / 100
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)
