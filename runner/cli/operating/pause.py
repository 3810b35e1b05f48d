"""`journey pause` and `journey resume`: journeys that the scheduler leaves out for a while."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from runner.cli import completion, given
from runner.errors import ConfigError
from runner.settings.duration import parse_positive_duration

if TYPE_CHECKING:
    from runner.store import Store

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A journey's name (* and ? match).", autocompletion=completion.journeys)
]


def pause(
    name: Name,
    span: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="How long, such as 2h (default: until resumed).")
    ] = None,
    reason: Annotated[str, typer.Option(help="The reason, recorded with each skipped slot.")] = "paused",
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Pause journeys: the scheduler skips them, and each slot is recorded as paused.

    Example: journey pause 'checkout*' --for 2h --reason 'payment provider moves'
    """
    from runner.store import Store

    now = datetime.now(UTC)
    try:
        until = now + timedelta(seconds=parse_positive_duration(span)) if span is not None else None
    except ValueError as error:
        raise ConfigError(f"--for: {error}") from error
    settings = given.settings(database=database, runs_dir=runs_dir)
    with Store(settings.database_url) as store:
        given.require_known(name, settings, _stored_names(store))
        store.pauses.pause(name, until, reason, now)
    typer.echo(f"{name} is paused {f'until {until:%Y-%m-%d %H:%M:%S}Z' if until else 'until it is resumed'}")


def resume(name: Name, database: given.Database = None, runs_dir: given.RunsDir = None) -> None:
    """Resume a paused journey.

    Example: journey resume 'checkout*'
    """
    from runner.store import Store

    settings = given.settings(database=database, runs_dir=runs_dir)
    with Store(settings.database_url) as store:
        ended = store.pauses.resume(name)
        if not ended:
            given.require_known(name, settings, _stored_names(store))
        left = [one.pattern for one in store.pauses.active(datetime.now(UTC))]
    if not ended:
        raise ConfigError(f"{name} is not paused; paused: {', '.join(left) or 'none'}")
    typer.echo(f"resumed: {', '.join(ended)}")


def _stored_names(store: "Store") -> set[str]:
    """The names of all journeys with stored runs, including those that are no longer declared."""
    from runner.store.queries.runs import History

    with store.snapshot() as connection:
        return {journey for journey, _ in History(connection).places()}
