"""A run as spans: run, attempts, steps, navigations, requests. Steps are stamped by the page clock.

Names of attributes are OpenTelemetry's semantic conventions where there are some (HTTP, URL, browser, test), else `journey.…`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from runner.result import SITE, Attempt, Failure, Navigation, Request, RunResult, Status, StepResult
from runner.telemetry.trace_ids import navigation_span_id, request_span_id, span_id, step_span_id

Value = str | bool | int | float
VITALS = ("ttfb", "fcp", "lcp", "inp", "cls")
FROM_NAVIGATION = {"ttfb", "fcp", "lcp"}
"""Vitals that are times since the navigation began; the others have none of their own."""


class SpanEvent(Struct, frozen=True):
    """Something that happened at a time within a span."""

    name: str
    at: datetime
    attributes: Mapping[str, Value]


class Span(Struct, frozen=True, kw_only=True):
    """A part of a run. Ids are hexadecimal."""

    id: str
    parent: str | None
    name: str
    kind: Literal["internal", "client"] = "internal"
    started_at: datetime
    ended_at: datetime
    attributes: Mapping[str, Value]
    events: tuple[SpanEvent, ...] = ()
    links: tuple[str, ...] = ()
    """Spans of the same trace."""
    error: str | None = None
    """The description of the status ERROR; None for any other status."""


def build_spans(result: RunResult) -> tuple[Span, ...]:
    """The spans of a run, the run's own first. Parts that did not run (skipped) have none."""
    # What is assumed of a run must not have the id that the run's own span has, should that come later.
    run = span_id(result.id, "assumed") if result.assumed else span_id(result.id)
    found = [
        Span(
            id=run,
            parent=None,
            name=f"journey {result.journey}",
            started_at=result.started_at,
            ended_at=max(result.ended_at, result.started_at),
            attributes={
                "test.case.name": result.journey,
                **_test_status(result.status),
                "journey.run.id": result.id,
                "journey.status": result.status,
                "journey.attempts": result.attempts,
                "journey.flaky": result.flaky,
                "journey.over_budget": result.over_budget,
                "journey.contended": result.contended,
                **({"journey.assumed": True} if result.assumed else {}),
                **({"journey.trigger": result.trigger} if result.trigger not in {"", "schedule"} else {}),
                **({"journey.base_url": result.environment.base_url} if result.environment.base_url else {}),
                **_fault(result.failure),
            },
            error=_error(result.failure, result.status),
        )
    ]
    for attempt, counts in () if result.assumed else _attempts(result):
        found += _attempt_spans(result.id, attempt, run, counts)
    return tuple(found)


def _attempts(result: RunResult) -> Iterator[tuple[Attempt, bool]]:
    """Each attempt, and whether it counts: the second look at a failure does not."""
    for attempt in result.earlier_attempts:
        yield attempt, True
    began = [step.started_at for step in result.steps if step.started_at is not None]
    started_at = min(began, default=result.started_at) if result.earlier_attempts else result.started_at
    ended_at = result.second_look.started_at if result.second_look else result.ended_at
    yield (
        Attempt(
            number=result.attempts,
            status=result.status,
            started_at=started_at,
            duration_seconds=max((ended_at - started_at).total_seconds(), 0.0),
            steps=result.steps,
            failure=result.failure,
        ),
        True,
    )
    if result.second_look is not None:
        yield result.second_look, False


def _attempt_spans(run: str, attempt: Attempt, parent: str, counts: bool) -> Iterator[Span]:
    own = span_id(run, "attempt", attempt.number)
    yield Span(
        id=own,
        parent=parent,
        name=f"attempt {attempt.number}" if counts else "second look",
        started_at=attempt.started_at,
        ended_at=attempt.started_at + timedelta(seconds=attempt.duration_seconds),
        attributes={
            "journey.attempt": attempt.number,
            "journey.status": attempt.status,
            "journey.counts": counts,
            **_fault(attempt.failure),
        },
        links=() if attempt.number == 1 else (span_id(run, "attempt", 1),),
        error=_error(attempt.failure, attempt.status),
    )
    for step in attempt.steps:
        if step.started_at is not None and step.status != "skipped":
            yield from _step_spans(run, attempt.number, step, step.started_at, own)


