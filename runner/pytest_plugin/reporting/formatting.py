"""A journey's failure and its steps as text for pytest's terminal."""

from pathlib import Path

from runner.result import Failure, StepResult, status_of

MARKS = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "–", "cancelled": "○"}


def format_heading(failure: Failure) -> str:
    """The first line: which step failed, and whether the site or the monitor is at fault.

    >>> format_heading(Failure(kind="timeout", message="", step="pay"))
    "step 'pay' failed (timeout)"
    >>> format_heading(Failure(kind="browser", message=""))
    'the journey ended with an error of the monitor, not of the site (browser)'
    """
    who = "the journey" if failure.step is None else f"step {failure.step!r}"
    if status_of(failure) == "failed":
        return f"{who} failed ({failure.kind})"
    return f"{who} ended with an error of the monitor, not of the site ({failure.kind})"


def format_failure(failure: Failure) -> list[str]:
    """The message, then the journey's line and the page's address."""
    lines = failure.message.splitlines()
    if failure.file is not None:
        file = Path(failure.file)
        shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
        lines.append(f"at {shown}:{failure.line}: {failure.code or ''}".rstrip(": "))
    if failure.url:
        lines.append(f"on {failure.url}")
    return lines


def format_step(step: StepResult) -> str:
    """A step with its times."""
    line = f"  {MARKS[step.status]} {step.name}"
    if step.latency_seconds is None:
        return f"{line}  {step.status}"
    line += f"  {step.latency_seconds:.3f} s  (wall {step.wall_seconds:.3f} s)"
    return f"{line}  over its budget of {step.budget_seconds:.3f} s" if step.over_budget else line
