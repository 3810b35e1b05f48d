"""The comparison of two runs as a terminal shows it."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from reports.compare.run_diff import StepChange, compare_runs
from reports.text.formatting import COLOURS, MARKS, format_seconds, format_size, format_status, format_step_name
from runner.result import RunResult


def render_run_diff(before: RunResult, after: RunResult) -> RenderableType:
    """The comparison as text."""
    changes = compare_runs(before, after)
    head = Text()
    for word, run in (("before", before), ("after", after)):
        head.append(f"{word:7}{run.id}  {run.started_at:%Y-%m-%d %H:%M:%SZ}  ", style="dim")
        head.append(f"{MARKS[run.status]} {format_status(run)}\n", style=COLOURS[run.status])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("step", "", "before", "after", "change", "most changed phase"):
        table.add_column(heading, justify="right" if heading in {"before", "after", "change"} else "left")
    for change in changes:
        table.add_row(
            escape(format_step_name(change.name)),
            _statuses(change),
            format_seconds(change.latency_seconds[0]),
            format_seconds(change.latency_seconds[1]),
            _difference(change),
            f"{change.phase} {format_seconds(change.phase_seconds[0])} → {format_seconds(change.phase_seconds[1])}"
            if change.phase
            else "",
        )
    return Group(head, table, *(_request_lines(change) for change in changes if change.requests))


def _statuses(change: StepChange) -> str:
    old, new = change.status
    if old == new:
        return new or ""
    return f"{old or 'not there'} → {new or 'not there'}"


def _difference(change: StepChange) -> Text:
    difference = change.difference
    if difference is None:
        return Text("–")
    before = change.latency_seconds[0] or 0.0
    share = f" ({difference / before:+.0%})" if before else ""
    return Text(f"{difference:+.3f} s{share}", style="red" if difference > 0.02 else "green" if difference < -0.02 else "dim")


def _request_lines(change: StepChange) -> Text:
    text = Text(f"\n{format_step_name(change.name)}", style="bold")
    for one in change.requests:
        old, new = one.duration_seconds
        figures = (
            f"{format_seconds(old)} → {format_seconds(new)}"
            if old is not None and new is not None
            else format_seconds(old if new is None else new)
        )
        before, after = one.transfer_bytes
        sizes = (
            f"{format_size(before)} → {format_size(after)}"
            if before is not None and after is not None
            else format_size((before or 0) + (after or 0))
        )
        text.append(f"\n  {one.what:7}{one.method} {one.url}  {figures}, {sizes}", style="not bold")
    return text
