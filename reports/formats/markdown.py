"""Runs and smoke checks as Markdown for a pull request's comment or a job's summary on GitHub.

The first line says the verdict and what failed. However much there is to tell, it stays below LIMIT characters: what has no room
any more is left out from the end, and the last line says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reports.formats.markdown_escape import code, fence, inert
from reports.formats.registry import Runs, list_saved
from reports.smoke.result import JourneyCheck, SmokeResult, StepCheck
from reports.text import smoke_text
from reports.text.accessibility import (
    describe_accessibility,
    describe_accessibility_rule,
    list_new_findings,
    list_violations,
)
from reports.text.amount_text import list_weight_lines
from reports.text.cost_text import describe_cost_rule, list_block_remarks, list_columns, list_cost_rows, list_instrument_lines
from reports.text.formatting import MARKS, format_seconds, format_status
from reports.text.problems import Problem, list_run_problems
from reports.text.smoke_problems import list_smoke_problems
from runner.archive.archive import Saved
from runner.result import Environment, RunResult
from runner.settings.sections.quarantine import describe_quarantine

LIMIT = 60_000
"""GitHub takes comments of up to 65,536 characters."""
PROBLEMS = 20
"""Listed at most, each in one line."""
DETAILS = 10
"""Shown at most with all their text."""
ROWS = 100
"""Of a folded table at most."""
NAME = 100
"""Characters of a name that are shown."""

Section = Sequence[str]
"""Lines and blocks that belong together; each is written whole or not at all."""


def render_runs(runs: Runs, _beside: Path) -> str:
    """Runs; see `runs_markdown`."""
    return runs_markdown(list_saved(runs))


def render_smoke(result: SmokeResult, _beside: Path) -> str:
    """A smoke check; see `smoke_markdown`."""
    return smoke_markdown(result)


def smoke_markdown(result: SmokeResult) -> str:
    """A smoke check: verdict, what failed, a table a journey, environment and rule."""
    problems = list_smoke_problems(result)
    title = f"### {smoke_text.mark_verdict(result)} Smoke check {smoke_text.format_verdict(result)}: "
    title += _headline(problems) if problems else inert(smoke_text.count_steps(result))
    order = {"failed": 0, "error": 0, "missed": 1, "passed": 2}
    checks = sorted(result.journeys, key=lambda one: order[one.verdict])
    sections: list[Section] = [[title, "", _about(result)], *_problems(problems)]
    sections += [_check(one, result) for one in checks]
    sections.append(_fold("Environment and rule", _environment(result)))
    return _fitting(sections, f"`journey report {result.id} --format html`")


def runs_markdown(runs: Sequence[Saved]) -> str:
    """Runs: how many did not pass, why, a table of all, and each run's steps."""
    problems = [one for saved in runs for one in list_run_problems(saved.result, saved.folder)]
    results = [saved.result for saved in runs]
    bad = [result for result in results if result.status in {"failed", "error"} and not result.set_aside]
    if len(results) == 1:
        title = f"{MARKS[results[0].status]} {inert(results[0].journey, NAME)} {format_status(results[0])}"
    elif bad:
        title = f"{MARKS[bad[0].status]} {len(bad)} of {len(results)} runs did not pass"
    else:
        held = sum(result.status in {"failed", "error"} for result in results)
        counts = f"{len(results) - held} runs passed, {held} in quarantine did not" if held else f"{len(results)} runs passed"
        title = f"✓ {counts}" if results else "no runs"
    if problems:
        title += f": {_headline(problems)}"
    sections: list[Section] = [[f"### {title}"], *_problems(problems), _runs(results)]
    sections += [_steps(result) for result in results]
    if results:
        sections.append(_fold("Environment", _pairs(_release(results[0]) | _machine(results[0].environment))))
    return _fitting(sections, f"`journey report {results[0].id if results else 'last'} --format html`")


