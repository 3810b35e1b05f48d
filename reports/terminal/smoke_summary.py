"""A smoke check on the terminal, once it is done: the verdict first, then every journey and step, then what else to know."""

from collections.abc import Iterator

from msgspec.structs import replace
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from reports.compare import Outcome
from reports.smoke.result import BudgetCheck, JourneyCheck, SmokeResult, StepCheck, Verdict
from reports.text import smoke_text
from reports.text.accessibility import count_accessibility, describe_accessibility
from reports.text.amount_text import list_weight_lines
from reports.text.cost_text import list_block_remarks, list_columns, list_cost_rows, list_instrument_lines
from reports.text.formatting import format_failure, format_figure, format_seconds, format_step_name
from reports.text.headline import format_headline
from reports.text.smoke_problems import list_smoke_problems
from runner.installation import journey_command
from runner.measures import percentile

VERDICTS: dict[Verdict, str] = {"passed": "green", "failed": "red", "error": "magenta", "missed": "yellow"}
"""The colour of each."""
OUTCOMES: dict[Outcome, str] = {"faster": "green", "same": "green", "slower": "yellow", "undecided": "cyan"}


def render_smoke(result: SmokeResult) -> RenderableType:
    """All of it; the first line says what failed."""
    parts: list[RenderableType] = [Text(format_headline(result), style=f"bold {_colour(result)}")]
    parts += [
        Text(f"{one.verdict}: {one.place}: {one.summary}", style=VERDICTS[one.verdict])
        for one in list_smoke_problems(result)[1:]
    ]
    parts += [Text(), smoke_table(result)]
    parts += [_failure(one) for one in result.journeys if one.failure is not None and one.failed_run is not None]
    if pictures := smoke_text.count_pictures(result):
        parts.append(Text(f"\n{pictures}"))
    if accessibility := count_accessibility(result):
        parts.append(Text(f"\n{accessibility}"))
    parts += _costs(result)
    if found := [f"{one.name}, {line}" for one in result.journeys for line in list_instrument_lines(one)]:
        parts.append(Text("\n" + "\n".join(found)))
    if changes := [f"{one.name}, {line}" for one in result.journeys for line in list_weight_lines(one)]:
        parts.append(Text("\n" + "\n".join(["more or less than the baseline's:", *(f"  {line}" for line in changes)])))
    lines = list(_remarks(result))
    if lines:
        parts.append(Text("\n" + "\n".join(lines), style="yellow"))
    return Group(*parts)


def _costs(result: SmokeResult) -> Iterator[RenderableType]:
    """What blocked parts cost: a table, then what is to be known of them."""
    for check in result.journeys:
        if not check.blocked:
            continue
        yield Text(f"\nWhat it costs {check.name}, with it less without it:", style="bold")
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("", "step", *list_columns(check).values()):
            table.add_column(heading)
        for row in list_cost_rows(check):
            cells = [Text(text, style="yellow" if certain else "") for text, certain in row.cells]
            table.add_row(Text(row.name), Text(format_step_name(row.step)), *cells)
        yield table
        yield from (Text(remark, style="yellow") for remark in list_block_remarks(check))


def _colour(checked: SmokeResult | JourneyCheck) -> str:
    return OUTCOMES["undecided"] if smoke_text.style_verdict(checked) == "undecided" else VERDICTS[checked.verdict]


def smoke_table(result: SmokeResult) -> Table:
    """One row for each journey, with its duration, and one for each of its steps, with its latency."""
    compared = result.baseline is not None
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("")
    numbers = ["runs", "median", "p95", *(["baseline", "ratio"] if compared else [])]
    for heading in numbers:
        shown.add_column(heading, justify="right", no_wrap=True)
    if compared:
        shown.add_column(f"{result.rule.confidence * 100:g} %", no_wrap=True)
    shown.add_column("outcome")
    shown.add_column("budget")
    for one in result.journeys:
        verdict = Text(smoke_text.format_verdict(one), style=f"bold {_colour(one)}")
        duration = _medians(one.whole, "duration")
        comparison = [duration[2], "", ""] if compared else []
        shown.add_row(
            Text(one.name, style="bold"), str(len(one.runs)), *duration[:2], *comparison, verdict, _budgets(one.whole)
        )
        for step in one.steps:
            shown.add_row(f"  {escape(format_step_name(step.name))}", *_step(step, compared))
        if one.whole.comparison is not None:
            # Its budgets are in the journey's own row.
            shown.add_row(f"  {smoke_text.TOGETHER}", *_step(replace(one.whole, budgets=()), compared), style="italic")
    return shown


