"""A run on the terminal while it happens: live where a person watches, plain lines where output is piped."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from reports.text.formatting import (
    COLOURS,
    MARKS,
    format_failure,
    format_seconds,
    format_status,
    format_step_name,
    list_over_budget,
)
from reports.text.missing_element import describe_missing, read_tree
from runner.events import AttemptStarted, Moment, RunEnded, RunStarted, StepEnded, StepStarted
from runner.result import Artifact, RunResult, StepResult
from runner.settings.sections.quarantine import describe_quarantine


class Spinners:
    """What is under way, as lines that turn at the end of a terminal; nothing where output is piped."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, Spinner] = {}
        self._live = Live(console=console, refresh_per_second=12, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def show(self, run: str, text: str) -> None:
        """Puts a run's line there, or another text in it."""
        self._running[run] = Spinner("dots", escape(text))
        self._update()

    def drop(self, run: str) -> None:
        """Takes a run's line away."""
        self._running.pop(run, None)
        self._update()

    def print(self, what: RenderableType) -> None:
        """Prints above the lines that turn."""
        self._console.print(what, soft_wrap=True)

    def _update(self) -> None:
        if self._live:
            self._live.update(Group(*self._running.values()))


class Progress(Spinners):
    """Listens to the moments of runs, of several at a time too, and prints each step as it ends."""

    def __call__(self, moment: Moment) -> None:
        """Shows one moment."""
        match moment:
            case RunStarted():
                self.show(moment.run, f"{moment.journey}: starting")
            case AttemptStarted() if moment.number > 1:
                self.print(Text(f"{moment.journey}  attempt {moment.number}", style="yellow"))
            case StepStarted():
                self.show(moment.run, f"{moment.journey}  {format_step_name(moment.name)}")
            case StepEnded():
                self.show(moment.run, f"{moment.journey}: next step")
                self.print(_step_line(moment.journey, moment.step))
            case RunEnded():
                self.drop(moment.result.id)
                self.print(format_end(moment))


def _step_line(journey: str, step: StepResult) -> Text:
    line = Text(f"{journey}  ")
    line.append(f"{MARKS[step.status]} {format_step_name(step.name)}", style=COLOURS[step.status])
    if step.status == "passed":
        line.append(f"  {format_seconds(step.latency_seconds)}", style="bold")
        line.append(f"  (wall {format_seconds(step.wall_seconds)})", style="dim")
        if step.over_budget:
            line.append(f"  over its budget of {format_seconds(step.budget_seconds)}", style="yellow")
    elif step.failure is not None:
        line.append(f"  {step.status} after {format_seconds(step.wall_seconds)}: {step.failure.message.splitlines()[0]}")
    return line


def format_end(moment: RunEnded) -> Text:
    """How a run has ended: its status, why it did not pass, what it was over."""
    result = moment.result
    text = Text(f"{result.journey}  ")
    text.append(f"{MARKS[result.status]} {format_status(result)}", style=f"bold {COLOURS[result.status]}")
    text.append(f" in {format_seconds(result.duration_seconds)}")
    if result.failure is not None:
        step = f"in step {format_step_name(result.failure.step)!r}: " if result.failure.step else ""
        tree = read_tree(result.failure, result.artifacts, moment.folder)
        lines = [step, *format_failure(result.failure)]
        sentence = describe_missing(result.failure, tree)
        lines = [step + sentence, *lines[1:]] if sentence else [step + lines[1], *lines[2:]]
        text.append("".join(f"\n    {line}" for line in lines))
        if moment.folder is not None and result.artifacts:
            text.append(f"\n    {format_artifacts(moment.folder, result.artifacts)}", style="dim")
    for line in list_over_budget(result):
        text.append(f"\n    {line}", style="yellow")
    for line in map(describe_quarantine, result.quarantine):
        text.append(f"\n    {line}", style="yellow")
    for note in result.notes:
        text.append(f"\n    note: {note}", style="yellow")
    return text


def format_artifacts(folder: Path, artifacts: Sequence[Artifact]) -> str:
    """The folder of a run, and what is in it, by kind."""
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    counts = Counter(one.kind for one in artifacts)
    kinds = ", ".join(kind if count == 1 else f"{count} × {kind}" for kind, count in counts.items())
    return f"{kinds} in {shown}"


def format_summary(results: Sequence[RunResult]) -> Table:
    """One row a run: status, steps passed of all, time, where it failed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("journey", "left"),
        ("status", "left"),
        ("steps", "right"),
        ("time", "right"),
        ("slowest step", "left"),
    ):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for result in results:
        passed = sum(step.status == "passed" for step in result.steps)
        timed = [step for step in result.steps if step.status == "passed" and step.latency_seconds is not None]
        slowest = max(timed, key=lambda step: step.latency_seconds or 0.0, default=None)
        table.add_row(
            escape(result.journey),
            Text(f"{MARKS[result.status]} {format_status(result)}", style=COLOURS[result.status]),
            f"{passed}/{len(result.steps)}",
            format_seconds(result.duration_seconds),
            escape(f"{format_step_name(slowest.name)} {format_seconds(slowest.latency_seconds)}") if slowest else "–",
        )
    return table
