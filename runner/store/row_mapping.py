"""Results as rows of the tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from runner.result import Artifact, Attempt, Failure, Navigation, RunResult, StepResult
from runner.store.tables.runs import PHASES, VITALS


def clean(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without the only character that a text in PostgreSQL cannot have."""
    return [
        {name: value.replace("\0", "\ufffd") if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]


def failure_columns(failure: Failure | None, step: bool = True) -> Mapping[str, str | None]:
    """The columns of a failure; all None without one."""
    columns = {"failure_kind": failure.kind if failure else None, "failure_message": failure.message if failure else None}
    return columns | ({"failure_step": failure.step if failure else None} if step else {})


def run_row(result: RunResult, folder: Path | None) -> dict[str, Any]:
    """A row of the table `runs`."""
    same = ("id", "journey", "location", "status", "flaky", "attempts", "slot_at", "delay_seconds", "started_at", "ended_at")
    load = result.load
    return {
        **{name: getattr(result, name) for name in (*same, "duration_seconds", "contended", "last_success_at")},
        **failure_columns(result.failure),
        "over_budget": result.over_budget,
        "cpu_busy": load.cpu_busy if load else None,
        "cpu_pressure": load.cpu_pressure if load else None,
        "runs_beside": load.runs_beside if load else None,
        "folder": str(folder) if folder else None,
        "tags": list(result.tags),
        "notes": list(result.notes),
        "environment": asdict(result.environment),
        "release": result.release,
        "set_aside": result.set_aside,
        "trigger": result.trigger,
        "browser": result.environment.engine,
    }


def attempt_row(run: str, attempt: Attempt) -> dict[str, Any]:
    """A row of the table `attempts`."""
    same = ("number", "status", "started_at", "duration_seconds")
    return {"run_id": run, **{name: getattr(attempt, name) for name in same}, **failure_columns(attempt.failure)}


def step_row(run: str, attempt: int, step: StepResult) -> dict[str, Any]:
    """A row of the table `steps`."""
    same = ("index", "name", "status", "started_at", "latency_seconds", "wall_seconds", "clock", "cause", "ended_by")
    return {
        "run_id": run,
        "attempt": attempt,
        **{name: getattr(step, name) for name in (*same, "budget_seconds")},
        **{vital: getattr(step.vitals, vital) for vital in VITALS},
        "requests_ok": step.requests.ok,
        "requests_failed": step.requests.failed,
        "transfer_bytes": step.requests.transfer_bytes,
        "page_errors": len(step.page_errors),
        **failure_columns(step.failure, step=False),
        "phases": step.phases or None,
    }


def navigation_row(step: int, loaded: Navigation) -> dict[str, Any]:
    """A row of the table `navigations`; `step` is the id of the row of its step."""
    same = ("url", "type", "started_at", "status", "protocol", "redirects", "transfer_bytes")
    return {
        "step_id": step,
        **{name: getattr(loaded, name) for name in same},
        **{phase: loaded.phases.get(phase) for phase in PHASES},
    }


def artifact_row(run: str, kept: Artifact) -> dict[str, Any]:
    """A row of the table `artifacts`."""
    return {"run_id": run, **asdict(kept)}
