"""What blocked parts of a site cost, which functions are busy, and what is not used, in words: the same in every report."""

from collections.abc import Iterator

from msgspec import Struct

from reports.smoke.measurement import WHOLE
from reports.smoke.result import BlockCheck, Cost, JourneyCheck, ProfiledFunction, SmokeResult, StepCheck, UnusedFile
from reports.text.amount_text import format_difference
from reports.text.formatting import format_seconds, format_size
from reports.text.smoke_text import TOGETHER

_COLUMNS = {"latency": "latency", "lcp": "LCP", "bytes": "bytes", "requests": "requests", "script.cpu": "script CPU"}
"""What is measured of it, by figure."""
FUNCTIONS = 10
"""Functions of a profile that reports list."""


def list_columns(check: JourneyCheck) -> dict[str, str]:
    """The figures that were measured of a journey, with their headings."""
    measured = {cost.figure for block in check.blocked for step in block.steps for cost in step.costs}
    return {figure: heading for figure, heading in _COLUMNS.items() if figure in measured}


class CostRow(Struct, frozen=True):
    """One line of the table: something that was blocked, and a step."""

    name: str
    step: str
    cells: tuple[tuple[str, bool], ...]
    """By column: the cost, and whether it is certain that there is one."""


def list_cost_rows(check: JourneyCheck) -> list[CostRow]:
    """The lines of a journey's table."""
    rows = []
    for block in check.blocked:
        for step in block.steps:
            costs = {one.figure: one for one in step.costs}
            cells = tuple(
                (format_cost(costs[figure]), costs[figure].outcome in {"costs", "saves"}) if figure in costs else ("–", False)
                for figure in list_columns(check)
            )
            rows.append(CostRow(block.name, step.name if step.name != WHOLE else TOGETHER, cells))
    return rows


def format_cost(cost: Cost) -> str:
    """What it costs, with the interval; of times that are the same, that it is within the tolerance."""
    by = format_difference(cost.figure, cost.difference) if cost.difference else "0"
    if cost.exact:
        return by
    low, high = (format_difference(cost.figure, one) if one else "0" for one in cost.interval)
    shown = f"{by} ({low} to {high})"
    if cost.outcome == "undecided":
        return f"{shown}, undecided"
    return f"{shown}, within the tolerance" if cost.outcome == "nothing" else shown


def describe_cost_rule(result: SmokeResult) -> list[str]:
    """How costs are decided, sentence by sentence; nothing if nothing was blocked."""
    if not any(check.blocked for check in result.journeys):
        return []
    rule = result.rule
    return [
        "What something costs is the difference between walks with it and without it, in pairs whose order a coin has decided.",
        f"A time that changes by no more than {rule.tolerance:.0%} and {format_seconds(rule.floor_seconds)} is within the tolerance; the "
        f"chance that any is said to cost or save more that does not is at most {rule.alarm:.1%}. Costs do not decide the verdict.",
    ]


def list_block_remarks(check: JourneyCheck) -> Iterator[str]:
    """What is to be known of each thing that was blocked: a journey that fails without it, a pattern that matches nothing."""
    for one in check.blocked:
        if one.failure is not None:
            yield _describe_failure(one)
        if one.pairs and not one.blocked_requests:
            yield f"blocking {one.name}: no request was left out, so any difference is noise; look at the pattern"
        if not one.pairs and not one.given_up:
            yield f"blocking {one.name}: no round passed with it and without, so nothing can be said"


def _describe_failure(one: BlockCheck) -> str:
    step = f" in step “{one.failure.step}”" if one.failure and one.failure.step else ""
    reason = one.failure.message.partition("\n")[0] if one.failure else ""
    runs = f"{one.failed_runs} {'run' if one.failed_runs == 1 else 'runs'}"
    end = "; it is needed, so its cost is not measured further" if one.given_up else ""
    return f"with {one.name} blocked, {runs} failed{step}: {reason}{end} (run {one.failed_run})"


def format_function(one: ProfiledFunction) -> str:
    """A function with its time and its place."""
    place = one.source or (f"{one.url}:{one.line}:{one.column}" if one.url else "")
    return (
        f"{one.function}{f' ({place})' if place else ''}: {one.self_seconds:.3f} s of its own, {one.total_seconds:.3f} s in all"
    )


def list_functions(step: StepCheck) -> tuple[ProfiledFunction, ...]:
    """The busiest functions that reports list."""
    return step.profile[:FUNCTIONS]


def format_unused(one: UnusedFile) -> str:
    """A file and how much of it is not used."""
    party = ", third party" if one.party == "third" else ""
    return f"{one.url} ({one.type}{party}): {format_size(one.unused_bytes)} of {format_size(one.bytes)} not used"


def list_instrument_lines(check: JourneyCheck) -> list[str]:
    """The busiest functions of each step that was profiled, and the files with the most unused bytes."""
    lines = [f"busy in {step.name}: {format_function(one)}" for step in check.steps for one in list_functions(step)[:5]]
    return [*lines, *(f"not used: {format_unused(one)}" for one in check.unused[:5])]
