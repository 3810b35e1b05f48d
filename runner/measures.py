"""The figures of a step or a run that can have a bound, by name."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from runner.accessibility import IMPACTS, read_audit
from runner.result import RunResult, StepResult, Weight, WeightType

Unit = Literal["seconds", "score", "count", "bytes", "share"]
_PARTIES = ("first", "third")
_REQUESTS_AND_BYTES: tuple[tuple[str, Unit], ...] = (("requests", "count"), ("bytes", "bytes"))
WEIGHTS: dict[str, Unit] = {
    "requests": "count",
    "bytes": "bytes",
    "decoded_bytes": "bytes",
    **{f"{part}.{what}": unit for part in get_args(WeightType) for what, unit in _REQUESTS_AND_BYTES},
    "script.decoded_bytes": "bytes",
    **{f"{part}_party.{what}": unit for part in _PARTIES for what, unit in _REQUESTS_AND_BYTES},
}
"""What a step receives: exact counts, which are the same in each run unless the site answers otherwise. See docs/weight.md."""
AMOUNTS = (*WEIGHTS, "script.cpu", "script.unused_bytes", "style.unused_bytes")
"""What is compared with a baseline beside the latency."""
CPU: dict[str, Unit] = {"script.cpu": "seconds", "task.cpu": "seconds"}
"""How long a page's main thread has run scripts, and anything; only where it is asked for."""
UNUSED: dict[str, Unit] = {"script.unused_bytes": "bytes", "style.unused_bytes": "bytes"}
"""What no page has used so far of what was loaded; only with coverage. Of a run it is that of its last step."""
FIGURES: dict[str, Unit] = {
    "latency": "seconds",
    "wall": "seconds",
    "duration": "seconds",
    "ttfb": "seconds",
    "fcp": "seconds",
    "lcp": "seconds",
    "inp": "seconds",
    "cls": "score",
    "failed_requests": "count",
    **WEIGHTS,
    **CPU,
    **UNUSED,
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
        **_weigh(step),
        **_read_instruments(step),
        "page_errors": len(step.page_errors),
        **_count_violations(step),
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def _count_violations(step: StepResult) -> dict[str, int]:
    audit = read_audit(step)
    return {f"axe.{impact}": audit.count(impact) for impact in IMPACTS} if audit and not audit.failed else {}


def _weigh(step: StepResult) -> dict[str, float | None]:
    """The figures by type and party; none of a result of an earlier version, which has no weight though it has requests."""
    weight = step.requests.weight
    if not weight and step.requests.ok + step.requests.failed:
        return {}
    found: dict[str, float | None] = {"decoded_bytes": _sum_decoded(weight)}
    for kind in get_args(WeightType):
        of_type = [one for one in weight if one.type == kind]
        found[f"{kind}.requests"] = sum(one.requests for one in of_type)
        found[f"{kind}.bytes"] = sum(one.transfer_bytes for one in of_type)
    found["script.decoded_bytes"] = _sum_decoded([one for one in weight if one.type == "script"])
    if all(one.party for one in weight):
        for party in _PARTIES:
            of_party = [one for one in weight if one.party == party]
            found[f"{party}_party.requests"] = sum(one.requests for one in of_party)
            found[f"{party}_party.bytes"] = sum(one.transfer_bytes for one in of_party)
    return found


def _read_instruments(step: StepResult) -> dict[str, float | None]:
    signals = step.signals if isinstance(step.signals, dict) else {}
    cpu, coverage = signals.get("cpu", {}), signals.get("coverage", {})
    return {
        "script.cpu": cpu.get("script_seconds"),
        "task.cpu": cpu.get("task_seconds"),
        **{f"{kind}.unused_bytes": coverage.get(kind, {}).get("unused_bytes") for kind in ("script", "style")},
    }


def _sum_decoded(weight: Sequence[Weight]) -> int | None:
    known = [one.decoded_bytes for one in weight if one.decoded_bytes is not None]
    return sum(known) if known or not weight else None


def measure_run(result: RunResult) -> dict[str, float]:
    """The figures of a run as a whole: its duration, the worst of its steps for vitals, the sum over them for the others."""
    steps = [measure_step(step) for step in result.steps if step.status == "passed"]
    found = {"duration": result.duration_seconds}
    for name in FIGURES:
        values = [one[name] for one in steps if name in one]
        if values:
            found[name] = max(values) if name in VITALS else values[-1] if name in UNUSED else math.fsum(values)
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
