"""Why a run or a smoke check did not pass, one value per reason; JUnit, Markdown, annotations and pages show it, each in its form."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from reports.text.formatting import format_failure, format_overrun, format_seconds
from runner.result import Failure, Quarantine, RunResult
from runner.settings.sections.quarantine import describe_quarantine

Kind = Literal["failed", "error", "budget", "baseline", "picture", "accessibility"]
"""`failed`: the site · `error`: the monitor · `budget`, `baseline`: too slow · `picture`, `accessibility`: not as before."""
ORDER: tuple[Kind, ...] = ("failed", "error", "budget", "baseline", "picture", "accessibility")


class Problem(Struct, frozen=True, kw_only=True):
    """One reason."""

    journey: str
    step: str = ""
    """Empty for the journey as a whole."""
    kind: Kind
    message: str
    failure: Failure | None = None
    file: str | None = None
    line: int | None = None
    run: str | None = None
    """Id of the run that shows it."""
    folder: str | None = None
    trace: str | None = None
    """Path of that run's trace."""
    quarantine: str = ""
    """What sets it aside, so that it does not gate; empty for a problem that does."""

    @property
    def type(self) -> str:
        """The failure's kind, or what was missed."""
        return self.failure.kind if self.failure else self.kind

    @property
    def verdict(self) -> Literal["failed", "error", "missed"]:
        """What it makes of a smoke check."""
        return self.kind if self.kind in {"failed", "error"} else "missed"

    @property
    def summary(self) -> str:
        """The first line of the message."""
        return next(iter(self.message.splitlines()), "")

    @property
    def place(self) -> str:
        """Journey and step."""
        return f"{self.journey}, step “{self.step}”" if self.step else self.journey

    @property
    def text(self) -> str:
        """All there is to say: message, the journey's line, the page, the trace."""
        lines = [*([self.quarantine] if self.quarantine else []), *self.message.splitlines()]
        if self.failure is not None:
            lines += format_failure(self.failure)[len(self.failure.message.splitlines()) :]
        if self.trace:
            lines.append(f"trace: {self.trace}")
        if self.run:
            lines.append(f"see: journey show {self.run}")
        return "\n".join(lines)


def list_run_problems(result: RunResult, folder: Path | None = None) -> list[Problem]:
    """The reasons of one run, the one that ended it first; `folder` is where it is saved."""
    trace = next((one.path for one in reversed(result.artifacts) if one.kind == "trace"), None)
    shown = {
        "run": result.id,
        "folder": str(folder) if folder else None,
        "trace": str(folder / trace) if folder and trace else None,
        "quarantine": describe_held(result.quarantine) if result.set_aside else "",
    }
    found = []
    ended_by = None
    if result.status in {"failed", "error"}:
        ended_by = result.failure.step if result.failure else None
        kind: Kind = "failed" if result.status == "failed" else "error"
        message = result.failure.message if result.failure else f"the run is {result.status}, and does not say why"
        found.append(make_problem(result.journey, ended_by, kind, message, result.failure, **shown))
    for step in result.steps:
        if step.status in {"failed", "error"} and step.failure is not None and step.name != ended_by:
            kind = "failed" if step.status == "failed" else "error"
            found.append(make_problem(result.journey, step.name, kind, step.failure.message, step.failure, **shown))
        if step.over_budget:
            message = f"{format_seconds(step.latency_seconds)} is over its budget of {format_seconds(step.budget_seconds)}"
            found.append(make_problem(result.journey, step.name, "budget", message, None, **shown))
    found += [
        make_problem(result.journey, one.step, "budget", f"{format_overrun(one)} ({one.where})", None, **shown)
        for one in result.overruns
    ]
    return found


def describe_held(entries: Sequence[Quarantine]) -> str:
    """What sets a journey or its steps aside, in one line; empty if nothing does."""
    return "; ".join(describe_quarantine(one) for one in entries if not one.over)


def make_problem(journey: str, step: str | None, kind: Kind, message: str, failure: Failure | None, **shown: Any) -> Problem:
    """A problem, with the place of its failure."""
    return Problem(
        journey=journey,
        step=step or "",
        kind=kind,
        message=message,
        failure=failure,
        file=failure.file if failure else None,
        line=failure.line if failure else None,
        **shown,
    )