def _step(step: StepCheck, compared: bool) -> list[RenderableType]:
    median, p95, baseline = _medians(step, "latency")
    cells: list[RenderableType] = [str(len(step.figures.get("latency", ()))), median, p95]
    comparison = step.comparison
    outcome = Text(step.note, style="dim")
    if comparison is not None:
        low, high = comparison.interval
        outcome = Text(comparison.outcome, style=OUTCOMES[comparison.outcome])
        cells += [format_seconds(comparison.baseline_seconds), f"{comparison.ratio:.2f}", f"{low:.2f} to {high:.2f}"]
    elif compared:
        cells += [baseline, "–", ""]
    return [*cells, outcome, _budgets(step)]


def _medians(step: StepCheck, name: str) -> tuple[str, str, str]:
    """Median and 95th percentile of the candidate, median of the baseline."""
    values, baseline = step.figures.get(name, ()), step.baseline_figures.get(name, ())
    return (
        format_seconds(percentile(values, 50) if values else None),
        format_seconds(percentile(values, 95) if values else None),
        format_seconds(percentile(baseline, 50) if baseline else None),
    )


def _budgets(step: StepCheck) -> Text:
    """Those that are missed, and how many are kept; the bound, where there is only one."""
    if len(step.budgets) == 1 and not step.budgets[0].missed:
        (budget,) = step.budgets
        return Text(
            f"{_name(budget)} {format_figure(budget.figure, budget.value)} of {format_figure(budget.figure, budget.bound)}",
            style="dim",
        )
    parts = [
        Text(f"{_name(one)} {format_figure(one.figure, one.value)} > {format_figure(one.figure, one.bound)}", style="yellow")
        for one in step.budgets
        if one.missed
    ]
    kept = len(step.budgets) - len(parts)
    return Text("\n").join([*parts, *([Text(f"{kept} kept", style="dim")] if kept else [])])


def _name(budget: BudgetCheck) -> str:
    return budget.figure if budget.statistic == "median" else f"{budget.figure} {budget.statistic}"


def _failure(one: JourneyCheck) -> Text:
    """Where it failed; the whole message was printed then, and is in the run."""
    text = Text()
    if one.failure is not None:
        step = f" in step {one.failure.step!r}" if one.failure.step else ""
        side = " on the reference site" if one.failed_side == "baseline" else ""
        text.append(f"\n{one.name} {one.verdict}{step}{side}", style=f"bold {VERDICTS[one.verdict]}")
        lines = format_failure(replace(one.failure, message=one.failure.message.partition("\n")[0]))
        commands = ("show", "trace") if one.trace else ("show",)
        lines.append(f"see why: {' · '.join(journey_command(command, str(one.failed_run)) for command in commands)}")
        text.append("".join(f"\n  {line}" for line in lines))
    return text


def _remarks(result: SmokeResult) -> Iterator[str]:
    if result.baseline is not None and not result.fail_undecided:
        lines = [
            f"{one.name}, step “{format_step_name(step.name)}”: {smoke_text.describe_comparison(step.comparison, result.baseline.name)}"
            for one in result.journeys
            for step in one.steps
            if step.comparison is not None and step.comparison.outcome == "undecided"
        ]
        if lines:
            steps = f"{len(lines)} {'step' if len(lines) == 1 else 'steps'}"
            yield f"UNDECIDED: {steps} may or may not be slower; that does not fail this check, --undecided fail would:"
            yield from (f"  {line}" for line in lines)
    yield from _undecided_pictures(result)
    yield from _uncompared_accessibility(result)
    yield from (f"note: {note}" for note in result.notes)


def _uncompared_accessibility(result: SmokeResult) -> Iterator[str]:
    """What was found without a baseline, or only sometimes, or could not be checked: it fails nothing."""
    for one in result.journeys:
        for step in one.steps:
            check = step.accessibility
            if check is not None and (
                check.sometimes or check.problems or (check.outcome != "same" and not step.less_accessible)
            ):
                yield f"{one.name}, step “{format_step_name(step.name)}”: {describe_accessibility(check)}"


def _undecided_pictures(result: SmokeResult) -> Iterator[str]:
    for one in result.journeys:
        for step in one.steps:
            if step.picture is not None and step.picture.outcome in {"undecided", "not compared"} and not result.fail_undecided:
                yield f"{one.name}, step “{format_step_name(step.name)}”: {smoke_text.describe_picture(step.picture)}"
