"""Requests for runs, as the dashboard stores them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from runner.archive.run_id import run_id
from runner.store import Store
from runner.store.scheduling.requested_runs import NewRequest, RunRequest, WantedRun, read_events, read_results


def ask(store: Store, *journeys: str, location: str = "local", seconds: float = 120.0, **more: Any) -> RunRequest:
    """Asks for a run of each journey."""
    now = datetime.now(UTC)
    runs = tuple(WantedRun(run_id(), name, location) for name in journeys)
    request = NewRequest(id=run_id(), who="ada", reason="demand", runs=runs, deadline=now + timedelta(seconds=seconds))
    return store.requested_runs.add(replace(request, **more), now)


def events(store: Store, request: RunRequest) -> str:
    """What has happened in its runs, as JSON."""
    with store.snapshot() as connection:
        return "".join(data for _, _, data in read_events(connection, {run.id: 0 for run in request.runs}))


def results(store: Store, request: RunRequest) -> dict[str, str]:
    """The results of its runs, as JSON."""
    with store.snapshot() as connection:
        return read_results(connection, [run.id for run in request.runs])
