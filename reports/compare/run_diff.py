"""Two runs of a journey compared: which step changed, by which phase, and which requests are new, gone, slower, bigger."""

from collections import defaultdict
from urllib.parse import urlsplit

from msgspec import Struct

from runner.result import Request, RunResult, StepResult

SLOWER = (1.5, 0.020)
"""A request is slower when it takes this many times as long, and this many seconds longer."""
BIGGER = (1.1, 1000)
"""A request is bigger when it brings this many times as much, and this many bytes more."""

WAITING = "waiting"
"""The part of a latency in which no document was loading: waiting for an element, a response, the page's own scripts."""


class RequestChange(Struct, frozen=True, kw_only=True):
    """A request that is `new`, `gone`, `slower` or `bigger` than in the first run."""

    what: str
    method: str
    url: str
    duration_seconds: tuple[float | None, float | None]
    transfer_bytes: tuple[int | None, int | None]
    status: tuple[int | None, int | None]


class StepChange(Struct, frozen=True, kw_only=True):
    """One step in both runs; None stands for a run that does not have it."""

    name: str
    status: tuple[str | None, str | None]
    latency_seconds: tuple[float | None, float | None]
    phase: str
    """The phase of its documents, or WAITING, that changed most; empty if none by a millisecond, or if one run did not walk the step."""
    phase_seconds: tuple[float, float]
    requests: tuple[RequestChange, ...]

    @property
    def difference(self) -> float | None:
        """Seconds that the second run's latency is longer."""
        before, after = self.latency_seconds
        return None if before is None or after is None else round(after - before, 6)


def compare_runs(before: RunResult, after: RunResult) -> list[StepChange]:
    """The steps of both runs, in the order of the second, then those that only the first has."""
    old = {step.name: step for step in before.steps}
    new = {step.name: step for step in after.steps}
    names = [*new, *(name for name in old if name not in new)]
    return [_compare_steps(name, old.get(name), new.get(name)) for name in names]


def _compare_steps(name: str, old: StepResult | None, new: StepResult | None) -> StepChange:
    phases = _sum_phases(old), _sum_phases(new)
    if not all(phases):
        phases = {}, {}  # One of the runs did not walk it: there is nothing to compare.
    both = {phase: (phases[0].get(phase, 0.0), phases[1].get(phase, 0.0)) for phase in {*phases[0], *phases[1]}}
    phase = max(both, key=lambda one: (abs(both[one][1] - both[one][0]), one), default="")
    if phase and abs(both[phase][1] - both[phase][0]) < 0.001:
        phase = ""
    return StepChange(
        name=name,
        status=(old.status if old else None, new.status if new else None),
        latency_seconds=(old.latency_seconds if old else None, new.latency_seconds if new else None),
        phase=phase,
        phase_seconds=both.get(phase, (0.0, 0.0)),
        requests=tuple(_compare_requests(old, new)) if old and new else (),
    )


def _sum_phases(step: StepResult | None) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for document in step.navigations if step else ():
        for phase, value in document.phases.items():
            if phase not in {"ttfb", "total"}:
                total[phase] += value
    if step is not None and step.latency_seconds is not None:
        total[WAITING] = max(step.latency_seconds - sum(total.values()), 0.0)
    return {phase: round(value, 6) for phase, value in total.items()}


def _compare_requests(old: StepResult, new: StepResult) -> list[RequestChange]:
    before, after = _requests_by_address(old), _requests_by_address(new)
    changes = []
    for key in dict.fromkeys([*after, *before]):
        olds, news = before.get(key, []), after.get(key, [])
        for index in range(max(len(olds), len(news))):
            one = olds[index] if index < len(olds) else None
            other = news[index] if index < len(news) else None
            shown = other or one
            what = _classify_change(one, other)
            if what and shown:
                changes.append(
                    RequestChange(
                        what=what,
                        method=shown.method,
                        url=shown.url,
                        duration_seconds=(one.duration_seconds if one else None, other.duration_seconds if other else None),
                        transfer_bytes=(one.transfer_bytes if one else None, other.transfer_bytes if other else None),
                        status=(one.status if one else None, other.status if other else None),
                    )
                )
    return changes


def _requests_by_address(step: StepResult) -> dict[tuple[str, str], list[Request]]:
    """By method and path: two runs may be of two hosts, and a query often holds what is new each time."""
    found: dict[tuple[str, str], list[Request]] = defaultdict(list)
    for request in step.requests.entries:
        found[request.method, urlsplit(request.url).path].append(request)
    return found


def _classify_change(old: Request | None, new: Request | None) -> str:
    if old is None or new is None:
        return "new" if old is None else "gone"
    if (old.status or 0) < 400 <= (new.status or 0) or (new.failure and not old.failure):
        return "failed"
    more = new.duration_seconds - old.duration_seconds
    if more >= SLOWER[1] and new.duration_seconds >= SLOWER[0] * old.duration_seconds:
        return "slower"
    grown = new.transfer_bytes - old.transfer_bytes
    return "bigger" if grown >= BIGGER[1] and new.transfer_bytes >= BIGGER[0] * old.transfer_bytes else ""
