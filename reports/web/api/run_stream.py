"""`/runs/requests/ID/events`: what happens in requested runs, as server-sent events (WHATWG HTML, 9.2) that can be resumed.

Each event has as its id how many events of each run were sent, so that any server can go on where another has ended.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from reports.web.access.session_watch import SessionWatch
from reports.web.render.problem import render_database_down, render_problem
from reports.web.site import Site
from reports.web.view_models.requested_runs import RequestData, read_request
from runner.store import StoreDown
from runner.store.queries.requested_runs import read_events, read_results
from runner.store.scheduling.requested_runs import RequestedRun

LOOK = 0.5
"""Seconds between two looks at the store."""
QUIET = 10.0
"""Seconds after which a comment keeps the connection alive."""
MOST = 50
"""Streams at a time of one server; further ones get 503 with Retry-After."""
OVER = "over"
"""The id of the last event."""
PATH = "/runs/requests/{request}/events"
SUMMARY = (
    "What happens in requested runs, as server-sent events: `moment` (a run, attempt or step begins or ends), `result` (that of a run), "
    "`run` (one that was not made), at last `verdict`; goes on after the header Last-Event-ID"
)
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_ID = re.compile(r"\d{1,6}r?(\.\d{1,6}r?)*")


class _Progress(Struct):
    """How many events of a run a follower has, and whether its end."""

    sent: int = 0
    ended: bool = False


class _Batch(Struct):
    """What is new: kind and content of each event, with the run whose it is."""

    request: RequestData
    events: list[tuple[str, str, str]]


def stream_route(site: Site, path: str) -> Route:
    """The route of the streams."""
    followers: set[object] = set()

    async def answer(request: Request) -> Response:
        last = request.headers.get("last-event-id", "")
        if last == OVER:
            # A browser that has everything comes no more (9.2.2).
            return Response(None, 204)
        if len(followers) >= MOST:
            return PlainTextResponse(f"{MOST} followers are connected already", 503, headers={"Retry-After": "5"})
        name = request.path_params["request"]
        try:
            first = await run_in_threadpool(_read, site, name, {})
        except StoreDown as error:
            return render_database_down(request, error)
        if first is None:
            return render_problem(request, 404, f"request {name[:100]!r} does not exist.")
        progress = _parse(last, first.request)
        return StreamingResponse(_follow(site, request, progress, followers), media_type="text/event-stream", headers=HEADERS)

    return Route(path, answer)


async def follow_page(site: Site, request: Request) -> AsyncIterator[str]:
    """For the page about a request: `changed` whenever it has news (as `/events` does for other pages)."""
    progress: dict[str, _Progress] = {}
    states: object = None
    yield "retry: 5000\n\n"
    while not site.stopping() and not await request.is_disconnected():
        try:
            batch = await run_in_threadpool(_read, site, request.path_params["request"], progress)
        except StoreDown:
            await asyncio.sleep(QUIET / 2)
            continue
        if batch is None:
            return
        first = not progress
        for one in batch.request.runs:
            progress.setdefault(one.id, _Progress())
        for run, kind, _ in batch.events:
            _advance(progress[run], kind)
        now = [run.state for run in batch.request.runs]
        if not first and (batch.events or now != states):
            yield "event: changed\ndata: request\n\n"
        else:
            # A browser that has gone is noticed when something is sent.
            yield ":\n\n"
        states = now
        await asyncio.sleep(QUIET if batch.request.ended else 2 * LOOK)


async def _follow(site: Site, request: Request, progress: dict[str, _Progress], followers: set[object]) -> AsyncIterator[str]:
    mark = object()
    followers.add(mark)
    try:
        yield "retry: 1000\n\n"
        silent = 0.0
        watch: SessionWatch | None = request.scope.get("session_watch")
        while not site.stopping() and not await request.is_disconnected() and not (watch and await watch.is_over()):
            ended: RequestData | None = None
            events: list[tuple[str, str, str]] = []
            # While the database is away the connection is kept: it may be back soon.
            with suppress(StoreDown):
                batch = await run_in_threadpool(_read, site, request.path_params["request"], progress)
                if batch is None:
                    return
                events, ended = batch.events, batch.request if batch.request.ended else None
            for run, kind, data in events:
                _advance(progress[run], kind)
                yield f"id: {_format(progress)}\nevent: {kind}\ndata: {data}\n\n"
                silent = 0.0
            if ended is not None and all(one.ended for one in progress.values()):
                yield f"id: {OVER}\nevent: verdict\ndata: {msgspec.json.encode(ended).decode()}\n\n"
                return
            silent += LOOK
            if silent >= QUIET:
                silent = 0.0
                yield ":\n\n"
            await asyncio.sleep(LOOK)
    finally:
        followers.discard(mark)


def _read(site: Site, name: str, progress: dict[str, _Progress]) -> _Batch | None:
    """What a follower does not have yet; None if there is no such request."""
    with site.store.snapshot() as connection:
        request = read_request(connection, name, site.now())
        if request is None:
            return None
        new = [run for run in request.runs if run.id in progress and not progress[run.id].ended]
        found = read_events(connection, {run.id: progress[run.id].sent for run in new})
        results = read_results(connection, [run.id for run in new if run.state == "done"])
    events = [(run, "moment", data) for run, _, data in found]
    events += [end for run in new if (end := _end(run, results)) is not None]
    return _Batch(request, events)


def _end(run: RequestedRun, results: dict[str, str]) -> tuple[str, str, str] | None:
    if run.state in {"waiting", "claimed"}:
        return None
    if run.id in results:
        return run.id, "result", results[run.id]
    return run.id, "run", msgspec.json.encode(run).decode()


def _advance(progress: _Progress, kind: str) -> None:
    if kind == "moment":
        progress.sent += 1
    else:
        progress.ended = True


def _format(progress: dict[str, _Progress]) -> str:
    return ".".join(f"{one.sent}{'r' if one.ended else ''}" for one in progress.values())


def _parse(last: str, request: RequestData) -> dict[str, _Progress]:
    """How far a follower is; one with an id that is not of this request begins at the start."""
    parts = last.split(".") if _ID.fullmatch(last) else []
    if len(parts) != len(request.runs):
        return {run.id: _Progress() for run in request.runs}
    return {
        run.id: _Progress(int(part.removesuffix("r")), part.endswith("r"))
        for run, part in zip(request.runs, parts, strict=True)
    }


def describe_stream(parameters: list[dict[str, Any]], problems: dict[str, Any]) -> dict[str, Any]:
    """The operation, as OpenAPI has it."""
    header = {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "The id of the last event that was received.",
        "schema": {"type": "string", "maxLength": 1_000},
    }
    return {
        "operationId": "runs_requests_request_events",
        "summary": SUMMARY,
        "parameters": [*parameters, header],
        "responses": {
            "200": {
                "description": "The events.",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "204": {"description": "All events were received."},
            **problems,
        },
    }
