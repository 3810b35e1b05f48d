"""How figures and statuses are formatted, in every report."""

import math

from runner.measures import FIGURES
from runner.result import Failure, Overrun, RunResult, Status
from runner.settings.sections.quarantine import describe_quarantine
from runner.untrusted_text import LONGEST_NAME, bounded, printable

MARKS: dict[Status, str] = {"passed": "✓", "failed": "✗", "error": "!", "skipped": "–", "cancelled": "○"}
COLOURS: dict[Status, str] = {"passed": "green", "failed": "red", "error": "magenta", "skipped": "dim", "cancelled": "yellow"}


def format_seconds(value: float | None) -> str:
    """Seconds to the millisecond; a dash where there are none."""
    return "–" if value is None else f"{value:.3f} s"


def format_step_name(name: str) -> str:
    """A step's name for one line of a terminal.

    >>> format_step_name("to the\\ncheckout")
    'to the checkout'
    """
    return printable(" ".join(bounded(name, LONGEST_NAME).splitlines()))


def format_size(count: int) -> str:
    """Bytes in the unit that leaves one to three digits.

    >>> format_size(900), format_size(13_400)
    ('900 B', '13.4 kB')
    """
    if count < 1000:
        return f"{count} B"
    for unit in ("kB", "MB", "GB"):
        count_in_unit = count / 1000 ** ("kB", "MB", "GB").index(unit) / 1000
        if count_in_unit < 1000 or unit == "GB":
            return f"{count_in_unit:.1f} {unit}"
    raise AssertionError("the loop always returns at its last unit")


def format_status(result: RunResult) -> str:
    """The run's status, with its flakiness, and whether what went wrong is in quarantine."""
    status = f"passed at attempt {result.attempts} (flaky)" if result.flaky else str(result.status)
    return f"{status}, in quarantine" if result.set_aside else status


def name_figure(figure: str) -> str:
    """A figure in words.

    >>> name_figure("failed_requests"), name_figure("third_party.bytes")
    ('failed requests', 'third party bytes')
    """
    return figure.replace("_", " ").replace(".", " ")


def format_figure(name: str, value: float | None) -> str:
    """A figure's value in its unit.

    >>> format_figure("lcp", 2.5), format_figure("bytes", 13_400.0), format_figure("cls", 0.1), format_figure("requests", 12.0)
    ('2.500 s', '13.4 kB', '0.100', '12')
    """
    if value is None or not math.isfinite(value):
        return "–"
    match FIGURES[name]:
        case "seconds":
            return format_seconds(value)
        case "bytes":
            return format_size(round(value))
        case "score":
            return f"{value:.3f}"
        case "count":
            return f"{value:g}"
        case "share":
            return format_share(value)


def format_share(value: float) -> str:
    """A share as a percentage; what is not nothing is not shown as nothing.

    >>> format_share(0.0), format_share(0.25), format_share(0.0042), format_share(0.0000042)
    ('0 %', '25 %', '0.42 %', 'under 0.01 %')
    """
    percent = value * 100
    if 0 < percent < 0.01:
        return "under 0.01 %"
    return f"{percent:.0f} %" if percent == 0 or percent >= 9.95 else f"{percent:.2g} %"


def format_overrun(one: Overrun) -> str:
    """A budget of the settings that was not kept."""
    return f"{name_figure(one.figure)} {format_figure(one.figure, one.value)} is over its budget of {format_figure(one.figure, one.bound)}"


def list_over_budget(result: RunResult) -> list[str]:
    """The steps that passed too slowly, then the budgets of the settings that the run is over, in words."""
    steps = [
        f"{step.name}: {format_seconds(step.latency_seconds)} is over its budget of {format_seconds(step.budget_seconds)}"
        for step in result.steps
        if step.over_budget
    ]
    return steps + [f"{one.step or 'the journey'}: {format_overrun(one)}" for one in result.overruns]


def list_ended_quarantine(result: RunResult) -> list[str]:
    """What was set aside, and counts again."""
    return [describe_quarantine(one) for one in result.quarantine if one.over]


def format_failure(failure: Failure) -> list[str]:
    """Why it failed: the message, then the journey's line and the page's address."""
    lines = failure.message.splitlines()
    if failure.file is not None:
        lines.append(f"at {failure.file}:{failure.line}: {failure.code or ''}".rstrip(": "))
    if failure.url:
        lines.append(f"on {failure.url}")
    return lines
