"""`journey slo`: how much of each error budget is left; `journey slo export`: rules for Prometheus and other programs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from runner.cli import given, manual
from runner.dsl.plan import plan_schedule
from runner.errors import ConfigError
from runner.settings.sections.objectives import Objective
from runner.settings.settings import Settings

app = typer.Typer(cls=manual.Group)
SPENT = 1
UNKNOWN = 300.0
"""The interval that is assumed for journeys without a schedule."""
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Names of objectives; all if none.")]


@app.callback(invoke_without_command=True)
def show_all(context: typer.Context) -> None:
    """Show how much of each error budget is left; write rules for Prometheus. Without a command, all objectives are shown.

    Examples: journey slo
    journey slo export --output objectives.yml
    """
    if context.invoked_subcommand is None:
        show()


@app.command("show")
def show(
    wanted: Names = None,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when an objective has no budget left.")] = False,
    env: given.EnvironmentName = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
    json: given.Json = None,
) -> None:
    """Show each objective from the stored runs: budget left, burn rates, what used it up, and whether the runs suffice to decide.

    Runs in which the monitor failed, pauses and maintenance do not count.

    Example: journey slo show checkout
    """
    from reports.objectives.state import read_objective
    from reports.terminal.console import make_console
    from reports.terminal.objective_table import format_objective
    from runner.store import Store
    from runner.store.samples import read_sample_end

    settings = given.settings(env, database=database, runs_dir=runs_dir)
    chosen = _choose(settings, wanted)
    now = datetime.now(UTC)
    with Store(settings.database_url) as store, store.snapshot() as connection:
        states = [read_objective(connection, one, now) for one in chosen]
        sample_end = read_sample_end(connection)
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "at": now, "objectives": states, "sample_end": sample_end}, json)
    if json != "-":
        console = make_console(highlight=False)
        if sample_end:
            console.print(
                f"sample data: the runs before {sample_end:%Y-%m-%d %H:%M}Z were made up by `journey demo`", markup=False
            )
        for state in states:
            for line in format_objective(state):
                console.print(line, markup=False, soft_wrap=True)
    if check and any(state.budget_left is not None and state.budget_left <= 0 for state in states):
        raise typer.Exit(SPENT)


@app.command("export")
def export(
    wanted: Names = None,
    form: Annotated[str, typer.Option("--format", help="prometheus, grafana, sloth, openslo or pyrra.")] = "prometheus",
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write (default: standard output).")] = None,
    env: given.EnvironmentName = None,
) -> None:
    """Write recording and alert rules of Prometheus for objectives, or the objectives in the form of another program.

    Example: journey slo export --output objectives.yml
    """
    from reports.objectives.other_forms import FORMS
    from runner.archive.json_document import replace_file

    if form not in FORMS:
        raise ConfigError(f"--format {form!r} is not a form of objectives; choose one of {', '.join(FORMS)}")
    settings = given.settings(env)
    chosen = _choose(settings, wanted)
    text = FORMS[form](chosen, _intervals(chosen, settings))
    if output is None:
        typer.echo(text, nl=False)
    else:
        replace_file(output, text, "--output")
        typer.echo(f"wrote {output}")


def _choose(settings: Settings, wanted: list[str] | None) -> tuple[Objective, ...]:
    if not settings.slo:
        raise ConfigError(
            'no objectives are set; add a table [slo.NAME] with journeys = ["…"] and objective = "99.5%" to the settings,'
            " see docs/objectives.md"
        )
    names = [one.name for one in settings.slo]
    for name in wanted or ():
        if name not in names:
            raise ConfigError(f"{name!r} is not an objective; there are: {', '.join(names)}")
    return tuple(one for one in settings.slo if not wanted or one.name in wanted)


def _intervals(chosen: tuple[Objective, ...], settings: Settings) -> Mapping[str, float]:
    """Seconds between two runs of an objective's journeys, all together."""
    journeys = given.journeys(None, None, settings)
    now = datetime.now(UTC)
    gaps: dict[str, float] = {}
    for one in journeys:
        schedule = plan_schedule(one, settings)
        if schedule is not None:
            times = [schedule.after(one.name, now)]
            for _ in range(20):
                times.append(schedule.after(one.name, times[-1]))
            gaps[one.name] = median((later - at).total_seconds() for at, later in pairwise(times))
    found = {}
    for objective in chosen:
        names = [one.name for one in journeys if objective.applies_to(one.name)]
        if not names:
            raise ConfigError(
                f"slo.{objective.name}.journeys: no journey is named {' or '.join(objective.journeys)};"
                f" there are: {', '.join(sorted(one.name for one in journeys))}"
            )
        known = [gaps[name] for name in names if name in gaps]
        if not known:
            typer.echo(
                f"warning: slo.{objective.name}: no journey has every or cron; a run every 5 minutes is assumed", err=True
            )
        found[objective.name] = 1 / sum(1 / gap for gap in known) if known else UNKNOWN
    return found
