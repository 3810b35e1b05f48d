"""One saved run as text, for `journey show`."""

from msgspec import UNSET
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from reports.text.accessibility import list_violations
from reports.text.formatting import COLOURS, MARKS, format_failure, format_seconds, format_size, format_status, format_step_name
from reports.text.missing_element import describe_missing, read_tree
from reports.text.weight_text import describe_weight
from runner.archive.archive import Saved
from runner.page.signals import describe_signals
from runner.result import Attempt, RunResult, StepResult

BAR = 16
NOTHING = {True: "nothing was loaded", False: "nothing was asked"}
"""What is said of a step without details; False for a check's."""
SLOWEST = 5
"""Requests of a step that are listed, the slowest first."""


def render_run(saved: Saved) -> RenderableType:
    """The run from top to bottom: status, steps with bars, what each loaded, failures, artifacts."""
    result = saved.result
    parts: list[RenderableType] = [_head(result), _steps(result)]
    parts += [_details(step) for step in result.steps if step.status not in {"skipped", "cancelled"}]
    if result.failure is not None:
        parts.append(_failure(saved))
    parts += [_earlier(attempt) for attempt in result.earlier_attempts]
    parts.append(_files(saved))
    return Group(*parts)


def _head(result: RunResult) -> Text:
    text = Text()
    text.append(f"{MARKS[result.status]} {result.journey}: {format_status(result)}", style=f"bold {COLOURS[result.status]}")
    text.append(f" in {format_seconds(result.duration_seconds)}\n")
    text.append(f"run {result.id}, {result.started_at:%Y-%m-%d %H:%M:%SZ}, location {result.location}", style="dim")
    text.append(f", release {result.release}" if result.release else "", style="dim")
    text.append(f", bundle {result.bundle[:12]}\n" if result.bundle else "\n", style="dim")
    environment = result.environment
    on = " on ".join(part for part in (environment.browser, environment.base_url) if part)
    text.append(f"{on}\n", style="dim")
    return text


def _steps(result: RunResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("step", "", "latency", "wall", "", "budget", "ended by"):
        table.add_column(heading, justify="right" if heading in {"latency", "wall", "budget"} else "left")
    longest = max((step.wall_seconds or 0.0 for step in result.steps), default=0.0) or 1.0
    for step in result.steps:
        colour = COLOURS[step.status]
        budget = (
            Text(format_seconds(step.budget_seconds), style="yellow" if step.over_budget else "") if step.budget_seconds else ""
        )
        ended_by = step.ended_by or ("stopwatch" if step.latency_seconds is not None else step.status)
        table.add_row(
            escape(format_step_name(step.name)),
            Text(MARKS[step.status], style=colour),
            format_seconds(step.latency_seconds),
            Text(format_seconds(step.wall_seconds), style="dim"),
            _bar(step, longest, colour),
            budget,
            ended_by,
        )
    return table


def _bar(step: StepResult, longest: float, colour: str) -> Text:
    latency = round(BAR * (step.latency_seconds or 0.0) / longest)
    wall = round(BAR * (step.wall_seconds or 0.0) / longest)
    return Text("█" * latency, style=colour) + Text("░" * max(wall - latency, 0), style="dim")


def _details(step: StepResult) -> Text:
    text = Text(f"\n{format_step_name(step.name)}", style="bold")
    lines: list[str] = []
    for navigation in step.navigations:
        phases = "  ".join(f"{name} {value * 1000:.0f}" for name, value in navigation.phases.items() if value)
        lines.append(f"{navigation.status or '–'} {navigation.url}  [{phases}] ms")
        lines += [
            f"server {one.name} {one.duration_seconds * 1000:.0f} ms {one.description}" for one in navigation.server_timing
        ]
    vitals = {name: getattr(step.vitals, name) for name in ("ttfb", "fcp", "lcp", "inp")}
    shown = [f"{name} {value * 1000:.0f} ms" for name, value in vitals.items() if value is not None]
    if step.vitals.cls is not None:
        shown.append(f"cls {step.vitals.cls:.3f}")
    if shown:
        lines.append("  ".join(shown))
    requests = step.requests
    if requests.ok or requests.failed:
        failed = f", {requests.failed} failed" if requests.failed else ""
        count = requests.ok + requests.failed
        lines.append(f"{count} {'request' if count == 1 else 'requests'}{failed}, {format_size(requests.transfer_bytes)}")
    lines += describe_weight(requests)
    lines += [f"failed: {one.method} {one.url} {one.status or one.failure}" for one in requests.failures]
    slowest = sorted(requests.entries, key=lambda one: -one.duration_seconds)[:SLOWEST]
    lines += [
        f"{one.duration_seconds * 1000:6.0f} ms  {one.status or one.failure or '–'}  {format_size(one.transfer_bytes):>8}  "
        f"{one.kind}  {one.method} {one.url}"
        for one in slowest
    ]
    if len(requests.entries) > SLOWEST:
        lines.append(f"and {len(requests.entries) - SLOWEST} faster ones, in report.html")
    if step.phases:
        lines.append("  ".join(f"{phase} {seconds * 1000:.1f} ms" for phase, seconds in step.phases.items()))
    lines += [line for line, _ in describe_signals(step)]
    lines += list_violations(step)
    lines += [f"page error: {error.message}" for error in step.page_errors]
    text.append("".join(f"\n  {line}" for line in lines or [NOTHING[step.phases is UNSET]]), style="not bold")
    return text


def _failure(saved: Saved) -> Text:
    result, failure = saved.result, saved.result.failure
    text = Text()
    if failure is not None:
        where = f" in step {failure.step!r}" if failure.step else ""
        text.append(f"\n{result.status}{where} ({failure.kind})", style=f"bold {COLOURS[result.status]}")
        sentence = describe_missing(failure, read_tree(failure, result.artifacts, saved.folder))
        lines = [sentence, *format_failure(failure)] if sentence else format_failure(failure)
        text.append("".join(f"\n  {line}" for line in lines))
    return text


def _earlier(attempt: Attempt) -> Text:
    text = Text(
        f"\nattempt {attempt.number}: {attempt.status} after {format_seconds(attempt.duration_seconds)}", style="yellow"
    )
    if attempt.failure is not None:
        text.append("".join(f"\n  {line}" for line in format_failure(attempt.failure)), style="default")
    return text


def _files(saved: Saved) -> Text:
    text = Text(f"\n{saved.folder}", style="bold")
    for artifact in saved.result.artifacts:
        text.append(f"\n  {artifact.kind}: {artifact.path} ({format_size(artifact.bytes)})", style="not bold")
    for note in saved.result.notes:
        text.append(f"\n  note: {note}", style="not bold yellow")
    return text
