"""`journey alerts`: what is wrong now; `acknowledge`, `mute` and `unmute`: whether messages about it are sent."""

from datetime import UTC, datetime, timedelta
from getpass import getuser
from shlex import quote
from typing import Annotated

import typer

from runner.cli import completion, given, manual
from runner.errors import ConfigError
from runner.settings.settings import Settings
from runner.store.alerts.alerts import AlertKind
from runner.store.alerts.mutes import LONGEST_NOTE, AlertState, Mute, read_alert_states

app = typer.Typer(cls=manual.Group)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The journey's name.", autocompletion=completion.journeys)]
EVERYWHERE = "all locations"
"""Of an alert about a journey that fails at several."""
Kind = Annotated[AlertKind | None, typer.Option(help="The kind of alert, if several are open.")]
Location = Annotated[str | None, typer.Option(help="The location, if alerts are open at several.")]
Note = Annotated[str, typer.Option(help="What is being done; shown on the dashboard.")]


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context) -> None:
    """List the open alerts, and who has acknowledged or muted them. Without a command, all are listed.

    Examples: journey alerts
    journey alerts acknowledge buy --note 'the bank is informed'
    journey alerts mute buy --for 2h --note 'the bank moves'
    """
    if context.invoked_subcommand is None:
        show_alerts()


@app.command("list")
def show_alerts(database: given.Database = None, runs_dir: given.RunsDir = None, json: given.Json = None) -> None:
    """List the open alerts, newest first, then mutes of alerts that are not open.

    Example: journey alerts list --json -
    """
    found = _read(given.settings(database=database, runs_dir=runs_dir), None)
    if json is not None:
        from reports.formats.json import write_json

        write_json({"version": 1, "alerts": found}, json)
    if json == "-":
        return
    for one in found:
        since = f", since {one.opened_at:%Y-%m-%d %H:%M}Z" if one.opened_at else ""
        typer.echo(f"{one.title or f'{one.journey}: no {one.kind} alert is open ({one.location or EVERYWHERE})'}{since}")
        if one.mute:
            typer.echo(f"  {one.mute.describe()}")
    if not found:
        typer.echo("no alert is open")


@app.command()
def acknowledge(
    name: Name,
    note: Note = "",
    kind: Kind = None,
    location: Location = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Say that somebody looks after an alert: it is not sent again while it lasts; that it has ended is sent.

    Example: journey alerts acknowledge buy --note 'the bank is informed'
    """
    _mute(given.settings(database=database, runs_dir=runs_dir), name, kind, location, note, None)


@app.command()
def mute(
    name: Name,
    span: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long, such as 2h.")],
    note: Note = "",
    kind: Kind = None,
    location: Location = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Send nothing about an alert for a while, whether it lasts, ends or begins again. If it lasts, it is sent again after that.

    Example: journey alerts mute buy --for 2h --note 'the bank moves'
    """
    until = datetime.now(UTC) + timedelta(seconds=given.seconds(span, "--for"))
    _mute(given.settings(database=database, runs_dir=runs_dir), name, kind, location, note, until)


@app.command()
def unmute(
    name: Name,
    kind: Kind = None,
    location: Location = None,
    database: given.Database = None,
    runs_dir: given.RunsDir = None,
) -> None:
    """Send messages about an alert again: if it lasts, with the next run.

    Example: journey alerts unmute buy
    """
    from runner.store import Store

    settings = given.settings(database=database, runs_dir=runs_dir)
    muted = [one for one in _choose(_read(settings, name), kind, location) if one.mute]
    if not muted:
        raise ConfigError(f"{name}: no alert is acknowledged or muted; `journey alerts` lists them")
    with Store(settings.database_url) as store:
        for one in muted:
            store.mutes.unmute(one.journey, one.location, one.kind, datetime.now(UTC))
            typer.echo(f"{one.journey} ({one.kind}, {one.location or EVERYWHERE}): messages are sent again")


def _mute(
    settings: Settings, name: str, kind: AlertKind | None, location: str | None, note: str, until: datetime | None
) -> None:
    from runner.store import Store

    note = " ".join(note.split())
    if len(note) > LONGEST_NOTE:
        raise ConfigError(f"--note has {len(note)} characters; at most {LONGEST_NOTE} are allowed")
    open_ones = _choose(_read(settings, name), kind, location)
    if not open_ones:
        raise ConfigError(f"{name}: no such alert is open; `journey alerts` lists them")
    if len(open_ones) > 1:
        shown = ", ".join(f"--kind {one.kind} --location {quote(one.location)}" for one in open_ones)
        raise ConfigError(f"{name} has {len(open_ones)} alerts; choose one of: {shown}")
    (one,) = open_ones
    mute = Mute(
        journey=one.journey,
        location=one.location,
        kind=one.kind,
        who=_user(),
        note=note,
        made_at=datetime.now(UTC),
        until=until,
    )
    with Store(settings.database_url) as store:
        store.mutes.mute(mute)
    typer.echo(f"{one.journey} ({one.kind}, {one.location or EVERYWHERE}): {mute.describe()}")


def _read(settings: Settings, name: str | None) -> list[AlertState]:
    from runner.store import Store

    if not given.has_store(settings):
        return []
    with Store(settings.database_url) as store, store.snapshot() as connection:
        return read_alert_states(connection, datetime.now(UTC), name)


def _choose(found: list[AlertState], kind: AlertKind | None, location: str | None) -> list[AlertState]:
    return [one for one in found if kind in {None, one.kind} and location in {None, one.location}]


def _user() -> str:
    """The user of this machine who types; empty where there is no name for them."""
    try:
        return getuser()[:100]
    except (KeyError, OSError):
        return ""
