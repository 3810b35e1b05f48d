"""Runs and smoke checks as JUnit XML, as Jenkins, GitLab, Azure Pipelines and GitHub's actions read it.

One test suite per journey (or, of several runs, per run), one test case per step. There is no standard; what is written here is
what the schemas of Jenkins' plugins allow (`junit-4.xsd`, `junit-10.xsd` of jenkinsci/xunit-plugin), which are the strictest:
so file, line and figures are properties of the suite, and a case has one reason at most, with all of them in its text.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from msgspec import Struct

from reports.formats.registry import Runs, list_saved
from reports.smoke.result import JourneyCheck, SmokeResult, StepCheck
from reports.text import smoke_text
from reports.text.accessibility import describe_accessibility, list_new_findings, list_violations
from reports.text.amount_text import describe_amount, list_changes
from reports.text.cost_text import list_block_remarks, list_columns, list_cost_rows, list_instrument_lines
from reports.text.formatting import format_figure, format_status
from reports.text.problems import Problem, list_run_problems
from reports.text.smoke_problems import list_check_problems
from runner.archive.archive import Saved
from runner.measures import AMOUNTS, measure_step
from runner.result import Environment, RunResult, StepResult
from runner.untrusted_text import xml_text

WHOLE = "whole journey"
"""The name of the case for what belongs to no step."""
UNRUN = {"skipped": "an earlier step ended the journey", "cancelled": "the run was cancelled"}


class _Case(Struct, frozen=True, kw_only=True):
    name: str
    seconds: float | None
    problems: Sequence[Problem] = ()
    skipped: str = ""
    """Why it was not run."""
    output: Sequence[str] = ()

    @property
    def set_aside(self) -> bool:
        """Whether all that went wrong is in quarantine."""
        return bool(self.problems) and all(one.quarantine for one in self.problems)


def render_runs(runs: Runs, _beside: Path) -> str:
    """Runs; see `runs_junit`."""
    return runs_junit(list_saved(runs))


def render_smoke(result: SmokeResult, _beside: Path) -> str:
    """A smoke check; see `smoke_junit`."""
    return smoke_junit(result)


def smoke_junit(result: SmokeResult) -> str:
    """A smoke check; a step's time is the median of its latencies."""
    suites = Element("testsuites", name="journey smoke")
    for check in result.journeys:
        cases = list(_check_cases(check, list_check_problems(check, result)))
        properties = {
            "file": check.file,
            "line": str(check.line or ""),
            "verdict": check.verdict,
            "smoke": result.id,
            "location": result.location,
            "runs": str(len(check.runs)),
            "baseline": smoke_text.describe_baseline(result.baseline) if result.baseline else "",
            **_environment(result.environment),
        }
        figures = {
            f"{step.name or WHOLE}.{name}.median": f"{median(values):g}"
            for step in (*check.steps, check.whole)
            for name, values in step.figures.items()
            if values and ("." not in name or any(values))
        }
        _suite(suites, check.name, cases, f"{result.started_at:%Y-%m-%dT%H:%M:%SZ}", properties | figures)
    return _document(suites)


def runs_junit(runs: Sequence[Saved]) -> str:
    """Runs, each a suite; a step's time is its latency. Of several runs of a journey, the cases' names tell which."""
    suites = Element("testsuites", name="journey run")
    times = Counter(saved.result.journey for saved in runs)
    seen: Counter[str] = Counter()
    for saved in runs:
        result = saved.result
        seen[result.journey] += 1
        which = f" (run {seen[result.journey]})" if times[result.journey] > 1 else ""
        properties = {
            "run": result.id,
            "status": format_status(result),
            "attempts": str(result.attempts),
            "location": result.location,
            "release": result.release,
            **_environment(result.environment),
        }
        cases = list(_run_cases(saved, which))
        _suite(suites, result.journey, cases, f"{result.started_at:%Y-%m-%dT%H:%M:%SZ}", properties | _figures(result))
    return _document(suites)


def _check_cases(check: JourneyCheck, problems: Sequence[Problem]) -> Iterator[_Case]:
    failed_at = next((one.step for one in problems if one.kind in {"failed", "error"}), None)
    for step in check.steps:
        own = [one for one in problems if one.step == step.name]
        measured = bool(step.figures.get("latency"))
        yield _Case(
            name=step.name,
            seconds=smoke_text.find_medians(step)[1],
            problems=own,
            skipped="" if own else _unjudged(step) if measured else "not measured",
            output=_output(step),
        )
    if failed_at and failed_at not in {step.name for step in check.steps}:
        yield _Case(name=failed_at, seconds=None, problems=[one for one in problems if one.step == failed_at])
    whole = [one for one in problems if not one.step]
    if whole or check.blocked or check.unused or check.whole.budgets or check.whole.comparison or not check.steps:
        skipped = "" if whole else f"step “{failed_at}” failed" if failed_at else _unjudged(check.whole)
        yield _Case(
            name=WHOLE,
            seconds=smoke_text.find_medians(check.whole)[1],
            problems=whole,
            skipped=skipped,
            output=[*_output(check.whole), *_costs(check), *smoke_text.list_remarks(check)],
        )


def _costs(check: JourneyCheck) -> list[str]:
    headings = list_columns(check).values()
    rows = [
        (row, [f"{name} {text}" for name, (text, _) in zip(headings, row.cells, strict=True)]) for row in list_cost_rows(check)
    ]
    lines = [f"cost of {row.name}, {row.step}: {', '.join(cells)}" for row, cells in rows]
    return [*lines, *list_block_remarks(check), *list_instrument_lines(check)]


def _unjudged(step: StepCheck) -> str:
    """Why a step that was measured has not passed either; empty if it has."""
    undecided = step.comparison is not None and step.comparison.outcome == "undecided"
    return smoke_text.describe_comparison(step.comparison) if undecided and step.comparison and not step.budgets else ""


