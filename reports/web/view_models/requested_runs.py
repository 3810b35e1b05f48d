"""A request for runs: how far each run is, and the verdict when all have ended."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from runner.codec import decoder
from runner.events import Moment, StepEnded, StepStarted
from runner.result import RunResult, Status
from runner.store.queries.requested_runs import find_request_as_of, read_events, read_results
from runner.store.scheduling.requested_runs import Reason, RequestedRun, RunRequest

Verdict = Literal["passed", "failed", "error", "cancelled"]
_moments = decoder(Moment)
_results = msgspec.json.Decoder(RunResult)


class RequestData(Struct, frozen=True, kw_only=True):
    """A request for runs."""

    id: str
    who: str
    reason: Reason
    made_at: datetime
    deadline: datetime
    """A run that no scheduler has begun by then expires."""
    base_url: str | None
    release: str
    ended: bool
    verdict: Verdict | None
    """None until all runs have ended. `error` if one of them was not made, or the monitor itself failed."""
    runs: tuple[RequestedRun, ...]


class StepLine(Struct, frozen=True):
    """A step of a run, as far as it is known."""

    name: str
    status: Status | Literal["running"]
    seconds: float | None = None


class FollowedRun(Struct, frozen=True):
    """A run with its steps."""

    run: RequestedRun
    steps: tuple[StepLine, ...]
    message: str = ""


def describe_request(request: RunRequest) -> RequestData:
    """As the API has it."""
    names = [name for name in RequestData.__struct_fields__ if name not in {"ended", "verdict"}]
    values = {name: getattr(request, name) for name in names}
    return RequestData(**values, ended=request.ended, verdict=_verdict(request.runs) if request.ended else None)


def read_request(connection: Connection, request: str, now: datetime) -> RequestData | None:
    """A request by its id."""
    found = find_request_as_of(connection, request, now)
    return describe_request(found) if found is not None else None


def read_followed_runs(connection: Connection, request: RequestData) -> list[FollowedRun]:
    """The runs of a request with their steps so far."""
    ids = [run.id for run in request.runs]
    results = {run: _results.decode(text) for run, text in read_results(connection, ids).items()}
    events = read_events(connection, {run: 0 for run in ids if run not in results})
    moments: dict[str, list[Moment]] = {}
    for run, _, data in events:
        moments.setdefault(run, []).append(_moments.decode(data))
    return [_follow(run, results.get(run.id), moments.get(run.id, [])) for run in request.runs]


def _follow(run: RequestedRun, result: RunResult | None, moments: list[Moment]) -> FollowedRun:
    if result is not None:
        lines = tuple(StepLine(step.name, step.status, step.latency_seconds) for step in result.steps)
        return FollowedRun(run, lines, result.failure.message if result.failure else "")
    attempt = max((one.attempt for one in moments if isinstance(one, StepStarted | StepEnded)), default=1)
    found: dict[str, StepLine] = {}
    for one in moments:
        if isinstance(one, StepStarted) and one.attempt == attempt:
            found[one.name] = StepLine(one.name, "running")
        elif isinstance(one, StepEnded) and one.attempt == attempt:
            found[one.step.name] = StepLine(one.step.name, one.step.status, one.step.latency_seconds)
    return FollowedRun(run, tuple(found.values()), run.detail)


def _verdict(runs: tuple[RequestedRun, ...]) -> Verdict:
    if any(run.status == "failed" for run in runs):
        return "failed"
    if any(run.status == "error" or run.state in {"expired", "refused", "lost"} for run in runs):
        return "error"
    if any(run.state == "cancelled" or run.status in {"cancelled", "skipped"} for run in runs):
        return "cancelled"
    return "passed"
