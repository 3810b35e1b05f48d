"""The signals that the page agent collects beside the page clock, one row each: how they are decoded, kept and shown.

The other half of a row is in agent/src/journey/signals.js.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct, convert

from runner.accessibility import SIGNAL as AUDIT
from runner.accessibility import Audit, describe_audit
from runner.page.clock import Window
from runner.result import LongTask, StepResult, UserTiming
from runner.untrusted_text import LONGEST_NAME, tamed

PROFILED = 10
"""Functions of a CPU profile that reports list."""


class Signal(Struct, frozen=True, kw_only=True):
    """One signal."""

    name: str
    """Its name in the agent's messages."""
    field: str
    """Where a step's result has it: a field of `StepResult`, or else a key of its `signals`, which needs no field and no migration."""
    message: Any = None
    """The type of what the agent sends of one document. It may be the page's own scripts who speak: bound what numbers stand for.

    None for what the runner finds without the agent, and adds to a step itself (`Recorder.findings`).
    """
    find: Callable[[Sequence[Any], Window], Any] = lambda *_: None
    """From the messages of all documents to what belongs to a step, in seconds; texts of the page go through `tamed`."""
    describe: Callable[[Any], list[str]]
    """Lines about it for reports, from what the result has; of a key of `signals`, plain lists and tables."""
    slow: bool = False
    """Whether what it shows is slow, and highlighted."""


class TimingMessage(Struct, frozen=True):
    """A mark or a measure of the site's own."""

    kind: str
    name: str
    at: float
    duration: float


class TaskMessage(Struct, frozen=True):
    """A long task or long animation frame."""

    kind: str
    at: float
    duration: float
    blocking: float


def seconds(milliseconds: float) -> float:
    """Milliseconds as seconds, to the microsecond."""
    return round(milliseconds / 1000, 6)


def _find_user_timing(documents: Sequence[tuple[TimingMessage, ...]], window: Window) -> tuple[UserTiming, ...]:
    return tuple(
        UserTiming(
            name=tamed(one.name, LONGEST_NAME),
            kind="measure" if one.kind == "measure" else "mark",
            at_seconds=round(one.at / 1000 - window.start, 6),
            duration_seconds=seconds(one.duration),
        )
        for timings in documents
        for one in timings
        if one.at / 1000 in window
    )


def _find_long_tasks(documents: Sequence[tuple[TaskMessage, ...]], window: Window) -> tuple[LongTask, ...]:
    return tuple(
        LongTask(
            kind="long-task" if one.kind == "long-task" else "long-animation-frame",
            at_seconds=round(one.at / 1000 - window.start, 6),
            duration_seconds=seconds(one.duration),
            blocking_seconds=seconds(one.blocking),
        )
        for tasks in documents
        for one in tasks
        if one.at / 1000 in window
    )


def _describe_user_timing(found: Iterable[UserTiming]) -> list[str]:
    return [
        f"{one.kind} {one.name} at {one.at_seconds:.3f} s" + (f", {one.duration_seconds:.3f} s" if one.duration_seconds else "")
        for one in found
    ]


def _describe_long_tasks(found: Iterable[LongTask]) -> list[str]:
    return [f"{one.kind} of {one.duration_seconds:.3f} s at {one.at_seconds:.3f} s" for one in found]


def _describe_audit(found: Any) -> list[str]:
    return [describe_audit(convert(found, Audit))]


def _describe_cpu(found: Mapping[str, float]) -> list[str]:
    return [f"scripts ran for {found['script_seconds']:.3f} s, the main thread was busy for {found['task_seconds']:.3f} s"]


def _describe_coverage(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    words = {"script": "scripts", "style": "style sheets"}
    return [
        f"{words[kind]}: {one['unused_bytes'] / 1000:.1f} of {one['bytes'] / 1000:.1f} kB not used so far"
        for kind, one in found.items()
        if one["files"]
    ]


def _describe_profile(found: Mapping[str, Any]) -> list[str]:
    lines = [f"CPU profile: busy for {found['busy_seconds']:.3f} s; the busiest functions, by their own time:"]
    for one in found["functions"][:PROFILED]:
        served = f"{one['url']}:{one['line']}" if one["url"] else ""
        # A reader of the result may know where that is in the original code.
        place = f" {one['source']} ({served})" if one.get("source") else f" {served}".rstrip()
        lines.append(f"{one['self_seconds']:.3f} s, {one['total_seconds']:.3f} s in all: {one['function']}{place}")
    return lines


_ROWS = (
    Signal(
        name="userTimings",
        field="user_timing",
        message=tuple[TimingMessage, ...],
        find=_find_user_timing,
        describe=_describe_user_timing,
    ),
    Signal(
        name="longTasks",
        field="long_tasks",
        message=tuple[TaskMessage, ...],
        find=_find_long_tasks,
        describe=_describe_long_tasks,
        slow=True,
    ),
    Signal(name=AUDIT, field=AUDIT, describe=_describe_audit),
    Signal(name="cpu", field="cpu", describe=_describe_cpu),
    Signal(name="coverage", field="coverage", describe=_describe_coverage),
    Signal(name="cpuProfile", field="cpu_profile", describe=_describe_profile),
)
SIGNALS: dict[str, Signal] = {row.name: row for row in _ROWS}
"""The signals by their names."""


def _list_agents() -> dict[str, Signal]:
    """Those that the agent collects."""
    return {name: row for name, row in SIGNALS.items() if row.message is not None}


def decode_signals(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one document; those of another version's signals are left out. Raises msgspec.ValidationError."""
    known = _list_agents()
    return {name: msgspec.convert(value, known[name].message) for name, value in values.items() if name in known}


def find_signals(documents: Sequence[Mapping[str, Any]], window: Window) -> dict[str, Any]:
    """The fields of a step's result, from the decoded values of each document."""
    fields: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, row in _list_agents().items():
        found = row.find([values[name] for values in documents if name in values], window)
        if row.field in StepResult.__struct_fields__:
            fields[row.field] = found
        elif found:
            others[row.field] = found
    return {**fields, "signals": others} if others else fields


def describe_signals(step: StepResult) -> list[tuple[str, bool]]:
    """Lines about the signals of a step, each with whether it is to be highlighted."""
    lines = []
    for row in SIGNALS.values():
        own = row.field in StepResult.__struct_fields__
        others = step.signals if isinstance(step.signals, dict) else {}
        found = getattr(step, row.field) if own else others.get(row.field)
        lines += [(line, row.slow) for line in row.describe(found)] if found else []
    return lines
