"""`journey accessibility`: what smoke checks have found; `accept` puts it into the baseline."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from runner.cli import given, manual
from runner.cli.results.smoke_results import Baseline, CheckId, JourneyName, StepName, find_check, name_baseline
from runner.errors import RunNotFound

if TYPE_CHECKING:
    from reports.smoke.result import AccessibilityCheck, SmokeResult

app = typer.Typer(cls=manual.Group)


@app.callback(invoke_without_command=True)
def accessibility(context: typer.Context) -> None:
    """Show and accept what smoke checks have found of accessibility. Without a command, that of the last check is listed.

    Examples: journey accessibility
    journey accessibility accept buy pay
    """
    if context.invoked_subcommand is None:
        list_findings()


@app.command("list")
def list_findings(
    check: CheckId = "last",
    runs_dir: given.RunsDir = None,
    json: given.Json = None,
) -> None:
    """List what a check says of each step, and what is new.

    Example: journey accessibility list --check last
    """
    from reports.text.accessibility import describe_accessibility, list_new_findings

    result = find_check(check, runs_dir)
    found = list(_select(result, None, None))
    if json is not None:
        from reports.formats.json import write_json

        rows = [{"journey": journey, "step": step, "accessibility": one} for journey, step, one in found]
        write_json({"version": 1, "check": result.id, "accessibility": rows}, json)
    else:
        for journey, step, one in found:
            typer.echo(f"{journey}, step “{step}”: {describe_accessibility(one)}")
            for line in list_new_findings(one):
                typer.echo(f"  {line}")


@app.command()
def accept(
    journey: JourneyName = None,
    step: StepName = None,
    baseline: Baseline = None,
    check: CheckId = "last",
    runs_dir: given.RunsDir = None,
) -> None:
    """Put what the candidate's pages have into the baseline: from now on it is not new.

    Example: journey accessibility accept buy pay
    """
    from reports.smoke import baseline as baselines
    from reports.smoke.accessibility import accept_findings

    settings = given.settings(runs_dir=runs_dir)
    result = find_check(check, runs_dir)
    named = name_baseline(result, baseline)
    file = baselines.file_of(named, settings.runs_dir, "--baseline")
    wanted = [(name, step_name, one) for name, step_name, one in _select(result, journey, step) if one.outcome != "same"]
    accepted = accept_findings(baselines.read(file, named), wanted)
    baselines.save(accepted, file)
    for name, step_name, _ in wanted:
        if name in accepted.journeys:
            typer.echo(f"accepted what was found of {name}, step “{step_name}” into {file}")
    if not wanted:
        typer.echo("nothing is new, so nothing was accepted")


def _select(result: "SmokeResult", journey: str | None, step: str | None) -> Iterator[tuple[str, str, "AccessibilityCheck"]]:
    """The checked steps that are meant. Raises RunNotFound when there are none."""
    known = [(one.name, each.name, each.accessibility) for one in result.journeys for each in one.steps if each.accessibility]
    found = [one for one in known if journey in {None, one[0]} and step in {None, one[1]}]
    if not found:
        steps = ", ".join(f"{name} {each!r}" for name, each, _ in known)
        raise RunNotFound(
            f"check {result.id} has checked no page of that; it has checked: {steps}"
            if known
            else f"check {result.id} has checked no page; `journey smoke --accessibility on` does"
        )
    yield from found