def _step_spans(run: str, attempt: int, step: StepResult, began: datetime, parent: str) -> Iterator[Span]:
    own = step_span_id(run, attempt, step.index)
    latency = step.latency_seconds or 0.0
    by_page = step.clock == "page"
    started_at = began + timedelta(seconds=max(step.cause_at_seconds - step.waited_seconds, 0.0) if by_page else 0.0)
    ended_at = started_at + timedelta(seconds=latency)
    attributes: dict[str, Value] = {
        "test.case.name": step.name,
        **_test_status(step.status),
        "journey.step.index": step.index,
        "journey.status": step.status,
        "journey.clock": step.clock,
        "journey.latency": latency,
        "journey.wall": step.wall_seconds or 0.0,
        "journey.requests.ok": step.requests.ok,
        "journey.requests.failed": step.requests.failed,
        "journey.transfer_bytes": step.requests.transfer_bytes,
        "journey.over_budget": step.over_budget,
        **({"journey.budget": step.budget_seconds} if step.budget_seconds is not None else {}),
        **({"journey.cause": step.cause} if step.cause else {}),
        **({"journey.ended_by": step.ended_by} if step.ended_by else {}),
        **_fault(step.failure),
    }
    yield Span(
        id=own,
        parent=parent,
        name=step.name,
        started_at=started_at,
        ended_at=ended_at,
        attributes=attributes,
        events=tuple(_events(step, began, ended_at)),
        error=_error(step.failure, step.status),
    )
    navigations = [
        Span(
            id=navigation_span_id(run, attempt, step.index, number),
            parent=own,
            name="navigation",
            kind="client",
            started_at=one.started_at,
            ended_at=one.started_at + timedelta(seconds=max(one.phases.get("total", 0.0), one.phases.get("ttfb", 0.0))),
            attributes=_of_navigation(one),
            events=tuple(_phases(one)),
            error=f"HTTP {one.status}" if (one.status or 0) >= 400 else None,
        )
        for number, one in enumerate(step.navigations)
    ]
    yield from navigations
    for number, request in enumerate(step.requests.entries):
        yield _request_span(
            request.span_id or request_span_id(run, attempt, step.index, number), request, began, navigations, own
        )


def _request_span(own: str, request: Request, step_began: datetime, navigations: Sequence[Span], step: str) -> Span:
    started_at = step_began + timedelta(seconds=request.at_seconds)
    # The newest document that was being loaded when it began; a document's own request may begin a little before it.
    slack = timedelta(milliseconds=5)
    within = [one for one in navigations if one.started_at - slack <= started_at <= one.ended_at]
    bad = request.failure or (f"HTTP {request.status}" if (request.status or 0) >= 400 else "")
    return Span(
        id=own,
        parent=within[-1].id if within else step,
        name=request.method,
        kind="client",
        started_at=started_at,
        ended_at=started_at + timedelta(seconds=request.duration_seconds),
        attributes={
            "http.request.method": request.method,
            **_address(request.url),
            **({"http.response.status_code": request.status} if request.status is not None else {}),
            **({"error.type": request.failure or str(request.status)} if bad else {}),
            "http.response.size": request.transfer_bytes,
            "journey.resource_type": request.kind,
        },
        error=bad or None,
    )


def _of_navigation(one: Navigation) -> dict[str, Value]:
    return {
        **_address(one.url),
        "browser.navigation.type": one.type,
        **({"http.response.status_code": one.status} if one.status is not None else {}),
        **({"error.type": str(one.status)} if (one.status or 0) >= 400 else {}),
        **({"network.protocol.name": one.protocol} if one.protocol else {}),
        "http.response.size": one.transfer_bytes,
        "journey.redirects": one.redirects,
    }


def _phases(one: Navigation) -> Iterator[SpanEvent]:
    for name in ("ttfb", "total"):
        if name in one.phases:
            at = one.started_at + timedelta(seconds=one.phases[name])
            yield SpanEvent({"ttfb": "first byte", "total": "load"}[name], at, {"journey.seconds": one.phases[name]})


def _events(step: StepResult, began: datetime, ended_at: datetime) -> Iterator[SpanEvent]:
    loaded = step.navigations[-1].started_at if step.navigations else None
    for name in VITALS:
        value = getattr(step.vitals, name)
        if value is not None:
            at = loaded + timedelta(seconds=value) if loaded is not None and name in FROM_NAVIGATION else ended_at
            yield SpanEvent("browser.web_vital", at, {"name": name, "value": value})
    for one in step.user_timing:
        at = began + timedelta(seconds=one.at_seconds)
        yield SpanEvent(one.kind, at, {"name": one.name, "journey.seconds": one.duration_seconds})
    for error in step.page_errors:
        yield SpanEvent("exception", ended_at, {"exception.message": error.message, **_address(error.url)})


def _address(url: str) -> dict[str, Value]:
    if not url:
        return {}
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return {"url.full": url}
    return {"url.full": url, **({"server.address": host} if host else {}), **({"server.port": port} if port else {})}


def _test_status(status: Status) -> dict[str, Value]:
    return {"test.case.result.status": {"passed": "pass", "failed": "fail"}[status]} if status in {"passed", "failed"} else {}


def _fault(failure: Failure | None) -> dict[str, Value]:
    """Whose fault it is: the site's, or the monitor's, which says nothing about the site."""
    if failure is None:
        return {}
    return {"error.type": failure.kind, "journey.fault": "site" if failure.kind in SITE else "monitor"}


def _error(failure: Failure | None, status: Status) -> str | None:
    if failure is not None:
        return failure.message.partition("\n")[0]
    return status if status in {"failed", "error"} else None
