"""`journey flaky`: how often journeys are flaky, and what could be set aside."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import given
from runner.settings.sections.quarantine import describe_quarantine, find_entries

if TYPE_CHECKING:
    from runner.store.queries.history.flakes import FlakeRate

MOST_STEPS = 3
"""That are named in the line of a journey."""


def flaky(
    since: Annotated[str, typer.Option(help="Only runs of this last period, such as 12h or 7d.")] = "14d",
    limit: Annotated[int, typer.Option(min=1, help="Look at most at the newest N runs of a journey at a location.")] = 500,
    env: given.EnvironmentName = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
    json: given.Json = None,
) -> None:
    """Show how often each journey is flaky and in which step, and propose lines for the settings that set it aside for two weeks.

    A run is flaky if it passed only at a later attempt, or failed between two runs of the same release that passed.

    Example: journey flaky --since 30d
    """
    from reports.text.quarantine_proposals import propose_quarantine
    from runner.store import Store
    from runner.store.queries.history.flakes import read_flake_rates

    start, now = given.earliest(since), datetime.now(UTC)
    settings = given.settings(env, database=database, runs_dir=runs_dir)
    with Store(settings.database_url) as store, store.snapshot() as connection:
        rates = read_flake_rates(connection, start, limit)
    entries = {one.journey: find_entries(one.journey, settings.quarantine, now) for one in rates}
    proposals = {one.journey: propose_quarantine(one, entries[one.journey], now.date()) for one in rates}
    if json is not None:
        from reports.formats.json import write_json

        journeys = [
            {
                "journey": one.journey,
                "runs": one.runs,
                "flakes": one.flakes,
                "retried": one.retried,
                "failed_alone": one.alone,
                "rate": one.rate,
                "interval": one.interval,
                "steps": [{"step": step, "flakes": count, "rate": count / one.runs} for step, count in one.steps.items()],
                "first_at": one.first_at,
                "last_at": one.last_at,
                "quarantine": entries[one.journey],
                "proposal": proposals[one.journey] or None,
            }
            for one in rates
        ]
        write_json({"version": 1, "at": now, "since": start, "journeys": journeys}, json)
        return
    if not rates:
        typer.echo(f"no run of the last {since} is stored; `journey run` and `journey schedule` store them")
        return
    for one in rates:
        typer.echo(_describe(one))
        for entry in entries[one.journey]:
            typer.echo(f"    {describe_quarantine(entry)}")
    wanted = [lines for lines in proposals.values() if lines]
    typer.echo("\nTo set aside what is flaky, put into the settings:\n" if wanted else "\nNothing is proposed for quarantine.")
    for lines in wanted:
        typer.echo(f"{lines}\n")


def _describe(one: "FlakeRate") -> str:
    from reports.text.formatting import format_step_name

    low, high = one.interval
    line = f"{one.journey}  {one.rate:.1%} flaky ({low:.1%} to {high:.1%}): {one.flakes} of {one.runs} runs"
    if one.flakes:
        line += f", {one.retried} passed at a later attempt, {one.alone} failed between two that passed"
        steps = [f"{format_step_name(step) or 'outside of steps'} {count}" for step, count in one.steps.items()]
        more = f", and {len(steps) - MOST_STEPS} more" if len(steps) > MOST_STEPS else ""
        line += f"; in {', '.join(steps[:MOST_STEPS])}{more}"
    return line