def _fitting(sections: Iterable[Section], instead: str) -> str:
    """As much of the sections as there is room for, in their order."""
    rest = f"\n\n_This is too long for one comment. The whole report: {instead}_\n"
    room = LIMIT - len(rest)
    written: list[str] = []
    for section in sections:
        for index, part in enumerate(section):
            text = part if index == 0 and not written else ("\n\n" if index == 0 else "\n") + part
            if len(text) > room:
                return "".join(written) + rest
            written.append(text)
            room -= len(text)
    return "".join(written) + "\n"


def _headline(problems: Sequence[Problem]) -> str:
    first, more = min(problems, key=lambda one: bool(one.quarantine)), len(problems) - 1
    step = f", step “{inert(first.step, NAME)}”" if first.step else ""
    others = f"; and {more} more" if more else ""
    return f"{inert(first.journey, NAME)}{step}: {inert(first.summary)}{others}"


def _about(result: SmokeResult) -> str:
    parts = [f"of {code(result.base_url)}"] if result.base_url else []
    parts.append(inert(smoke_text.count_steps(result)))
    if result.baseline is not None:
        parts.append(f"against {inert(smoke_text.describe_baseline(result.baseline))}")
    return ", ".join([*parts, f"check {code(result.id)}"])


def _problems(problems: Sequence[Problem]) -> Iterator[Section]:
    if not problems:
        return
    problems = sorted(problems, key=lambda one: bool(one.quarantine))
    lines = [f"- **{_place(one)}** ({_type(one)}): {inert(one.summary)}" for one in problems[:PROBLEMS]]
    if len(problems) > PROBLEMS:
        lines.append(f"- and {len(problems) - PROBLEMS} more")
    yield lines
    for one in [one for one in problems if one.failure is not None][:DETAILS]:
        yield _fold(f"Why {_place(one)} failed", [fence(one.text), *_commands(one)])


def _type(one: Problem) -> str:
    return f"{one.type}, in quarantine" if one.quarantine else one.type


def _place(one: Problem) -> str:
    step = f", step “{inert(one.step, NAME)}”" if one.step else ""
    return f"{inert(one.journey, NAME)}{step}"


def _commands(one: Problem) -> list[str]:
    if not one.run:
        return []
    trace = f" · every action: {code(f'journey trace {one.run}')}" if one.trace else ""
    return ["", f"The run: {code(f'journey show {one.run}')}{trace}"]


def _check(check: JourneyCheck, result: SmokeResult) -> Section:
    lines = [f"#### {smoke_text.mark_verdict(check)} {inert(check.name, NAME)}", ""]
    steps = [one for one in (*check.steps, check.whole) if one.name or one.budgets or one.comparison or one.figures]
    if steps:
        lines += ["| step | baseline | median | change | outcome | budgets |", "| --- | --: | --: | --: | --- | --- |"]
        lines += [_step(one, result) for one in steps]
    lines += _costs(check)
    found = (*list_block_remarks(check), *list_instrument_lines(check), *_pictures(check), *_accessibility(check))
    remarks = [f"- {inert(one)}" for one in (*found, *list_weight_lines(check), *smoke_text.list_remarks(check))]
    return [*lines, *(["", *remarks] if remarks else [])]


def _costs(check: JourneyCheck) -> Iterator[str]:
    rows = list_cost_rows(check)
    if rows:
        yield from ("", "What it costs, with it less without it:", "")
        yield f"| blocked | step | {' | '.join(list_columns(check).values())} |"
        yield f"| --- | --- | {' | '.join('---' for _ in list_columns(check))} |"
    for row in rows:
        cells = [f"**{inert(text)}**" if certain else inert(text) for text, certain in row.cells]
        yield f"| {code(row.name, NAME, cell=True)} | {code(row.step, NAME, cell=True)} | {' | '.join(cells)} |"


def _pictures(check: JourneyCheck) -> Iterator[str]:
    return (f"{one.name}: {smoke_text.describe_picture(one.picture)}" for one in check.steps if one.picture is not None)


def _accessibility(check: JourneyCheck) -> Iterator[str]:
    for one in check.steps:
        if one.accessibility is not None:
            yield f"{one.name}: {describe_accessibility(one.accessibility)}"
            yield from (f"{one.name}: {line}" for line in list_new_findings(one.accessibility))


