"""One journey while it is measured: its runs so far, on one side or on both, and what was decided of its steps."""

import math
from collections.abc import Iterable

from reports.compare import Comparison
from reports.smoke.baseline import JourneyBaseline
from reports.smoke.result import AccessibilityCheck, PictureCheck
from runner import measures
from runner.dsl.journey import Journey
from runner.dsl.plan import Plan
from runner.events import RunEnded
from runner.result import RunResult

Figures = dict[str, tuple[float, ...]]
WHOLE = ""
"""The name under which the journey as a whole is compared: all its steps together."""


class Measurement:
    """Grows by a round at a time."""

    def __init__(
        self, journey: Journey, plan: Plan, reference: Plan | None = None, saved: JourneyBaseline | None = None
    ) -> None:
        """`reference` is the same run on the other site, `saved` what an earlier check has measured; not both."""
        self.journey = journey
        self.plan = plan
        self.reference = reference
        self.saved = saved
        self.warm_ups: list[RunEnded] = []
        self.candidate: list[RunEnded] = []
        self.baseline: list[RunEnded] = []
        self.pairs: list[tuple[RunResult, RunResult]] = []
        """The rounds in which both sides have passed."""
        self.comparisons: dict[str, Comparison] = {}
        """By step; that of the whole journey as WHOLE."""
        self.orders: list[bool] = []
        """Of each pictured round, whether the candidate went first."""
        self.pictures: dict[str, PictureCheck] = {}
        """By step; compared once all rounds are over."""
        self.accessibility: dict[str, AccessibilityCheck] = {}
        """By step; compared once all rounds are over."""
        self.coverage_run: RunEnded | None = None
        """A run with coverage, which does not count."""
        self.profile_run: RunEnded | None = None
        """A run with a CPU profile, which does not count."""
        self.open = True
        """Whether it is to be measured further."""

    @property
    def compared(self) -> bool:
        """Whether there is something to compare with."""
        return self.reference is not None or self.saved is not None

    def add(self, candidate: RunEnded, baseline: RunEnded | None) -> None:
        """Takes the runs of one round."""
        self.candidate.append(candidate)
        if baseline is not None:
            self.baseline.append(baseline)
            if candidate.result.status == baseline.result.status == "passed":
                self.pairs.append((candidate.result, baseline.result))

    @property
    def runs(self) -> list[RunEnded]:
        """All that count, of both sides."""
        return [*self.candidate, *self.baseline]

    @property
    def bad(self) -> RunEnded | None:
        """The run of the candidate that says why it has not passed: the first that failed, else the first with an error."""
        return _first(self.candidate, "failed") or _first(self.candidate, "error")

    @property
    def bad_baseline(self) -> RunEnded | None:
        """The first run on the reference site that has not passed."""
        return next((one for one in self.baseline if one.result.status != "passed"), None)

    @property
    def decided(self) -> list[bool]:
        """Of each step that is compared, whether its outcome is known. The whole journey is not waited for."""
        return [one.outcome != "undecided" for name, one in self.comparisons.items() if name != WHOLE]

    @property
    def whole(self) -> tuple[Figures, Figures]:
        """The journey's own figures, of the candidate and of the baseline."""
        baseline = self.saved.whole if self.saved else measures.gather_values(map(measures.measure_run, _passed(self.baseline)))
        return measures.gather_values(map(measures.measure_run, _passed(self.candidate))), baseline

    @property
    def steps(self) -> dict[str, tuple[Figures, Figures]]:
        """Each step's figures, of the candidate and of the baseline, which has none of a step that it lacks."""
        candidate = _steps(_passed(self.candidate))
        baseline = self.saved.steps if self.saved else _steps(_passed(self.baseline))
        for name, picture in self.pictures.items():
            if name in candidate and picture.outcome in {"same", "different"}:
                candidate[name] = candidate[name] | {"picture": (picture.share,)}
        if self.coverage_run is not None:
            for name, found in _steps(_passed([self.coverage_run])).items():
                unused = {figure: found[figure] for figure in measures.UNUSED if figure in found}
                candidate[name] = candidate.get(name, {}) | unused
        return {name: (candidate.get(name, {}), baseline.get(name, {})) for name in (*candidate, *_others(baseline, candidate))}

    def latencies(self) -> dict[str, tuple[list[float], list[float]]]:
        """What is to be compared of each step: the baseline's and the candidate's latencies; in pairs, if measured in pairs.

        With two steps or more, their sum is compared too, as WHOLE: it is steadier than any of them.
        """
        found = {name: both for name, both in self._latencies_of_steps().items() if all(both)}
        if len(found) > 1:
            whole = self._latencies_of_walks(set(found))
            found |= {WHOLE: whole} if all(whole) else {}
        return found

    def _latencies_of_walks(self, compared: set[str]) -> tuple[list[float], list[float]]:
        """The sums over all steps, of the baseline's walks and of the candidate's. A walk of fewer steps would seem quicker."""
        if self.saved is not None:
            same = set(self.saved.steps) == set(self.steps) == compared
            return (_latency(self.saved.whole), _latency(self.whole[0])) if same else ([], [])
        both: tuple[list[float], list[float]] = ([], [])
        for candidate, baseline in self.pairs:
            new, old = _steps([candidate]), _steps([baseline])
            if compared <= set(new) & set(old):
                for sums, walk in zip(both, (old, new), strict=True):
                    sums.append(math.fsum(value for name in compared for value in _latency(walk[name])))
        return both

    def _latencies_of_steps(self) -> dict[str, tuple[list[float], list[float]]]:
        if self.saved is not None:
            found = {name: (_latency(baseline), _latency(candidate)) for name, (candidate, baseline) in self.steps.items()}
        else:
            found = {}
            for candidate, baseline in self.pairs:
                new, old = _steps([candidate]), _steps([baseline])
                for name in new:
                    if "latency" in new[name] and "latency" in old.get(name, {}):
                        both = found.setdefault(name, ([], []))
                        both[0].extend(old[name]["latency"])
                        both[1].extend(new[name]["latency"])
        return found

    def budget(self, step: str) -> float | None:
        """The budget that the journey itself has given to a step."""
        ran = (one for ended in reversed(self.candidate) for one in ended.result.steps if one.name == step)
        return next((one.budget_seconds for one in ran if one.budget_seconds is not None), None)


def _steps(runs: Iterable[RunResult]) -> dict[str, Figures]:
    found: dict[str, list[dict[str, float]]] = {}
    for run in runs:
        for step in run.steps:
            if step.status == "passed":
                found.setdefault(step.name, []).append(measures.measure_step(step))
    return {name: measures.gather_values(measured) for name, measured in found.items()}


def _passed(runs: Iterable[RunEnded]) -> Iterable[RunResult]:
    return (one.result for one in runs if one.result.status == "passed")


def _first(runs: Iterable[RunEnded], status: str) -> RunEnded | None:
    return next((one for one in runs if one.result.status == status), None)


def _others(names: Iterable[str], known: Iterable[str]) -> list[str]:
    return [name for name in names if name not in set(known)]


def _latency(measured: Figures) -> list[float]:
    return list(measured.get("latency", ()))