def _output(step: StepCheck) -> list[str]:
    name = smoke_text.find_main_figure(step)
    values = step.figures.get(name, ())
    lines = []
    if values:
        lowest, highest = format_figure(name, min(values)), format_figure(name, max(values))
        lines.append(f"{name}: median {format_figure(name, median(values))} of {len(values)}, {lowest} to {highest}")
    if step.comparison is not None:
        lines.append(f"baseline: {smoke_text.describe_comparison(step.comparison)}")
    lines += [f"weight: {describe_amount(one)}" for one in list_changes(step)]
    if step.picture is not None:
        lines.append(f"picture: {smoke_text.describe_picture(step.picture)}")
    if step.accessibility is not None:
        lines += [describe_accessibility(step.accessibility), *list_new_findings(step.accessibility)]
    lines += [f"budget: {smoke_text.format_budget(one)}{', missed' if one.missed else ''}" for one in step.budgets]
    return [*lines, *([step.note] if step.note else [])]


def _run_cases(saved: Saved, which: str) -> Iterator[_Case]:
    result = saved.result
    problems = list_run_problems(result, saved.folder)
    names = {step.name for step in result.steps}
    for step in result.steps:
        own = [one for one in problems if one.step == step.name]
        unrun = UNRUN.get(step.status, "") if not own else ""
        yield _Case(
            name=step.name + which,
            seconds=step.latency_seconds,
            problems=own,
            skipped=unrun,
            output=[*(_attachments(saved, step) if own else ()), *map(str.strip, list_violations(step))],
        )
    rest = [one for one in problems if one.step not in names]
    if rest or not result.steps or result.status == "cancelled":
        notes = "; ".join(result.notes)
        cancelled = f"cancelled{f': {notes}' if notes else ''}" if result.status == "cancelled" and not rest else ""
        yield _Case(name=WHOLE + which, seconds=result.duration_seconds, problems=rest, skipped=cancelled, output=result.notes)


def _attachments(saved: Saved, step: StepResult) -> list[str]:
    """The picture, then the trace, in the form in which GitLab, Azure and Jenkins' attachments plugin look for them."""
    artifacts = saved.result.artifacts
    found = [one for one in artifacts if one.kind == "screenshot" and one.step == step.name]
    found += [one for one in artifacts if one.kind == "trace"]
    return [f"[[ATTACHMENT|{_from_here(saved.folder / one.path)}]]" for one in found]


def _from_here(file: Path) -> Path:
    """Relative to the current folder where it is inside: GitLab takes no other."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _figures(result: RunResult) -> dict[str, str]:
    found: dict[str, str] = {}
    for step in result.steps:
        values = {
            "latency": step.latency_seconds,
            "wall": step.wall_seconds,
            **{name: getattr(step.vitals, name) for name in step.vitals.__struct_fields__},
        }
        if step.status not in {"skipped", "cancelled"}:
            measured = measure_step(step)
            values |= {name: measured.get(name) for name in ("failed_requests", *AMOUNTS)}
        found |= {
            f"{step.name}.{name}": f"{value:g}"
            for name, value in values.items()
            if value or (value is not None and "." not in name)
        }
    return found


def _environment(environment: Environment) -> dict[str, str]:
    return {
        "base_url": environment.base_url or "",
        "browser": environment.browser,
        "runner": environment.runner,
        "playwright": environment.playwright,
        "sandbox": environment.sandbox,
    }


def _suite(suites: Element, name: str, cases: Sequence[_Case], at: str, properties: Mapping[str, str]) -> None:
    suite = SubElement(suites, "testsuite", name=xml_text(name))
    broken = [one for one in cases if one.problems and not one.set_aside]
    errors = sum(one.problems[0].kind == "error" for one in broken)
    _count(suite, len(cases), len(broken) - errors, errors)
    suite.set("skipped", str(sum(bool(one.skipped) or one.set_aside for one in cases)))
    suite.set("time", f"{sum(one.seconds or 0.0 for one in cases):.3f}")
    suite.set("timestamp", at)
    listed = SubElement(suite, "properties")
    for key, value in properties.items():
        if value:
            SubElement(listed, "property", name=xml_text(key), value=xml_text(value))
    for case in cases:
        element = SubElement(suite, "testcase", name=xml_text(case.name), classname=xml_text(name))
        if case.seconds is not None:
            element.set("time", f"{case.seconds:.3f}")
        _reason(element, case)
        if case.output:
            SubElement(element, "system-out").text = xml_text("\n".join(case.output))


def _reason(element: Element, case: _Case) -> None:
    if case.set_aside:
        # What does not gate must not be a failure to the programs that read this.
        message = f"{case.problems[0].quarantine}; it ended with: {case.problems[0].summary}"
        reason = SubElement(element, "skipped", message=xml_text(message))
        reason.text = xml_text("\n\n".join(one.text for one in case.problems))
    elif case.problems:
        first = case.problems[0]
        tag = "error" if first.kind == "error" else "failure"
        message = "; ".join(one.summary for one in case.problems)
        reason = SubElement(element, tag, type=xml_text(first.type), message=xml_text(message))
        reason.text = xml_text("\n\n".join(one.text for one in case.problems))
    elif case.skipped:
        SubElement(element, "skipped").text = xml_text(case.skipped)


def _count(element: Element, tests: int, failures: int, errors: int) -> None:
    for name, value in (("tests", tests), ("failures", failures), ("errors", errors)):
        element.set(name, str(value))


def _document(suites: Element) -> str:
    totals = [sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors")]
    _count(suites, *totals)
    suites.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")
    indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(suites, encoding="unicode")}\n'