def _step(step: StepCheck, result: SmokeResult) -> str:
    before, after = smoke_text.find_medians(step)
    name = code(step.name, NAME, cell=True) if step.name else f"_{smoke_text.TOGETHER if step.comparison else 'whole journey'}_"
    comparison = step.comparison
    change = smoke_text.format_change(comparison) if comparison else "–"
    outcome: str = comparison.outcome if comparison else "–"
    if outcome == "slower" or (outcome == "undecided" and result.fail_undecided and step.name):
        outcome = f"**{outcome}**"
    missed = [one for one in step.budgets if one.missed]
    budgets = "; ".join(f"**{inert(smoke_text.format_budget(one))}**" for one in missed) or ("✓" if step.budgets else "–")
    return f"| {name} | {format_seconds(before)} | {format_seconds(after)} | {inert(change)} | {outcome} | {budgets} |"


def _environment(result: SmokeResult) -> list[str]:
    lines = _pairs({"location": result.location, **_machine(result.environment)})
    if result.baseline is not None:
        lines += _pairs({f"baseline's {name}": value for name, value in _machine(result.baseline.environment).items()})
    rule = smoke_text.describe_rule(result) if result.baseline else ["There was no baseline: only failures and budgets count."]
    warm_up = f"Warm-up, not counted: {smoke_text.count_runs(result.warm_up)} of each journey."
    return [
        *lines,
        *(
            f"- {inert(one, 600)}"
            for one in (
                *rule,
                *describe_cost_rule(result),
                *smoke_text.describe_picture_rule(result),
                *describe_accessibility_rule(result),
                warm_up,
                *result.notes,
            )
        ),
    ]


def _release(result: RunResult) -> dict[str, str]:
    return {"release": result.release} if result.release else {}


def _machine(environment: Environment) -> dict[str, str]:
    found = {
        "base URL": environment.base_url or "",
        "browser": environment.browser,
        "Playwright": environment.playwright,
        "runner": environment.runner,
        "Python": environment.python,
        "platform": environment.platform,
        "sandbox": environment.sandbox,
    }
    return {name: value for name, value in found.items() if value}


def _pairs(values: dict[str, str]) -> list[str]:
    return [f"- {name}: {code(value)}" for name, value in values.items()]


def _runs(results: Sequence[RunResult]) -> Section:
    lines = ["| journey | status | steps | time | run |", "| --- | --- | --: | --: | --- |"]
    for one in results:
        passed = sum(step.status == "passed" for step in one.steps)
        lines.append(
            f"| {code(one.journey, NAME, cell=True)} | {MARKS[one.status]} {format_status(one)} | {passed}/{len(one.steps)} "
            f"| {format_seconds(one.duration_seconds)} | {code(one.id, cell=True)} |"
        )
    return lines if results else ["Nothing was run."]


def _steps(result: RunResult) -> Section:
    table = ["| step | | latency | wall | budget |", "| --- | --- | --: | --: | --: |"]
    for step in result.steps[:ROWS]:
        budget = format_seconds(step.budget_seconds) if step.budget_seconds is not None else "–"
        table.append(
            f"| {code(step.name, NAME, cell=True)} | {MARKS[step.status]} {step.status} | {format_seconds(step.latency_seconds)} "
            f"| {format_seconds(step.wall_seconds)} | {f'**{budget}**' if step.over_budget else budget} |"
        )
    if len(result.steps) > ROWS:
        table.append(f"| _and {len(result.steps) - ROWS} more_ | | | | |")
    found = [f"{step.name}: {line.strip()}" for step in result.steps for line in list_violations(step)]
    notes = [f"- {inert(note)}" for note in (*map(describe_quarantine, result.quarantine), *found, *result.notes)]
    return _fold(f"{inert(result.journey, NAME)}: steps", [*table, *(["", *notes] if notes else [])])


def _fold(summary: str, lines: Sequence[str]) -> Section:
    """Lines that are shown when one asks for them; as one part, since half of it would swallow what follows."""
    body = "\n".join(lines)
    return [f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"]
